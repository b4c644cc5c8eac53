import { FleetrigError, EXIT } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { findMetric } from "./catalogue.js";
import type { Aggregation, MetricDefinition } from "./definition.js";
import {
  absent,
  aggregate,
  type Measure,
  type MetricSource,
  type MetricSources,
  type MetricValue,
  noData,
  type NoData,
} from "./measure.js";

/** Whoever planned the fleet tells who takes no part because hardware is missing. */
export interface AbsenceSource {
  /** Why nobody is there whom the question is about, as half a sentence; undefined when somebody is. */
  reason(question: Question): string | undefined;
  /** Who of those the question is about is not there, and why, as sentences; undefined when all are. */
  remark(question: Question): string | undefined;
}

interface Question {
  readonly metric: string;
  readonly labels: Labels;
}

const NOBODY_ABSENT: AbsenceSource = { reason: () => undefined, remark: () => undefined };

/** All metrics of one run, answered by whoever tracks them. */
export class MetricStore {
  private readonly sources = new Map<string, MetricSource>();
  private absence = NOBODY_ABSENT;
  private clockUncertaintyUs: (labels: Labels) => number | undefined = () => undefined;

  constructor(...sources: readonly MetricSources[]) {
    for (const part of sources) this.add(part);
  }

  add(sources: MetricSources): void {
    for (const [name, source] of Object.entries(sources)) this.sources.set(name, source);
  }

  /** Names of the metrics that somebody tracks, in no particular order. */
  get names(): readonly string[] {
    return [...this.sources.keys()];
  }

  /** @throws FleetrigError `METRIC_UNKNOWN` (exit 2) for a name that is not in the catalogue. */
  measure(name: string, labels: Labels): Measure {
    known(name);
    const absence = this.absence.reason({ metric: name, labels });
    if (absence !== undefined) return absent(absence);
    const source = this.sources.get(name);
    return source === undefined ? noData("nothing in this run measures it") : source(labels);
  }

  /** One value, or the reason why there is none. */
  query(name: string, labels: Labels, aggregation: Aggregation): MetricValue | NoData {
    const value = aggregate(known(name), this.measure(name, labels), aggregation);
    if (value.kind === "none" || value.unit !== "us") return value;
    const uncertaintyUs = this.uncertaintyUs(name, labels);
    return uncertaintyUs === undefined ? value : { ...value, uncertaintyUs };
  }

  setAbsence(source: AbsenceSource): void {
    this.absence = source;
  }

  /** Who of those a question is about takes no part, and why, as sentences; undefined when all do. */
  absenceRemark(question: Question): string | undefined {
    return this.absence.remark(question);
  }

  /** Whoever knows the clocks of boards tells how far off times between them and the host may be. */
  setClockUncertainty(source: (labels: Labels) => number | undefined): void {
    this.clockUncertaintyUs = source;
  }

  /** How far off the times of a metric may be; undefined for metrics and selections with one clock. */
  uncertaintyUs(name: string, labels: Labels): number | undefined {
    return known(name).crossesClocks ? this.clockUncertaintyUs(labels) : undefined;
  }
}

function known(name: string): MetricDefinition {
  const metric = findMetric(name);
  if (metric !== undefined) return metric;
  throw new FleetrigError("METRIC_UNKNOWN", `There is no metric "${name}".`, {
    hint: "Parse expectations with parseExpectation, which suggests the nearest name.",
    exitCode: EXIT.usage,
  });
}
