import type { ExpectationRecord, RunRecord, SuiteRecord, Verdict } from "../record/run-record.js";
import { expectationsOf, runTitle, sweepTitle } from "../render/outcome.js";
import { type CompareOptions, compareValues, type MetricChange } from "./metric-change.js";

/**
 * What differs between two suites. A *pair* is the same scenario, variant and seed on both sides. In virtual time an
 * unchanged scenario gives unchanged figures, so any difference is a change of behaviour. In real time figures are
 * compared within a tolerance, and only when machine and scenario are the same: else the machine is what differs.
 */
export interface Comparison {
  readonly pairs: readonly PairComparison[];
  readonly sweeps: readonly SweepComparison[];
  /** Titles of runs and sweeps that only one side has. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Nothing that was comparable differs beyond its tolerance, and nothing got a worse verdict. */
  readonly isUnchanged: boolean;
}

/** The same scenario and seed before and after. */
export interface PairComparison {
  readonly title: string;
  readonly verdict: Change<Verdict>;
  readonly expectations: readonly ExpectationChange[];
  /** `exact` in virtual time, `tolerant` in real time, `none` when the figures say nothing about each other. */
  readonly mode: "exact" | "tolerant" | "none";
  /** Why the figures were not compared; null when they were. */
  readonly notComparable: string | null;
  readonly fingerprints: Change<string | null>;
  /** Empty when not comparable. */
  readonly metrics: readonly MetricChange[];
}

/** The same sweep before and after. */
export interface SweepComparison {
  readonly title: string;
  readonly verdict: Change<Verdict>;
  readonly expectations: readonly ExpectationChange[];
}

/** A value before and after; equal where nothing changed. */
export interface Change<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** `added` and `removed` are about the expectation itself, `verdict` about how it ended. */
export interface ExpectationChange {
  readonly kind: "added" | "removed" | "verdict";
  readonly expr: string;
  readonly before: ExpectationRecord | null;
  readonly after: ExpectationRecord | null;
}

/** Compares two records run by run: runs belong together by scenario, variant and seed, sweeps by scenario, variant and number of seeds. */
export function compareSuites(
  before: SuiteRecord,
  after: SuiteRecord,
  options: CompareOptions = {},
): Comparison {
  const runs = match(before.runs, after.runs, runKey);
  const sweeps = match(before.sweeps, after.sweeps, sweepTitle);
  const pairs = runs.pairs.map((pair) => comparePair(pair, options));
  const sweepPairs = sweeps.pairs.map(
    ([was, is]): SweepComparison => ({
      title: sweepTitle(is),
      verdict: { before: was.verdict, after: is.verdict },
      expectations: compareExpectations(was.expectations, is.expectations),
    }),
  );
  return {
    pairs,
    sweeps: sweepPairs,
    added: [...runs.added.map(runKey), ...sweeps.added.map(sweepTitle)],
    removed: [...runs.removed.map(runKey), ...sweeps.removed.map(sweepTitle)],
    isUnchanged:
      pairs.every(isUnchangedPair) &&
      sweepPairs.every(
        (sweep) => sweep.verdict.before === sweep.verdict.after && sweep.expectations.length === 0,
      ),
  };
}

/** Whether a pair is what it was, as far as it can be told. */
export const isUnchangedPair = ({
  verdict,
  expectations,
  metrics,
  mode,
  fingerprints,
}: PairComparison): boolean =>
  verdict.before === verdict.after &&
  expectations.length === 0 &&
  metrics.length === 0 &&
  (mode !== "exact" || fingerprints.before === fingerprints.after);

const runKey = runTitle;

interface Matched<Item> {
  readonly pairs: readonly (readonly [before: Item, after: Item])[];
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
}

/** Pairs by key, in the order of the later side. Of equal keys the first pairs with the first, and so on. */
function match<Item>(
  before: readonly Item[],
  after: readonly Item[],
  keyOf: (item: Item) => string,
): Matched<Item> {
  const waiting = new Map<string, Item[]>();
  for (const item of before) waiting.set(keyOf(item), [...(waiting.get(keyOf(item)) ?? []), item]);
  const pairs: (readonly [Item, Item])[] = [];
  const added: Item[] = [];
  for (const item of after) {
    const was = waiting.get(keyOf(item))?.shift();
    if (was === undefined) added.push(item);
    else pairs.push([was, item]);
  }
  return { pairs, added, removed: [...waiting.values()].flat() };
}

function comparePair(
  [before, after]: readonly [RunRecord, RunRecord],
  options: CompareOptions,
): PairComparison {
  const notComparable = whyNotComparable(before, after);
  const mode = notComparable !== null ? "none" : after.clock === "virtual" ? "exact" : "tolerant";
  return {
    title: runKey(after),
    verdict: { before: before.verdict, after: after.verdict },
    expectations: compareExpectations(expectationsOf(before), expectationsOf(after)),
    mode,
    notComparable,
    fingerprints: { before: before.fingerprint, after: after.fingerprint },
    metrics: mode === "none" ? [] : compareValues(before.metrics, after.metrics, { ...options, mode }),
  };
}

/** Virtual time does not depend on the machine; real time does. */
function whyNotComparable(before: RunRecord, after: RunRecord): string | null {
  if (before.scenario.sha256 !== after.scenario.sha256) return "The scenario was changed in between.";
  if (before.failure !== null || after.failure !== null) return "One of the runs broke off.";
  if (before.clock !== after.clock) return `The clocks differ: ${before.clock} before, ${after.clock} after.`;
  if (after.clock === "virtual") return null;
  const [was, is] = [machineOf(before), machineOf(after)];
  return was === is ? null : `The machines differ: ${was} before, ${is} after.`;
}

/** The class of a machine: figures of one class may be compared. The kernel's release is not part of it. */
const machineOf = ({ environment }: RunRecord): string =>
  `${environment.platform.split(" ")[0]}, ${environment.cpu}, ${environment.cores} cores, Node ${environment.node.split(".")[0]}`;

function compareExpectations(
  before: readonly ExpectationRecord[],
  after: readonly ExpectationRecord[],
): readonly ExpectationChange[] {
  const { pairs, added, removed } = match(before, after, ({ expr }) => expr);
  return [
    ...pairs
      .filter(([was, is]) => was.verdict !== is.verdict)
      .map(([was, is]): ExpectationChange => ({ kind: "verdict", expr: is.expr, before: was, after: is })),
    ...added.map((is): ExpectationChange => ({ kind: "added", expr: is.expr, before: null, after: is })),
    ...removed.map(
      (was): ExpectationChange => ({ kind: "removed", expr: was.expr, before: was, after: null }),
    ),
  ];
}
