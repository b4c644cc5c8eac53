import { EXIT, FleetrigError, type JsonObject } from "fleetrig/kernel";
import { readFaultValue } from "fleetrig/sim";
import { BOARD_FAULTS } from "../faults/table.js";
import type { BoardHands } from "./board-parts.js";
import type { BoardLine } from "./board-line.js";

/** A board as its faults reach it. */
export interface FaultyBoard {
  readonly hands: BoardHands;
  hide(isHidden: boolean): void;
}

type Values = Readonly<Record<string, unknown>>;

interface FaultEffect {
  isPossible?(board: FaultyBoard): boolean;
  switch(board: FaultyBoard, isOn: boolean): Promise<void> | undefined;
}

const EFFECTS: Readonly<Record<string, FaultEffect>> = {
  "board.unplug": {
    switch: (board, isOn) => {
      // Whoever can pull the cable is seen to do so by the enumerator.
      if (board.hands.plug !== undefined) return board.hands.plug(!isOn);
      board.hide(isOn);
      return undefined;
    },
  },
  "board.freeze": {
    isPossible: (board) => board.hands.freeze !== undefined,
    switch: (board, isOn) => board.hands.freeze?.(isOn),
  },
};

const ON_THE_LINE = new Set(["serial.noise", "serial.stall"]);

/** The faults of one board and its line that are on. */
export class BoardFaults {
  private readonly active = new Map<string, Values>();

  constructor(
    private readonly board: FaultyBoard,
    private readonly line: BoardLine,
  ) {}

  /**
   * @returns false when boards, or this one, have no such fault.
   * @throws FleetrigError LINK_FAULT_PARAMETER
   */
  set(fault: string, active: boolean, detail: JsonObject): boolean {
    const definition = BOARD_FAULTS.get(fault);
    if (definition === undefined) return false;
    if (active) this.active.set(fault, readValues(fault, detail));
    else if (!this.active.delete(fault)) return true;
    if (ON_THE_LINE.has(fault)) {
      this.applyToLine();
      return true;
    }
    const effect = EFFECTS[fault];
    if (effect === undefined || effect.isPossible?.(this.board) === false) return false;
    void effect.switch(this.board, active)?.catch(() => undefined);
    return true;
  }

  /** Gives the board back as it was. */
  async clear(): Promise<void> {
    const names = [...this.active.keys()];
    this.active.clear();
    this.applyToLine();
    for (const name of names) await EFFECTS[name]?.switch(this.board, false)?.catch(() => undefined);
  }

  private applyToLine(): void {
    for (const direction of ["up", "down"] as const) {
      const noise = this.onLine("serial.noise", direction);
      const stall = this.onLine("serial.stall", direction);
      this.line.setNoise(direction, {
        ...(noise !== undefined && {
          byteErrorRate: noise["errors"] as number,
          dropRate: noise["drops"] as number,
          duplicateRate: noise["duplicates"] as number,
        }),
        ...(stall !== undefined && {
          stallUs: stall["length"] as number,
          stallEveryUs: stall["every"] as number,
        }),
      });
    }
  }

  private onLine(fault: string, direction: "up" | "down"): Values | undefined {
    const values = this.active.get(fault);
    return values === undefined || values["direction"] === "both" || values["direction"] === direction
      ? values
      : undefined;
  }
}

function readValues(fault: string, detail: JsonObject): Values {
  const { parameters } = BOARD_FAULTS.get(fault)!;
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, { kind, default: usual }] of Object.entries(parameters)) {
    const given = Object.hasOwn(detail, name) ? detail[name] : undefined;
    const value = given === undefined ? usual : readFaultValue(kind, given);
    if (value === undefined) throw parameterError(fault, `${name} is not a ${kind}`);
    values[name] = value;
  }
  for (const name of Object.keys(detail)) {
    if (!Object.hasOwn(parameters, name)) throw parameterError(fault, `${name} is not known`);
  }
  return values;
}

const parameterError = (fault: string, problem: string): FleetrigError =>
  new FleetrigError("LINK_FAULT_PARAMETER", `Parameter of ${fault}: ${problem}.`, {
    hint: `${fault} takes ${Object.keys(BOARD_FAULTS.get(fault)!.parameters).join(", ") || "no parameters"}.`,
    context: { fault },
    exitCode: EXIT.usage,
  });
