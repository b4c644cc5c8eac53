import type { Clock, EventSink, Timer } from "fleetrig/kernel";
import type { Action, Stage } from "../scenario.js";

/** How often an `until` condition is looked at, in µs of the run's time. */
const CONDITION_EVERY_US = 100_000;

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
  /** When the current stage began by the scenario. A timer of a busy host is late; the schedule never is. */
  private startedUs = 0;
  private timers: Timer[] = [];

  constructor(private readonly options: StageRunnerOptions) {}

  get current(): Stage | undefined {
    return this.options.stages[this.index];
  }

  get isFinished(): boolean {
    return this.index >= this.options.stages.length;
  }

  /** @param originUs When the first stage begins: now, or a moment ago. */
  start(originUs: number): void {
    this.enterNext(originUs);
  }

  /** Ends the run now: the current stage counts as ended, the rest never begins. */
  abort(): void {
    const stage = this.current;
    for (const timer of this.timers) timer.cancel();
    if (stage !== undefined) this.emitEnded(stage, { atUs: this.options.clock.nowUs(), timedOut: false });
    this.index = this.options.stages.length;
  }

  private enterNext(atUs: number): void {
    this.index += 1;
    this.startedUs = atUs;
    const stage = this.current;
    this.options.entered(stage);
    if (stage === undefined) return;
    const { clock, events, perform } = this.options;
    events.emit({ type: "stage.started", atUs, stage: stage.name, measured: stage.measure });
    const lateUs = clock.nowUs() - atUs;
    const endUs = atUs + stage.durationUs;
    this.timers = stage.actions.map((action) => clock.after(action.atUs - lateUs, perform, action));
    this.timers.push(
      clock.after(stage.durationUs - lateUs, () =>
        this.end(stage, { atUs: endUs, timedOut: stage.until !== undefined }),
      ),
    );
    if (stage.until !== undefined) this.watch(stage);
  }

  /** A condition cannot end a stage before its last action has begun. */
  private watch(stage: Stage): void {
    const lastActionUs = Math.max(0, ...stage.actions.map(({ atUs }) => atUs));
    const { clock, holds } = this.options;
    const { startedUs } = this;
    const look = (): void => {
      if (this.current !== stage) return;
      const atUs = clock.nowUs();
      const isEarly = stage.actions.length > 0 && atUs - startedUs <= lastActionUs;
      if (!isEarly && holds(stage)) this.end(stage, { atUs, timedOut: false });
      else clock.after(CONDITION_EVERY_US, look);
    };
    clock.after(CONDITION_EVERY_US, look);
  }

  private end(stage: Stage, ending: StageEnding): void {
    if (this.current !== stage) return;
    for (const timer of this.timers) timer.cancel();
    this.timers = [];
    this.emitEnded(stage, ending);
    this.enterNext(ending.atUs);
  }

  private emitEnded(stage: Stage, { atUs, timedOut }: StageEnding): void {
    this.options.events.emit({ type: "stage.ended", atUs, stage: stage.name, timedOut });
  }
}

interface StageEnding {
  readonly atUs: number;
  readonly timedOut: boolean;
}
