import type { CostRecord, RunRecord } from "../record/run-record.js";
import { formatQuantity, grouped } from "../metrics/format-quantity.js";
import { plainText } from "./plain-text.js";
import { findMetricRecord } from "./record-values.js";

/** What a run would have cost, and by which prices: nobody should read a cost without its date. */
export const costText = ({ totalUsd, region, asOf }: CostRecord): string =>
  plainText(`${formatQuantity(totalUsd, "usd")} at AWS's list prices of ${region}, looked up on ${asOf}.`);

/** One line for a terminal; undefined for runs in which nothing is enforced. */
export function accessText({ metrics, cost }: RunRecord): string | undefined {
  const denied = findMetricRecord(metrics, "access.denied")?.value;
  if (typeof denied !== "number") return undefined;
  const time = findMetricRecord(metrics, "provisioning.time")?.summary;
  const provisioned = time === undefined || time === null ? "" : `, ${grouped(time.count)} provisioned`;
  return `access: ${grouped(denied)} denied${provisioned}${cost === undefined ? "" : `; cost: ${costText(cost)}`}`;
}
