import { type BrokerLimits, DurableJournal } from "fleetrig/broker";
import { LANE, Random, US_PER_MS, VIRTUAL_EPOCH_MS, VirtualTime } from "fleetrig/kernel";
import type { Profile } from "fleetrig/protocol";
import { Bench } from "../broker/bench.js";
import { FakeDisk } from "./fake-disk.js";

export interface DurableBenchOptions {
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
}

interface Start extends DurableBenchOptions {
  readonly disk: FakeDisk;
  readonly wallMs: number;
}

/** A broker in virtual time on a fake disk. The end of a turn of the event loop is when the test says so. */
export class DurableBench extends Bench {
  readonly disk: FakeDisk;
  readonly journal: DurableJournal;
  private readonly start: Start;
  private readonly tasks: (() => void)[];

  private constructor(start: Start) {
    const { disk, limits, profile = "oasis" } = start;
    const tasks: (() => void)[] = [];
    const time = new VirtualTime(start.wallMs);
    const journal = new DurableJournal({
      store: disk,
      clock: time.lane(LANE.services),
      schedule: (task) => tasks.push(task),
    });
    super({ profile, time, journal, ...(limits !== undefined && { limits }) });
    this.start = start;
    this.disk = disk;
    this.journal = journal;
    this.tasks = tasks;
  }

  static open(options: DurableBenchOptions = {}): Promise<DurableBench> {
    return DurableBench.recover({ ...options, disk: new FakeDisk(), wallMs: VIRTUAL_EPOCH_MS });
  }

  private static async recover(start: Start): Promise<DurableBench> {
    const bench = new DurableBench(start);
    start.disk.isPrompt = true;
    await bench.journal.recover(bench.broker.restoration());
    start.disk.isPrompt = false;
    return bench;
  }

  /** The turn is over: what changed is on its way to the disk. */
  endTurn(): void {
    for (const task of this.tasks.splice(0)) task();
  }

  /** Until everything is durable, and everybody who waited for it has been told. */
  settle(): void {
    do this.endTurn();
    while (this.disk.sync() > 0 || this.tasks.length > 0);
  }

  /** Dies without a word, and is back after `downS` from what the disk has. */
  crash(downS: number = 0, random: Random = Random.seeded("crash")): Promise<DurableBench> {
    const disk = this.disk.crash(random);
    const wallMs = this.start.wallMs + this.time.nowUs() / US_PER_MS + downS * 1_000;
    return DurableBench.recover({ ...this.start, disk, wallMs });
  }

  /** Ends in order, and is back after `downS`. */
  async restart(downS: number = 0): Promise<DurableBench> {
    this.disk.sync();
    this.disk.isPrompt = true;
    this.broker.shutdown();
    await this.journal.close();
    return this.crash(downS);
  }
}
