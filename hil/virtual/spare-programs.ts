import type { ChildProcess } from "node:child_process";
import { type Clock, US_PER_MS } from "fleetrig/kernel";
import { type BoardProgram, launch, type LaunchOptions } from "./board-process.js";

/** Boards that start at the same time and find their program waiting; others wait until theirs is loaded. */
const SPARES_MAX = 2;
/** The board that took one is to have the processor first. */
const REPLACED_AFTER_US = 500 * US_PER_MS;

/**
 * Programs that are loaded and wait for a board. To load an interpreter takes longer than everything else that a board's start needs, on
 * a busy machine seconds, and no chip does it; so the process of the next start is made while boards run.
 */
export class SparePrograms {
  private readonly waiting: { readonly key: string; readonly child: ChildProcess }[] = [];

  constructor(private readonly options: LaunchOptions & { readonly clock: Clock }) {}

  /** @throws {FleetrigError} BOARD_PROGRAM_MISSING (rejection) */
  async take(program: BoardProgram): Promise<ChildProcess> {
    const key = keyOf(program);
    this.options.clock.after(REPLACED_AFTER_US, () => void this.make(program).catch(() => undefined));
    const at = this.waiting.findIndex((spare) => spare.key === key);
    return at < 0 ? launch(program, [], this.options) : this.waiting.splice(at, 1)[0]!.child;
  }

  private async make(program: BoardProgram): Promise<void> {
    const key = keyOf(program);
    if (this.waiting.filter((spare) => spare.key === key).length >= SPARES_MAX) return;
    const child = await launch(program, [], this.options);
    const spare = { key, child };
    this.waiting.push(spare);
    child.once("exit", () => {
      const at = this.waiting.indexOf(spare);
      if (at >= 0) this.waiting.splice(at, 1);
    });
  }
}

const keyOf = ({ program, args }: BoardProgram): string => JSON.stringify([program, ...args]);
