import { createRandomSource, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { PortDirectory } from "../../../hil/bench/port-directory.js";
import { Board } from "../../../hil/board/board.js";
import type { BoardOptions, BoardOutcome } from "../../../hil/board/board-options.js";
import type { BoardHands } from "../../../hil/board/board-parts.js";
import type { Port } from "../../../hil/port/port.js";
import { LoopbackBoard } from "../fixtures/loopback-board.js";
import { MemoryPorts } from "../fixtures/memory-ports.js";

export const SECOND = 1_000_000;
export const MS = 1_000;
export const MAC = "7cdfa1001122";

/** Lets what is due within that time happen, promises included. */
export async function pass(time: VirtualTime, durationUs: number): Promise<void> {
  const untilUs = time.nowUs() + durationUs;
  await settle();
  for (let isOver = false; !isOver; ) {
    isOver = time.runUntil(untilUs, 1);
    await settle();
    if (isOver) isOver = time.runUntil(untilUs, 1);
  }
}

/** What is decided happens before time goes on. */
async function settle(): Promise<void> {
  for (let tick = 0; tick < 8; tick += 1) await Promise.resolve();
}

/** EN by its line, as on boards with the usual two transistors. */
export const lineReset = (time: VirtualTime) => ({
  reset: async (port: Port): Promise<void> => {
    await port.setLines({ dtr: false, rts: true });
    await new Promise<void>((resolve) => time.lane(999).after(100 * MS, resolve));
    await port.setLines({ dtr: false, rts: false });
  },
});

export interface RigOptions extends Partial<Pick<BoardOptions, "patience" | "accept" | "symbol">> {
  readonly hands?: BoardHands;
  readonly path?: string;
}

/** One board on a machine that is not there, in virtual time. */
export class BoardRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly ports = new MemoryPorts(this.time.lane(50));
  readonly device = new LoopbackBoard({ clock: this.time.lane(60), mac: MAC });
  readonly directory = new PortDirectory(this.ports);
  readonly outcomes: BoardOutcome[] = [];
  readonly board: Board;
  readonly heard: string[] = [];

  constructor(options: RigOptions = {}) {
    const { path = "/dev/ttyUSB0", hands = lineReset(this.time), ...rest } = options;
    this.ports.plug(this.device, path);
    this.device.power(true);
    this.board = new Board({
      thing: "r-01",
      clock: this.time.lane(70),
      random: createRandomSource(1),
      events: { emit: (event) => this.events.push(event) },
      tracker: this.directory.track(this.directory.free[0]!, undefined),
      opener: this.ports,
      hands,
      baud: 921_600,
      settled: (outcome) => this.outcomes.push(outcome),
      ...rest,
    });
    this.board.listen({
      ready: (thing, isNewStart) =>
        this.heard.push(`ready${isNewStart ? " new" : ""}${thing === undefined ? "" : ` ${thing}`}`),
      lost: (reason) => this.heard.push(`lost ${reason}`),
      event: (event) => this.heard.push(`event ${JSON.stringify(event["ev"])}`),
      network: () => undefined,
      networkData: () => undefined,
    });
    this.board.open();
  }

  static async working(options: RigOptions = {}): Promise<BoardRig> {
    const rig = new BoardRig(options);
    await rig.pass(2 * SECOND);
    return rig;
  }

  pass(durationUs: number): Promise<void> {
    return pass(this.time, durationUs);
  }

  find<T extends RunEvent["type"]>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  get recoveriesUs(): number[] {
    return this.find("board.recovered").map(({ tookUs }) => tookUs);
  }
}
