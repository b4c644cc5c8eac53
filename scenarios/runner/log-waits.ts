import type { RunEvent } from "fleetrig/kernel";

/** A wait for a log line that is over, or never was. */
export interface LogWaitEnd {
  readonly action: string;
  readonly thing: string;
  /** Undefined when the line came. */
  readonly failure: string | undefined;
}

const NEVER_ENDED = "the run ended first";

/** What became of each `awaitLog`, board by board. A wait that nobody ends has failed. */
export class LogWaits {
  private readonly ends = new Map<string, LogWaitEnd>();

  note(event: RunEvent): void {
    if (event.type === "action.started" && event.verb === "awaitLog")
      for (const thing of event.things) this.set({ action: event.action, thing, failure: NEVER_ENDED });
    else if (event.type === "action.skipped")
      for (const thing of event.things) this.ends.delete(keyOf(event.action, thing));
    else if (event.type === "board.log-awaited") this.set(event);
  }

  /** In the order in which they began. */
  get all(): readonly LogWaitEnd[] {
    return [...this.ends.values()];
  }

  private set({ action, thing, failure }: LogWaitEnd): void {
    this.ends.set(keyOf(action, thing), { action, thing, failure });
  }
}

const keyOf = (action: string, thing: string): string => `${action}\0${thing}`;
