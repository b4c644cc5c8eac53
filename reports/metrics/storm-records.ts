import { US_PER_S } from "fleetrig/kernel";
import { nearestRank } from "../ledger/histogram.js";
import type { StormRecord } from "../record/run-record.js";
import type { Observation } from "./observation.js";
import { type Outage, peakInWindow } from "./outage.js";
import { countPerStep } from "./series-records.js";
import { attemptsAfterRestore } from "./storm-tracker.js";

/** One row per disconnect action and group that lost anything. `policyOf` names a group's reconnect policy. */
export function stormRecords(
  observation: Observation,
  policyOf: (group: string) => string,
  nowUs: number,
): StormRecord[] {
  const { storms, directory } = observation;
  return storms.outages.flatMap((outage) => {
    const groups = new Set(outage.losses.map((loss) => directory.groupOf(loss.thing) ?? ""));
    return [...groups]
      .sort()
      .map((group) => stormRecord(observation, { outage, group, policy: policyOf(group), nowUs }));
  });
}

interface Storm {
  readonly outage: Outage;
  readonly group: string;
  readonly policy: string;
  readonly nowUs: number;
}

function stormRecord({ storms }: Observation, { outage, group, policy, nowUs }: Storm): StormRecord {
  const labels = { action: outage.action, group };
  const selected = storms.select(labels);
  const losses = selected.map(({ loss }) => loss);
  const attempts = losses.flatMap((loss) => loss.attemptsUs);
  const after = attemptsAfterRestore(selected);
  const backs = losses.flatMap((loss) =>
    loss.backUs === undefined ? [] : [loss.backUs - outage.restoreUs(loss)],
  );
  backs.sort((a, b) => a - b);
  const downUs = losses.reduce((first, loss) => Math.min(first, loss.downUs), Number.POSITIVE_INFINITY);
  const endUs = losses.reduce((last, loss) => Math.max(last, loss.backUs ?? nowUs), downUs + US_PER_S);
  const things = new Set(losses.map((loss) => loss.thing)).size;
  const { stepUs, counts } = countPerStep(attempts, downUs, endUs);
  const backMs = (percent: number): number | null => {
    const rank = nearestRank(percent, losses.length);
    return rank > backs.length ? null : Math.max(0, backs[rank - 1]!) / 1000;
  };
  return {
    ...labels,
    policy,
    lost: things,
    downMs: downUs / 1000,
    restoredMs: (outage.restoredUs ?? downUs) / 1000,
    attempts: {
      name: "reconnect.attempts",
      labels,
      unit: "/s",
      startMs: downUs / 1000,
      stepMs: stepUs / 1000,
      points: counts.map((count) => count / (stepUs / US_PER_S)),
    },
    peakPerSecond: after.length === 0 ? null : peakInWindow(after, US_PER_S),
    amplification: things === 0 ? null : attempts.length / things,
    grade: storms.grade(labels) ?? null,
    backMs: { p50: backMs(50), p95: backMs(95), all: backMs(100) },
  };
}
