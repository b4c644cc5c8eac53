import type { Bench } from "fleetrig/hil";
import {
  EXIT,
  type EventSink,
  FleetrigError,
  type RandomSource,
  type RunEvent,
  type TimeSource,
} from "fleetrig/kernel";
import type { DeviceModel } from "fleetrig/sim";
import { ALL_BOARDS, type BoardRoll, boardRequests, rollOf } from "./bench-plan.js";
import { type FirmwareImages, firmwareImages, NO_IMAGES } from "./firmware-images.js";
import { planFleet } from "./fleet-plan.js";
import type { RunOptions } from "./run-scenario.js";

/** Boards of a run: the bench that they hang on, and who is one. */
export interface ClaimedBoards {
  /** Undefined when nobody brought one: then no bridge has a board. */
  readonly bench: Bench | undefined;
  readonly roll: BoardRoll;
  /** Firmware that the boards can really start. */
  readonly images: FirmwareImages;
}

interface ClaimParts {
  readonly time: TimeSource;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly models: ReadonlyMap<string, DeviceModel>;
}

/**
 * Claims the boards that the scenario's bridges want. Members that get none are skipped.
 * @throws FleetrigError BENCH_NEEDS_REAL_TIME (exit 2), BENCH_NO_BOARD (exit 3), BENCH_THING_TAKEN, BENCH_TOO_FEW_MEMBERS (exit 2)
 */
export async function claimBoards(
  { scenario, identity, folder, openBench }: RunOptions,
  { models, ...parts }: ClaimParts,
): Promise<ClaimedBoards | undefined> {
  if (scenario.bridges.length === 0) return undefined;
  if (identity.clock === "virtual") throw needsRealTime();
  const everybody = planFleet(scenario, models, parts.random, { roll: ALL_BOARDS });
  const requests = boardRequests(scenario.bridges, namesIn(everybody));
  if (openBench === undefined) {
    const claims = requests.map(({ thing }) => ({ thing, board: undefined, reason: "there is no bench" }));
    return { bench: undefined, roll: rollOf(requests, claims), images: NO_IMAGES };
  }
  const bench = await openBench({ ...parts, scenario, folder });
  try {
    const roll = rollOf(requests, await bench.claim(requests));
    return { bench, roll, images: await firmwareImages(scenario, roll.boards.size > 0 ? bench : undefined) };
  } catch (error) {
    await bench.close();
    throw error;
  }
}

const namesIn =
  ({ things }: ReturnType<typeof planFleet>) =>
  (group: string): readonly string[] =>
    things.filter((thing) => thing.group === group).map(({ name }) => name);

const needsRealTime = (): FleetrigError =>
  new FleetrigError("BENCH_NEEDS_REAL_TIME", "Real boards cannot run in virtual time.", {
    hint: "Write clock: real, or run with --clock real.",
    exitCode: EXIT.usage,
  });

/** Keeps what the bench tells while nobody measures yet, and passes it on from then. */
export class EventRelay implements EventSink {
  private waiting: RunEvent[] | undefined = [];
  private sink: EventSink | undefined;

  emit(event: RunEvent): void {
    if (this.sink === undefined) this.waiting?.push(event);
    else this.sink.emit(event);
  }

  connect(sink: EventSink): void {
    this.sink = sink;
    for (const event of this.waiting ?? []) sink.emit(event);
    this.waiting = undefined;
  }
}
