import { formatDurationUs } from "fleetrig/kernel";
import type { ExpectationRecord } from "fleetrig/reports";
import type { ExpectationSpec } from "../scenario.js";
import type { RunOutcome } from "./assemble-record.js";

/**
 * What an expectation says when the run ended before its last stage. The one that ended it failed at that moment,
 * whatever settles later. The others keep a pass, but a miss may only be for want of the rest of the run; and a run
 * that broke, perhaps before it began, has shown nothing at all.
 */
export function afterEarlyEnd(
  spec: ExpectationSpec,
  record: ExpectationRecord,
  outcome: RunOutcome,
): ExpectationRecord {
  const { abortion } = outcome;
  const when = formatDurationUs(outcome.durationUs);
  if (spec === abortion?.spec) {
    const reason = `${abortion.record.reason ?? ""} It ended the run after ${when}.`.trim();
    return { ...abortion.record, reason };
  }
  const cause = causeOf(outcome);
  const isShown = record.verdict === "pass" && outcome.failure === undefined;
  if (cause === undefined || isShown || record.verdict === "inconclusive" || record.verdict === "skipped")
    return record;
  return { ...record, verdict: "inconclusive", reason: `The run ended after ${when}, ${cause}.` };
}

function causeOf({ abortion, failure, isInterrupted }: RunOutcome): string | undefined {
  if (failure !== undefined) return `with ${failure.code}`;
  if (isInterrupted) return "because it was interrupted";
  return abortion === undefined ? undefined : `because ${abortion.spec.name} failed`;
}
