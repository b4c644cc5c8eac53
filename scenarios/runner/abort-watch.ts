import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import type { ExpectationRecord } from "fleetrig/reports";
import type { ExpectationSpec } from "../scenario.js";

/** How often expectations that may end the run are looked at, in µs of the run's time. */
const LOOK_EVERY_US = US_PER_S;

/** An expectation that ended the run: its record as it was at that moment. */
export interface Abortion {
  readonly atUs: number;
  readonly spec: ExpectationSpec;
  readonly record: ExpectationRecord;
}

export interface AbortWatchOptions {
  readonly clock: Clock;
  readonly expectations: readonly ExpectationSpec[];
  /** Judges an expectation on what has been measured so far. */
  readonly judge: (spec: ExpectationSpec) => ExpectationRecord;
  readonly abort: (abortion: Abortion) => void;
}

/**
 * Looks every second of the run at the expectations with `abortOnFail` and ends the run at the first that fails. No
 * data yet is no failure, and neither is a measurement in doubt: both are judged at the end.
 */
export class AbortWatch {
  private readonly watched: readonly ExpectationSpec[];
  private timer: Timer | undefined;

  constructor(private readonly options: AbortWatchOptions) {
    this.watched = options.expectations.filter(({ abortOnFail }) => abortOnFail);
  }

  start(): void {
    if (this.watched.length > 0) this.timer = this.options.clock.after(LOOK_EVERY_US, () => this.look());
  }

  stop(): void {
    this.timer?.cancel();
  }

  private look(): void {
    const { clock, judge, abort } = this.options;
    const atUs = clock.nowUs();
    for (const spec of this.watched) {
      if (atUs < spec.delayAbortEvalUs) continue;
      const record = judge(spec);
      if (record.verdict === "fail" && record.value !== null) return abort({ atUs, spec, record });
    }
    this.timer = clock.after(LOOK_EVERY_US, () => this.look());
  }
}
