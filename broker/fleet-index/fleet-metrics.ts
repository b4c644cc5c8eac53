import { type Clock, isJsonObject, type JsonValue, type Timer, US_PER_S } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import type { FleetIndexing } from "./fleet-indexing.js";

/** AWS: what a fleet metric calculates, and which of the results it reports. */
interface AggregationType {
  readonly name: "Statistics" | "Percentiles" | "Cardinality";
  /** Names of statistics, or percents. */
  readonly values?: readonly string[];
}

/** AWS: what fleet metrics are created from. */
export interface FleetMetricDefinition {
  readonly queryString: string;
  readonly aggregationType: AggregationType;
  /** Seconds: 60 to 86,400, a multiple of 60. */
  readonly period: number;
  readonly aggregationField: string;
  readonly description?: string;
  readonly queryVersion?: string;
  readonly indexName?: string;
  readonly unit?: string;
}

/** AWS: CreateFleetMetric. */
export interface CreateFleetMetricRequest extends FleetMetricDefinition {
  readonly metricName: string;
}

/** AWS: UpdateFleetMetric; what is left out stays. */
export interface UpdateFleetMetricRequest extends Partial<FleetMetricDefinition> {
  readonly metricName: string;
  readonly expectedVersion?: number;
}

/** A fleet metric as it is kept; times are wall-clock milliseconds. */
export interface FleetMetric extends FleetMetricDefinition {
  readonly metricName: string;
  readonly version: number;
  readonly creationDateMs: number;
  readonly lastModifiedDateMs: number;
}

/** What a metric says at the end of a period: `average`, `p99` or `cardinality`, each with its value. */
export interface FleetMetricReading {
  readonly metricName: string;
  readonly unit: string | undefined;
  readonly atMs: number;
  readonly values: readonly (readonly [name: string, value: number])[];
}

export interface FleetMetricsOptions {
  readonly clock: Clock;
  readonly indexing: FleetIndexing;
  readonly records: RecordBook;
  /** Called once per period and metric, in place of CloudWatch. Default: nobody is told. */
  readonly report?: (reading: FleetMetricReading) => void;
}

const STATISTICS = [
  "count",
  "average",
  "sum",
  "minimum",
  "maximum",
  "sumOfSquares",
  "variance",
  "stdDeviation",
] as const;
const PERIOD_STEP_S = 60;
const PERCENT = /^p?(\d{1,3}(?:\.\d{1,6})?)$/;

/** Fleet metrics: aggregations that are calculated and reported again and again (REF §13.3). */
export class FleetMetrics {
  private readonly table: RecordTable<FleetMetric>;
  private readonly timers = new Map<string, Timer>();
  private readonly latest = new Map<string, FleetMetricReading>();

  constructor(private readonly options: FleetMetricsOptions) {
    this.table = options.records.table("fleet-metric", {
      write: (metric) => JSON.parse(JSON.stringify(metric)) as JsonValue,
      read: (value) => (isJsonObject(value) ? (value as unknown as FleetMetric) : undefined),
    });
    options.records.whenRestored(() => {
      for (const metric of this.table.values()) this.arm(metric);
    });
  }

  /** AWS: creating a metric again with the same definition changes nothing. */
  create(request: CreateFleetMetricRequest): FleetMetric {
    const { metricName, ...definition } = request;
    const existing = this.table.get(metricName);
    if (existing !== undefined) {
      if (isSameDefinition(existing, definition)) return existing;
      throw cloudError(
        "ResourceAlreadyExistsException",
        `Fleet metric ${metricName} exists and is different.`,
        {
          hint: "Use UpdateFleetMetric to change it.",
        },
      );
    }
    const { maxFleetMetrics } = this.options.indexing.limits;
    if (this.table.size >= maxFleetMetrics) {
      throw cloudError("LimitExceededException", `There are ${maxFleetMetrics} fleet metrics already.`, {
        hint: "Delete one, or raise maxFleetMetrics.",
      });
    }
    this.calculate(definition);
    const nowMs = this.options.clock.wallMs();
    return this.keep({
      ...definition,
      metricName,
      version: 1,
      creationDateMs: nowMs,
      lastModifiedDateMs: nowMs,
    });
  }

  update(request: UpdateFleetMetricRequest): FleetMetric {
    const { metricName, expectedVersion, ...change } = request;
    const before = this.describe(metricName);
    assertVersion(before, expectedVersion);
    const after = { ...before, ...change };
    this.calculate(after);
    return this.keep({
      ...after,
      version: before.version + 1,
      lastModifiedDateMs: this.options.clock.wallMs(),
    });
  }

  /** AWS: deleting what does not exist succeeds. */
  delete(metricName: string, expectedVersion?: number): void {
    const metric = this.table.get(metricName);
    if (metric === undefined) return;
    assertVersion(metric, expectedVersion);
    this.disarm(metricName);
    this.latest.delete(metricName);
    this.table.delete(metricName);
  }

  has(metricName: string): boolean {
    return this.table.has(metricName);
  }

  describe(metricName: string): FleetMetric {
    const metric = this.table.get(metricName);
    if (metric !== undefined) return metric;
    throw cloudError("ResourceNotFoundException", `Fleet metric ${metricName} does not exist.`, {
      hint: "ListFleetMetrics has the names; they are case-sensitive.",
    });
  }

  /** By name. */
  list(): readonly FleetMetric[] {
    return Array.from(this.table.values()).sort((a, b) => (a.metricName < b.metricName ? -1 : 1));
  }

  /** What each metric said last, by name. */
  readings(): readonly FleetMetricReading[] {
    return this.list().flatMap(({ metricName }) => this.latest.get(metricName) ?? []);
  }

  stop(): void {
    for (const metricName of Array.from(this.timers.keys())) this.disarm(metricName);
  }

  private keep(metric: FleetMetric): FleetMetric {
    this.table.set(metric.metricName, metric);
    this.arm(metric);
    return metric;
  }

  private arm({ metricName, period }: FleetMetric): void {
    this.disarm(metricName);
    const timer = this.options.clock.after(period * US_PER_S, () => {
      this.report(metricName);
      timer.again(period * US_PER_S);
    });
    this.timers.set(metricName, timer);
  }

  private disarm(metricName: string): void {
    this.timers.get(metricName)?.cancel();
    this.timers.delete(metricName);
  }

  /** A metric whose index is off or whose field is gone has nothing to say until that changes. */
  private report(metricName: string): void {
    const metric = this.table.get(metricName);
    if (metric === undefined) return;
    const { clock, report } = this.options;
    let values: FleetMetricReading["values"];
    try {
      values = this.calculate(metric);
    } catch {
      return;
    }
    const reading = { metricName, unit: metric.unit, atMs: clock.wallMs(), values };
    this.latest.set(metricName, reading);
    report?.(reading);
  }

  /** Also the test whether a definition can be calculated at all. */
  private calculate(definition: FleetMetricDefinition): FleetMetricReading["values"] {
    const { period, aggregationType } = definition;
    const { name, values = [] } = aggregationType;
    if (period % PERIOD_STEP_S !== 0) {
      throw cloudError(
        "InvalidRequestException",
        `A period of ${period} s is no multiple of ${PERIOD_STEP_S} s.`,
        {
          hint: "Periods are whole minutes, from one to a day.",
        },
      );
    }
    const aggregations = this.options.indexing.aggregations(definition);
    if (name === "Cardinality") return [["cardinality", aggregations.cardinality()]];
    if (name === "Percentiles") {
      const percents = values.map(percentOf);
      return aggregations
        .percentiles(percents.length === 0 ? undefined : percents)
        .map(({ percent, value }) => [`p${percent}`, value]);
    }
    const wanted = STATISTICS.filter((statistic) => values.length === 0 || values.includes(statistic));
    const unknown = values.find((value) => !STATISTICS.includes(value as (typeof STATISTICS)[number]));
    if (unknown !== undefined) throw invalidValue(unknown, `Statistics are ${STATISTICS.join(", ")}.`);
    const statistics = aggregations.statistics();
    return wanted.flatMap((statistic) => {
      const value = statistics[statistic];
      return value === undefined ? [] : [[statistic, value] as const];
    });
  }
}

function percentOf(value: string): number {
  const percent = Number(PERCENT.exec(value)?.[1] ?? Number.NaN);
  if (percent <= 100) return percent;
  throw invalidValue(value, "Percents are from 0 to 100.");
}

const invalidValue = (value: string, hint: string): Error =>
  cloudError("InvalidAggregationException", `${value} cannot be calculated.`, { hint });

function assertVersion({ metricName, version }: FleetMetric, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw cloudError(
    "VersionConflictException",
    `Fleet metric ${metricName} has version ${version}, not ${expected}.`,
    { hint: "Describe it again and repeat the change on the current version." },
  );
}

const COMPARED = [
  "queryString",
  "period",
  "aggregationField",
  "description",
  "queryVersion",
  "indexName",
  "unit",
] as const;

const isSameDefinition = (a: FleetMetricDefinition, b: FleetMetricDefinition): boolean =>
  COMPARED.every((key) => a[key] === b[key]) &&
  a.aggregationType.name === b.aggregationType.name &&
  (a.aggregationType.values ?? []).join() === (b.aggregationType.values ?? []).join();
