import { CountCurve, LatencyCurve, TimeBins } from "./time-bins.js";

/** Traffic over time, for the charts: rates by the instant they happened, latency by the instant it was scheduled. */
export class DeliveryCurves {
  readonly bins = new TimeBins();
  readonly published = new CountCurve(this.bins);
  readonly acked = new CountCurve(this.bins);
  readonly received = new CountCurve(this.bins);
  readonly e2e = new LatencyCurve(this.bins);
}
