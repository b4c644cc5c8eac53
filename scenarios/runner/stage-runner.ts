import type { Clock, EventSink, Timer } from "fleetrig/kernel";
import type { Action, Stage } from "../scenario.js";

/** How often an `until` condition is looked at, in µs of the run's time. */
export const CONDITION_EVERY_US = 100_000;

export interface StageRunnerOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly stages: readonly Stage[];
  readonly perform: (action: Action) => void;
  readonly holds: (stage: Stage) => boolean;
  /** Called at each boundary; `undefined` after the last stage. */
  readonly entered: (stage: Stage | undefined) => void;
}

/**
 * Walks through the stages of a scenario on the harness's clock: starts each stage's actions at their
 * times and ends it after its duration, or as soon as its `until` condition holds.
 */
export class StageRunner {
  private index = -1;
  private timers: Timer[] = [];

  constructor(private readonly options: StageRunnerOptions) {}

  get current(): Stage | undefined {
    return this.options.stages[this.index];
  }

  get isFinished(): boolean {
    return this.index >= this.options.stages.length;
  }

  start(): void {
    this.enterNext();
  }

  /** Ends the run now: the current stage counts as ended, the rest never begins. */
  abort(): void {
    const stage = this.current;
    for (const timer of this.timers) timer.cancel();
    if (stage !== undefined) this.emitEnded(stage, false);
    this.index = this.options.stages.length;
  }

  private enterNext(): void {
    this.index += 1;
    const stage = this.current;
    this.options.entered(stage);
    if (stage === undefined) return;
    const { clock, events, perform } = this.options;
    events.emit({ type: "stage.started", atUs: clock.nowUs(), stage: stage.name, measured: stage.measure });
    this.timers = stage.actions.map((action) => clock.after(action.atUs, perform, action));
    this.timers.push(clock.after(stage.durationUs, () => this.end(stage, stage.until !== undefined)));
    if (stage.until !== undefined) this.watch(stage);
  }

  /** A condition cannot end a stage before its last action has begun. */
  private watch(stage: Stage): void {
    const lastActionUs = Math.max(0, ...stage.actions.map(({ atUs }) => atUs));
    const startedUs = this.options.clock.nowUs();
    const look = (): void => {
      if (this.current !== stage) return;
      const isEarly = stage.actions.length > 0 && this.options.clock.nowUs() - startedUs <= lastActionUs;
      if (!isEarly && this.options.holds(stage)) this.end(stage, false);
      else this.options.clock.after(CONDITION_EVERY_US, look);
    };
    this.options.clock.after(CONDITION_EVERY_US, look);
  }

  private end(stage: Stage, timedOut: boolean): void {
    if (this.current !== stage) return;
    for (const timer of this.timers) timer.cancel();
    this.timers = [];
    this.emitEnded(stage, timedOut);
    this.enterNext();
  }

  private emitEnded(stage: Stage, timedOut: boolean): void {
    const { clock, events } = this.options;
    events.emit({ type: "stage.ended", atUs: clock.nowUs(), stage: stage.name, timedOut });
  }
}
