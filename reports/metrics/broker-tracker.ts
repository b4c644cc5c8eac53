import type { RunEvent } from "fleetrig/kernel";
import type { TrackerContext } from "./connection-tracker.js";
import { counted, type MetricSource, type MetricSources, noData } from "./measure.js";

interface Incident {
  readonly group: string;
  readonly stage: number;
  readonly reason: string;
  count: number;
}

/** Messages the broker dropped and connections it refused, by reason. */
export class BrokerTracker {
  private readonly dropped = new Map<string, Incident>();
  private readonly refused = new Map<string, Incident>();

  constructor(readonly context: TrackerContext) {}

  on(event: RunEvent): void {
    if (event.type === "broker.dropped") this.count(this.dropped, event);
    if (event.type === "broker.refused") this.count(this.refused, event);
  }

  private count(
    incidents: Map<string, Incident>,
    { clientId, reason, atUs }: { readonly clientId: string; readonly reason: string; readonly atUs: number },
  ): void {
    const group = this.context.directory.groupOf(clientId) ?? "";
    const stage = this.context.stages.indexAt(atUs);
    const key = JSON.stringify([group, stage, reason]);
    const incident = incidents.get(key) ?? { group, stage, reason, count: 0 };
    incident.count += 1;
    incidents.set(key, incident);
  }

  get metrics(): MetricSources {
    return { "broker.dropped": this.metric(this.dropped), "broker.refused": this.metric(this.refused) };
  }

  private metric(incidents: ReadonlyMap<string, Incident>): MetricSource {
    const { stages, directory, nowUs } = this.context;
    return ({ stage, group, reason }) => {
      if (stage !== undefined && !stages.has(stage)) return noData(`the stage "${stage}" did not run`);
      const selected = [...incidents.values()].filter(
        (one) =>
          (group === undefined || one.group === group) &&
          (reason === undefined || one.reason === reason) &&
          stages.selects(one.stage, stage),
      );
      const count = selected.reduce((total, one) => total + one.count, 0);
      return counted(count, directory.size(group), stages.seconds(stage, nowUs()));
    };
  }
}
