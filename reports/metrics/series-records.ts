import { US_PER_MS, US_PER_S } from "fleetrig/kernel";
import type { SeriesRecord } from "../record/run-record.js";
import { MAX_BINS } from "../ledger/time-bins.js";
import type { Observation } from "./observation.js";

/** Traffic, latency and connections over time, at most 600 points each. */
export function seriesRecords({ ledger, connections }: Observation): SeriesRecord[] {
  const { curves } = ledger;
  const traffic = grid(curves.bins.widthUs);
  const presence = grid(connections.bins.widthUs);
  const latency = (percent: number): SeriesRecord =>
    traffic(
      "latency.e2e",
      "ms",
      curves.e2e.percentiles(percent).map((us) => (us === null ? null : us / US_PER_MS)),
      { p: String(percent) },
    );
  return [
    traffic("delivery.sent", "/s", curves.published.perSecond()),
    traffic("delivery.acked", "/s", curves.acked.perSecond()),
    traffic("delivery.received", "/s", curves.received.perSecond()),
    latency(50),
    latency(95),
    latency(99),
    presence("connections.online", "things", connections.onlineCurve.values()),
    presence("connect.attempts", "/s", connections.attemptCurve.perSecond()),
  ];
}

const grid =
  (widthUs: number) =>
  (
    name: string,
    unit: string,
    points: readonly (number | null)[],
    labels: Record<string, string> = {},
  ): SeriesRecord => ({ name, labels, unit, startMs: 0, stepMs: widthUs / US_PER_MS, points: [...points] });

/** A step that cuts a span into at most 600 points, in whole seconds. */
const stepUsOf = (spanUs: number): number => Math.max(1, Math.ceil(spanUs / MAX_BINS / US_PER_S)) * US_PER_S;

/** Counts of sorted or unsorted instants per step from `startUs` on. */
export function countPerStep(
  instantsUs: readonly number[],
  startUs: number,
  endUs: number,
): { stepUs: number; counts: number[] } {
  const stepUs = stepUsOf(endUs - startUs);
  const counts = Array.from({ length: Math.max(1, Math.ceil((endUs - startUs) / stepUs)) }, () => 0);
  for (const us of instantsUs) {
    const step = Math.min(counts.length - 1, Math.floor((us - startUs) / stepUs));
    if (step >= 0) counts[step] = counts[step]! + 1;
  }
  return { stepUs, counts };
}

/** Running totals of what `countPerStep` counted. */
export const accumulate = (counts: readonly number[]): number[] => {
  let total = 0;
  return counts.map((count) => (total += count));
};
