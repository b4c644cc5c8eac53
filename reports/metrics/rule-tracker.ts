import { parseTraceTag, type RunEvent } from "fleetrig/kernel";
import { Histogram } from "../ledger/histogram.js";
import type { StageTimeline } from "../ledger/stage-timeline.js";
import { counted, type Measure, type MetricSource, type MetricSources, noData, ratioOf } from "./measure.js";
import { SequenceSet } from "./sequence-set.js";

/**
 * Rules against an oracle. The oracle, which does not share the rule engine's SQL evaluator, calls `should` for
 * every published message that must fire a rule; the engine's `rule.fired` events say which ones did. Messages
 * are matched by trace tag and kept as one bit each. A firing without a tag was somebody else's message, which the
 * oracle has not seen: it counts in `rules.fired` alone.
 */
export interface RuleTrackerOptions {
  /** Names of all rules of the run. */
  readonly rules: readonly string[];
  readonly stages: StageTimeline;
  readonly nowUs: () => number;
}

class RuleRecord {
  readonly should = new Map<string, SequenceSet>();
  readonly fired = new Map<string, SequenceSet>();
  shouldCount = 0;
  /** Distinct tagged messages that fired it. */
  firedCount = 0;
  rightCount = 0;
  errors = 0;
  /** Outputs whose trigger was too long ago to be timed. */
  untimed = 0;
  /** By stage. */
  readonly firings: number[] = [];
  readonly latency: Histogram[] = [];
}

export class RuleTracker {
  private readonly rules = new Map<string, RuleRecord>();

  constructor(readonly options: RuleTrackerOptions) {
    for (const rule of options.rules) this.rules.set(rule, new RuleRecord());
  }

  on(event: RunEvent): void {
    if (event.type === "rule.error") this.rule(event.rule).errors += 1;
    if (event.type !== "rule.fired") return;
    const rule = this.rule(event.rule);
    const stage = this.options.stages.indexAt(event.atUs);
    rule.firings[stage] = (rule.firings[stage] ?? 0) + 1;
    const tag = event.trace === undefined ? undefined : parseTraceTag(event.trace);
    if (tag === undefined) return;
    const slot = `${tag.stream}/${tag.thing}`;
    if (!setOf(rule.fired, slot).add(tag.sequence)) return;
    rule.firedCount += 1;
    if (rule.should.get(slot)?.has(tag.sequence) === true) rule.rightCount += 1;
  }

  /** The oracle's word: this message must fire the rule. Before or after it does. */
  should(rule: string, stream: number, thing: number, sequence: number): void {
    const record = this.rule(rule);
    const slot = `${stream}/${thing}`;
    if (!setOf(record.should, slot).add(sequence)) return;
    record.shouldCount += 1;
    if (record.fired.get(slot)?.has(sequence) === true) record.rightCount += 1;
  }

  /** A rule's output reached the observer; see `Ledger.onRuleOutput`. */
  output(rule: string, stage: number, latencyUs: number | undefined): void {
    // Any client may claim to be a rule's output.
    const record = this.rules.get(rule);
    if (record === undefined) return;
    if (latencyUs === undefined) record.untimed += 1;
    else (record.latency[stage] ??= new Histogram()).record(latencyUs);
  }

  private rule(name: string): RuleRecord {
    const record = this.rules.get(name) ?? new RuleRecord();
    this.rules.set(name, record);
    return record;
  }

  get metrics(): MetricSources {
    const { stages, nowUs } = this.options;
    return {
      "rules.fired": this.over((rules, { stage }) => {
        const fired = rules.flatMap((rule) =>
          rule.firings.filter((_, index) => stages.selects(index, stage)),
        );
        return counted(sum(fired), rules.length, stages.seconds(stage, nowUs()));
      }),
      "rules.untimed": this.over((rules) => counted(sum(rules.map((rule) => rule.untimed)), rules.length)),
      "rules.errors": this.over((rules) => counted(sum(rules.map((rule) => rule.errors)), rules.length)),
      "rules.recall": this.over((rules) =>
        ratioOf(
          sum(rules.map((rule) => rule.rightCount)),
          sum(rules.map((rule) => rule.shouldCount)),
          "no message had to fire the rule",
        ),
      ),
      "rules.precision": this.over((rules) =>
        ratioOf(
          sum(rules.map((rule) => rule.rightCount)),
          sum(rules.map((rule) => rule.firedCount)),
          "the rule never fired",
        ),
      ),
      "rules.latency": this.over((rules, { stage }) => ({
        kind: "histogram",
        histogram: Histogram.merged(
          rules.flatMap((rule) =>
            rule.latency.filter((part, index) => part !== undefined && stages.selects(index, stage)),
          ),
        ),
        seconds: stages.seconds(stage, nowUs()),
      })),
    };
  }

  private over(
    measure: (rules: readonly RuleRecord[], labels: Parameters<MetricSource>[0]) => Measure,
  ): MetricSource {
    return (labels) => {
      const { rule, stage } = labels;
      const rules =
        rule === undefined
          ? [...this.rules.values()]
          : [this.rules.get(rule)].filter((one) => one !== undefined);
      if (rules.length === 0)
        return noData(rule === undefined ? "the run has no rules" : `the run has no rule "${rule}"`);
      if (stage !== undefined && !this.options.stages.has(stage))
        return noData(`the stage "${stage}" did not run`);
      return measure(rules, labels);
    };
  }
}

function setOf(sets: Map<string, SequenceSet>, slot: string): SequenceSet {
  const set = sets.get(slot) ?? new SequenceSet();
  sets.set(slot, set);
  return set;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + (value ?? 0), 0);
