import { counted, type MetricSource, type MetricSources, noData, single } from "./measure.js";

/** What can be read from a cloud at any time; the harness hands it in. */
export interface CloudReader {
  /** How often each meter has turned, by the last word of its metric: `messages`, `shadow_operations`. */
  meters(): Readonly<Record<MeterMetric, number>>;
  /** US dollars at list prices so far. */
  costUsd(): number;
  /** Things that match each named query now. */
  matches(): ReadonlyMap<string, number>;
}

/** The meters of AWS IoT, as metrics call them. */
export const METER_METRICS = [
  "connection_minutes",
  "messages",
  "rules_triggered",
  "rule_actions",
  "shadow_operations",
  "registry_operations",
  "job_executions",
  "index_queries",
] as const;
/** One of `METER_METRICS`. */
export type MeterMetric = (typeof METER_METRICS)[number];

const NO_CLOUD = "the broker is not ours: nobody meters it";

/** Metrics that are read when somebody asks, because no event carries them. */
export class CloudReading {
  private reader: CloudReader | undefined;

  attach(reader: CloudReader): void {
    this.reader = reader;
  }

  get metrics(): MetricSources {
    const meters = METER_METRICS.map((meter): [string, MetricSource] => [
      `meter.${meter}`,
      () => {
        if (this.reader === undefined) return noData(NO_CLOUD);
        const value = this.reader.meters()[meter];
        return meter === "connection_minutes" ? single(value) : counted(value, 1);
      },
    ]);
    return {
      ...Object.fromEntries(meters),
      "cost.usd": () => (this.reader === undefined ? noData(NO_CLOUD) : single(this.reader.costUsd())),
      "index.matches": ({ query }) => {
        const matches = this.reader?.matches();
        if (matches === undefined || matches.size === 0) return noData("the run has no queries");
        if (query === undefined && matches.size > 1) return noData("name one of the queries");
        const found = query === undefined ? [...matches.values()][0] : matches.get(query);
        return found === undefined ? noData(`the run has no query "${query}"`) : single(found);
      },
    };
  }
}
