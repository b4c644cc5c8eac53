import { type BackoffGrade, gradeBackoff } from "fleetrig/reports";
import type { CaseEvidence } from "../evidence.js";
import { connectsOf, toMs } from "../evidence-reader.js";
import { failed, type GapRun, type Judgement, type Measurement, passed } from "../judgement.js";

/** Delays before attempts in a row. */
type Delays = Pick<GapRun, "gapsMs" | "setupMs">;

/**
 * Delays before attempts to connect. An attempt is its CONNECT, whose time is what AWS goes by; a device has waited since its last
 * attempt ended, since the time that it allows for a CONNACK says nothing about its backoff.
 */
export function delaysOf(evidence: CaseEvidence, first: number, attempts: number): Delays {
  const connects = connectsOf(evidence).slice(first, first + attempts);
  const gapsMs = connects.slice(1).map((next, index) => {
    const before = connects[index]!;
    const closedUs = evidence.connections[before.connection]?.closedUs ?? Number.POSITIVE_INFINITY;
    return toMs(next.atUs - (closedUs <= next.atUs ? closedUs : before.atUs));
  });
  const setupsUs = connects.map(
    ({ atUs, connection }) => atUs - (evidence.connections[connection]?.openedUs ?? atUs),
  );
  return { gapsMs, setupMs: toMs(Math.max(0, ...setupsUs)) };
}

// A device that comes back in the same instant has waited, too: for nothing.
const gradeOf = (gapsMs: readonly number[]): BackoffGrade | undefined =>
  gradeBackoff(gapsMs.map((gap) => Math.max(gap, 0.001)));

export const gapRun = (name: string, delays: Delays): GapRun => ({
  name,
  ...delays,
  grade: gradeOf(delays.gapsMs),
});

/** Gaps of a round that goes on where the one before it ended are at least so long. */
const GOES_ON = 0.95;

/**
 * Rounds of attempts with a success between them. A device whose backoff goes on over a success may have reached its cap in the
 * first round: its later gaps, all alike, belong to the growth before them.
 */
export function gapRounds(rounds: readonly Delays[]): GapRun[] {
  return rounds.map((delays, index) => {
    const { gapsMs } = delays;
    const before = rounds[index - 1]?.gapsMs ?? [];
    const goesOn = gapsMs.every((gap) => gap >= GOES_ON * Math.max(...before));
    const graded = before.length > 0 && goesOn ? [...before, ...gapsMs] : gapsMs;
    return { name: `round ${index + 1}`, ...delays, grade: gradeOf(graded) };
  });
}

const WORST_FIRST: readonly BackoffGrade[] = ["constant", "linear", "exponential", "jittered"];

export const worstGrade = (runs: readonly GapRun[]): BackoffGrade | undefined =>
  WORST_FIRST.find((grade) => runs.some((run) => run.grade === grade));

export function gapMeasurements(runs: readonly GapRun[]): Measurement[] {
  const gaps = runs.flatMap(({ gapsMs }) => gapsMs);
  const grade = worstGrade(runs);
  return [
    { name: "attempts", value: gaps.length + runs.length },
    ...(gaps.length === 0
      ? []
      : [
          { name: "shortest delay", value: Math.min(...gaps), unit: "ms" },
          { name: "longest delay", value: Math.max(...gaps), unit: "ms" },
          { name: "delays run", value: "from the end of an attempt to the next CONNECT" },
          {
            name: "TCP and TLS in it at most",
            value: Math.max(0, ...runs.map(({ setupMs = 0 }) => setupMs)),
            unit: "ms",
          },
        ]),
    ...(grade === undefined ? [] : [{ name: "backoff", value: grade }]),
  ];
}

const WHY: Readonly<Record<"constant" | "linear", string>> = {
  constant: "The delays between attempts are all alike: devices that fail together return together.",
  linear: "The delays between attempts grow by the same amount each time.",
};

/** AWS: jitter passes, a strictly exponential backoff passes with a warning, linear and constant ones fail. */
export function judgeJitter(runs: readonly GapRun[]): Judgement {
  const details = { gaps: runs, measurements: gapMeasurements(runs) };
  const grade = worstGrade(runs);
  if (grade === "constant" || grade === "linear") return failed(WHY[grade], details);
  const warnings =
    grade === "exponential"
      ? ["The delays grow exponentially without jitter: devices that fail together return together."]
      : [];
  return passed({ ...details, warnings });
}

/** Too few attempts in the time that there was. */
export const tooFew = (runs: readonly GapRun[], wanted: number): Judgement => {
  const attempts = runs.reduce((sum, { gapsMs }) => sum + gapsMs.length + 1, 0);
  return failed(`The device tried to connect ${attempts} times in the time given; ${wanted} are needed.`, {
    gaps: runs,
    measurements: gapMeasurements(runs),
  });
};
