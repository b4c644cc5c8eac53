import type { RunEvent } from "fleetrig/kernel";
import type { Ledger } from "../ledger/ledger.js";
import { type MetricSources, noData, single } from "./measure.js";
import type { StormTracker } from "./storm-tracker.js";
import type { ThingDirectory } from "./thing-directory.js";

interface Backlog {
  readonly action: string;
  readonly restoredUs: number;
  arrivedUs: number | undefined;
}

/** How long the messages that piled up during an outage take to arrive once the link works again. */
export class BacklogTracker {
  private readonly backlogs: Backlog[] = [];
  private readonly seen = new Set<string>();

  constructor(
    readonly storms: StormTracker,
    readonly ledger: Ledger,
    readonly directory: ThingDirectory,
  ) {}

  on(event: RunEvent): void {
    for (const outage of this.storms.outages) {
      if (this.seen.has(outage.action) || outage.losses.length === 0) continue;
      const { restoredUs } = outage;
      if (restoredUs === undefined || event.atUs < restoredUs) continue;
      this.seen.add(outage.action);
      this.close();
      this.backlogs.push({ action: outage.action, restoredUs, arrivedUs: undefined });
      const things = outage.losses
        .map((loss) => this.directory.indexOf(loss.thing))
        .filter((index) => index !== undefined);
      this.ledger.linkRestored(things, restoredUs);
    }
  }

  /** The ledger follows one backlog at a time. */
  private close(): void {
    const last = this.backlogs.at(-1);
    if (last !== undefined) last.arrivedUs = this.ledger.backlogArrivedUs;
  }

  get metrics(): MetricSources {
    return {
      "recovery.backlog_time": ({ action }) => {
        this.close();
        const backlogs = this.backlogs.filter((one) => action === undefined || one.action === action);
        if (backlogs.length === 0) return noData("no link was restored");
        const times = backlogs.map(({ arrivedUs, restoredUs }) => (arrivedUs ?? restoredUs) - restoredUs);
        return single(Math.max(...times), times.length);
      },
    };
  }
}
