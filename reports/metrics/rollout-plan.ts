import { isJsonObject, type JsonObject, type JsonValue, US_PER_MINUTE } from "fleetrig/kernel";

/**
 * How many things a rollout configuration alone would have notified: the curve drawn beside what happened.
 * AWS: an exponential rollout multiplies its rate each time the number of notified or succeeded things passes
 * another multiple of the criterion, up to maximumPerMinute. Successes are taken from the run.
 */
export interface RolloutPlan {
  readonly targets: number;
  readonly rollout: JsonObject;
  readonly stepUs: number;
  readonly steps: number;
  /** Things in SUCCEEDED at the end of each step. */
  readonly succeeded: readonly number[];
}

/** AWS: without a rollout configuration a job is offered to everyone at once. */
const UNLIMITED = Number.POSITIVE_INFINITY;

export function plannedCurve({ targets, rollout, stepUs, steps, succeeded }: RolloutPlan): number[] {
  const rate = readRollout(rollout);
  let notified = 0;
  return Array.from({ length: steps }, (_, step) => {
    const progress = rate.counts === "succeeded" ? (succeeded[step - 1] ?? 0) : notified;
    const increments = Math.floor(progress / rate.every);
    const perMinute = Math.min(rate.maximum, rate.base * rate.factor ** increments);
    notified = Math.min(targets, notified + (perMinute * stepUs) / US_PER_MINUTE);
    return Math.floor(notified + 1e-9);
  });
}

interface Rate {
  readonly base: number;
  readonly factor: number;
  readonly every: number;
  readonly counts: "notified" | "succeeded";
  readonly maximum: number;
}

function readRollout(rollout: JsonObject): Rate {
  const maximum = numberIn(rollout, "maximumPerMinute") ?? UNLIMITED;
  const exponential = rollout["exponentialRate"];
  if (!isJsonObject(exponential)) {
    return { base: maximum, factor: 1, every: UNLIMITED, counts: "notified", maximum };
  }
  const criteria = exponential["rateIncreaseCriteria"];
  const succeeded = numberIn(criteria, "numberOfSucceededThings");
  return {
    base: numberIn(exponential, "baseRatePerMinute") ?? maximum,
    factor: numberIn(exponential, "incrementFactor") ?? 1,
    every: succeeded ?? numberIn(criteria, "numberOfNotifiedThings") ?? UNLIMITED,
    counts: succeeded === undefined ? "notified" : "succeeded",
    maximum,
  };
}

function numberIn(value: JsonValue | undefined, key: string): number | undefined {
  const found = isJsonObject(value) ? value[key] : undefined;
  return typeof found === "number" && found > 0 ? found : undefined;
}
