import * as nodePty from "@lydell/node-pty";
import { Random, type RunEvent } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { BoardMember } from "../../../hil/bridge/board-member.js";
import type { BenchRig } from "../bench/bench-rig.js";

/** What is done to boards: a *storm* does it to several at the same time, at random moments, until each has had its share. */
export type Blow = "hard-reset" | "software-reset" | "power-cycle" | "replug" | "replug-renamed";

/** A way back takes longer than this when something hangs. */
const PATIENCE_MS = 20_000;
/** Between a board's return and the next blow. */
const PAUSE_MAX_MS = 600;
const OFF_MAX_US = 200_000;
const UNPLUGGED_MAX_MS = 300;

const { open: openPair } = nodePty as unknown as {
  open(options: { encoding: null }): { master: { destroy(): void }; slave: { destroy(): void } };
};

/** Takes the lowest free name of a tty, so that the next board to come gets another one. */
function takeName(): () => void {
  const { master, slave } = openPair({ encoding: null });
  return () => {
    slave.destroy();
    master.destroy();
  };
}

const boardOf = (member: FleetMember): BoardMember => {
  if (!(member instanceof BoardMember)) throw new Error(`${member.name} is no board`);
  return member;
};

/** Blows that fell, and what came of them. */
export class Storm {
  readonly counts = new Map<Blow, number>();
  /** Of each blow, from the bench's notice of it to hello. */
  readonly recoveriesMs: number[] = [];
  /** Boards that did not come back; they are left alone from then on. */
  readonly failures: string[] = [];

  constructor(
    private readonly rig: BenchRig,
    private readonly seed: string,
  ) {}

  /** Deals `count` blows of these kinds in turn to all members together, or as many as fall in that time. */
  async rage(blows: readonly Blow[], count: number, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const endMs = performance.now() + withinMs;
    let dealt = 0;
    const next = (): Blow | undefined =>
      dealt < count && performance.now() < endMs ? blows[dealt++ % blows.length] : undefined;
    await Promise.all(
      this.rig.members.map(async (member) => {
        const random = Random.seeded(`${this.seed}/${member.name}`);
        for (let blow = next(); blow !== undefined; blow = next()) {
          await this.rig.pause(random.below(PAUSE_MAX_MS));
          try {
            await this.strike(member, blow, random);
          } catch (error) {
            this.failures.push(String(error));
            return;
          }
        }
      }),
    );
  }

  private async strike(member: FleetMember, blow: Blow, random: Random): Promise<void> {
    const { rig } = this;
    const from = rig.events.length;
    await this.blows[blow](member, random);
    const recovery = await this.following(member, from, "board.recovered", blow);
    await rig.until(`${member.name} online after ${blow}`, () => member.isOnline, PATIENCE_MS);
    this.recoveriesMs.push(recovery.tookUs / 1000);
    this.counts.set(blow, (this.counts.get(blow) ?? 0) + 1);
  }

  private readonly blows: Readonly<Record<Blow, (member: FleetMember, random: Random) => Promise<void>>> = {
    "hard-reset": async (member) => member.board!.reset(),
    "software-reset": async (member) => boardOf(member)["device"].command("reboot", {}),
    "power-cycle": async (member, random) => member.board!.powerCycle(random.below(OFF_MAX_US)),
    replug: (member, random) => this.replug(member, random, false),
    "replug-renamed": (member, random) => this.replug(member, random, true),
  };

  private async replug(member: FleetMember, random: Random, isRenamed: boolean): Promise<void> {
    const from = this.rig.events.length;
    const before = this.pathOf(member);
    member.setFault("board.unplug", true, {});
    await this.following(member, from, "board.detached", "unplug");
    const giveBack = isRenamed ? takeName() : undefined;
    await this.rig.pause(random.below(UNPLUGGED_MAX_MS));
    member.setFault("board.unplug", false, {});
    await this.following(member, from, "board.attached", "replug");
    giveBack?.();
    if (isRenamed && this.pathOf(member) === before) throw new Error(`${member.name} is at ${before} again`);
  }

  private pathOf({ name }: FleetMember): string | undefined {
    return this.rig.find("board.attached").findLast(({ thing }) => thing === name)?.path;
  }

  /** The first event of its kind of a board that comes after so many others. */
  private async following<T extends RunEvent["type"]>(
    { name }: FleetMember,
    from: number,
    type: T,
    why: string,
  ): Promise<Extract<RunEvent, { type: T }>> {
    const find = (): RunEvent | undefined =>
      this.rig.events
        .slice(from)
        .find((event) => event.type === type && "thing" in event && event.thing === name);
    await this.rig.until(`${type} of ${name} after ${why}`, () => find() !== undefined, PATIENCE_MS);
    return find() as Extract<RunEvent, { type: T }>;
  }
}

/** The value that a share of all is not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
