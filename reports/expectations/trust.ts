import { formatDurationUs } from "fleetrig/kernel";
import type { MetricValue } from "../metrics/measure.js";
import type { Expectation } from "./expectation.js";

/**
 * Whether timing figures mean anything. A generator that was itself late measures its own lateness, so
 * expectations on times become inconclusive; in virtual time there is no lateness.
 */
export interface Trust {
  /** Why no timing figure of the run can be judged; empty when they can. */
  readonly doubts: readonly string[];
}

/** What a run knows of its own lateness. */
export interface TrustInputs {
  readonly clock: "virtual" | "real";
  /** p(99) of generator.schedule_lag; undefined when nothing was sent. */
  readonly scheduleLagP99Us?: number | undefined;
  /** Share of time the event loop was busy, 0 to 1. */
  readonly eventLoopUtilisation?: number | undefined;
}

const SCHEDULE_LAG_LIMIT_US = 50_000;
const UTILISATION_LIMIT = 0.9;

/** Weighs a run's lateness; a virtual run is never in doubt. */
export function assessTrust(inputs: TrustInputs): Trust {
  const doubts: string[] = [];
  const { scheduleLagP99Us = 0, eventLoopUtilisation = 0 } = inputs;
  if (inputs.clock === "real" && scheduleLagP99Us > SCHEDULE_LAG_LIMIT_US) {
    doubts.push(
      `The generator was late: generator.schedule_lag p(99) is ${formatDurationUs(scheduleLagP99Us)}, the limit is ${formatDurationUs(SCHEDULE_LAG_LIMIT_US)}.`,
    );
  }
  if (inputs.clock === "real" && eventLoopUtilisation > UTILISATION_LIMIT) {
    doubts.push(
      `The process was overloaded: its event loop was busy ${Math.round(eventLoopUtilisation * 100)} % of the time, the limit is ${UTILISATION_LIMIT * 100} %.`,
    );
  }
  return { doubts };
}

/** Nothing is in doubt. */
export const FULL_TRUST: Trust = { doubts: [] };

/** Why no expectation on times of the run can be judged, or undefined when they can. */
export const doubtAbout = ({ doubts }: Trust): string | undefined =>
  doubts.length === 0 ? undefined : doubts.join(" ");

/**
 * Why a time that is known to ±u only cannot be judged, or undefined when it can. The truth is somewhere in [value - u, value + u], so a limit in
 * there is met by some of it and missed by the rest; and a limit of u or less asks for more than the clocks can tell, whatever
 * the value is. Every other limit has the same verdict all over the interval.
 */
export function doubtAboutClocks(value: MetricValue, { limit }: Expectation): string | undefined {
  const { uncertaintyUs } = value;
  if (uncertaintyUs === undefined || typeof value.value !== "number") return undefined;
  if (limit.type !== "number" || limit.unit !== "us") return undefined;
  const known = `The clocks of the boards are known to ±${formatDurationUs(uncertaintyUs)} only`;
  if (limit.value <= uncertaintyUs) return `${known}, the limit is not above that.`;
  const distanceUs = Math.abs(value.value - limit.value);
  return distanceUs <= uncertaintyUs ? `${known}, and the limit is within that of the value.` : undefined;
}
