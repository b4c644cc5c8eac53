import type { RunEvent } from "fleetrig/kernel";
import { Histogram } from "../ledger/histogram.js";
import type { TrackerContext } from "./connection-tracker.js";
import { counted, type MetricSource, type MetricSources, noData } from "./measure.js";

interface Tally {
  readonly group: string;
  readonly stage: number;
  /** What it was: a policy action, an error code. */
  readonly what: string;
  count: number;
}

/** What is asked about; every part that is left out means all. */
interface Question {
  readonly stage?: string | undefined;
  readonly group?: string | undefined;
  readonly what?: string | undefined;
}

/** Which parts of the cloud's control plane take part in a run. */
export interface ControlPlaneParts {
  /** Policies are enforced. */
  readonly access: boolean;
  /** Devices provision themselves. */
  readonly provisioning: boolean;
}

const NO_ACCESS = "nothing is enforced in this run: no policies";
const NO_PROVISIONING = "no group of this run provisions itself";

/** Who was refused what, and how devices came to certificates of their own. */
export class AccessTracker {
  private readonly denied = new Map<string, Tally>();
  private readonly rejected = new Map<string, Tally>();
  private readonly failed = new Map<string, Tally>();
  /** By group and stage. */
  private readonly times = new Map<
    string,
    { readonly group: string; readonly stage: number; readonly histogram: Histogram }
  >();

  constructor(
    readonly context: TrackerContext,
    private readonly parts: ControlPlaneParts,
  ) {}

  on(event: RunEvent): void {
    switch (event.type) {
      case "access.denied":
        return this.count(this.denied, event.clientId, { atUs: event.atUs, what: event.action });
      case "provisioning.rejected":
        return this.count(this.rejected, event.clientId, { atUs: event.atUs, what: event.errorCode });
      case "device.unprovisioned":
        return this.count(this.failed, event.thing, { atUs: event.atUs, what: event.reason });
      case "device.provisioned":
        return this.timeOf(event.thing, event.atUs).record(event.tookUs);
      default:
    }
  }

  get metrics(): MetricSources {
    const { provisioning } = this.parts;
    const ofProvisioning = (source: MetricSource): MetricSource =>
      provisioning ? source : () => noData(NO_PROVISIONING);
    return {
      "access.denied": ({ stage, group, action }) =>
        this.parts.access ? this.tallied(this.denied, { stage, group, what: action }) : noData(NO_ACCESS),
      "provisioning.time": ofProvisioning(({ stage, group }) => this.time({ stage, group })),
      "provisioning.failed": ofProvisioning(({ group, reason }) =>
        this.tallied(this.failed, { group, what: reason }),
      ),
      "provisioning.rejected": ofProvisioning(({ group, reason }) =>
        this.tallied(this.rejected, { group, what: reason }),
      ),
    };
  }

  private count(
    tallies: Map<string, Tally>,
    thing: string,
    { atUs, what }: { readonly atUs: number; readonly what: string },
  ): void {
    const group = this.context.directory.groupOf(thing) ?? "";
    const stage = this.context.stages.indexAt(atUs);
    const key = JSON.stringify([group, stage, what]);
    const tally = tallies.get(key) ?? { group, stage, what, count: 0 };
    tally.count += 1;
    tallies.set(key, tally);
  }

  private timeOf(thing: string, atUs: number): Histogram {
    const group = this.context.directory.groupOf(thing) ?? "";
    const stage = this.context.stages.indexAt(atUs);
    const key = JSON.stringify([group, stage]);
    const times = this.times.get(key) ?? { group, stage, histogram: new Histogram() };
    this.times.set(key, times);
    return times.histogram;
  }

  private tallied(tallies: ReadonlyMap<string, Tally>, question: Question): ReturnType<MetricSource> {
    const { stages, directory, nowUs } = this.context;
    const { stage, group, what } = question;
    if (stage !== undefined && !stages.has(stage)) return noData(`the stage "${stage}" did not run`);
    const selected = [...tallies.values()].filter(
      (one) =>
        (group === undefined || one.group === group) &&
        (what === undefined || one.what === what) &&
        stages.selects(one.stage, stage),
    );
    const count = selected.reduce((total, one) => total + one.count, 0);
    return counted(count, directory.size(group), stages.seconds(stage, nowUs()));
  }

  private time({ stage, group }: Question): ReturnType<MetricSource> {
    const { stages, nowUs } = this.context;
    if (stage !== undefined && !stages.has(stage)) return noData(`the stage "${stage}" did not run`);
    const selected = [...this.times.values()].filter(
      (one) => (group === undefined || one.group === group) && stages.selects(one.stage, stage),
    );
    return {
      kind: "histogram",
      histogram: Histogram.merged(selected.map(({ histogram }) => histogram)),
      seconds: stages.seconds(stage, nowUs()),
    };
  }
}
