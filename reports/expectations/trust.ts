import { formatDurationUs } from "fleetrig/kernel";
import type { Expectation } from "./expectation.js";

/**
 * Whether timing figures mean anything. A generator that was itself late measures its own lateness, so
 * expectations on times become inconclusive; in virtual time there is no lateness.
 */
export interface Trust {
  /** Why no timing figure of the run can be judged; empty when they can. */
  readonly doubts: readonly string[];
  /** Per group of boards: how uncertain one-way times are. */
  readonly clockUncertaintyUs: ReadonlyMap<string, number>;
}

/** What a run knows of its own lateness. */
export interface TrustInputs {
  readonly clock: "virtual" | "real";
  /** p(99) of generator.schedule_lag; undefined when nothing was sent. */
  readonly scheduleLagP99Us?: number | undefined;
  /** Share of time the event loop was busy, 0 to 1. */
  readonly eventLoopUtilisation?: number | undefined;
  readonly clockUncertaintyUs?: ReadonlyMap<string, number>;
}

const SCHEDULE_LAG_LIMIT_US = 50_000;
const UTILISATION_LIMIT = 0.9;
/** One-way times are not judged when their uncertainty exceeds this share of the limit. */
const UNCERTAINTY_SHARE = 0.1;

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
  return { doubts, clockUncertaintyUs: inputs.clockUncertaintyUs ?? new Map() };
}

/** Nothing is in doubt. */
export const FULL_TRUST: Trust = { doubts: [], clockUncertaintyUs: new Map() };

/** Why this expectation cannot be judged, or undefined when it can. */
export function doubtAbout(trust: Trust, { labels, limit }: Expectation): string | undefined {
  if (trust.doubts.length > 0) return trust.doubts.join(" ");
  const uncertaintyUs = labels.group === undefined ? undefined : trust.clockUncertaintyUs.get(labels.group);
  if (uncertaintyUs === undefined || limit.type !== "number" || limit.unit !== "us") return undefined;
  if (uncertaintyUs <= limit.value * UNCERTAINTY_SHARE) return undefined;
  return `The clocks of "${labels.group}" are known to ±${formatDurationUs(uncertaintyUs)} only, more than a tenth of the limit.`;
}
