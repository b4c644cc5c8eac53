import type { Distribution } from "fleetrig/kernel";
import type { DistributionDocument } from "../schema/distribution.js";
import { durationUs } from "../schema/quantities.js";

/** A random duration in µs. */
export function normaliseDistribution(document: DistributionDocument): Distribution {
  if (typeof document === "string") return { dist: "constant", value: durationUs(document) };
  if (document.dist === "empirical") return { dist: "empirical", samples: document.samples.map(durationUs) };
  const { dist, ...parameters } = document;
  const values = Object.entries(parameters).map(([key, text]) => [key, durationUs(text)] as const);
  return { dist, ...Object.fromEntries(values) } as Distribution;
}
