import { isJobId } from "fleetrig/protocol";
import { type CreateJobDocument, MAX_JOB_DOCUMENT_CHARS } from "../../schema/job.js";
import type { SourcePath } from "../source-tree.js";
import type { Checker } from "./checker.js";

const MAX_RETRIES = 10;

/** AWS: what CreateJob refuses beyond the range of a single field (REF §6.1). */
export function checkJob(checker: Checker, job: CreateJobDocument, path: SourcePath): void {
  if (!isJobId(job.jobId))
    checker.atValue([...path, "jobId"], {
      code: "SCENARIO_NOT_AWS",
      severity: "warning",
      message: `AWS IoT would not take the job id ${job.jobId}.`,
      hint: `AWS allows letters, digits, dashes and underscores: ${job.jobId.replaceAll(".", "-")}.`,
    });
  const size = JSON.stringify(job.document).length;
  if (size > MAX_JOB_DOCUMENT_CHARS)
    checker.atKey([...path, "document"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The job document has ${size} characters; AWS takes 32,768.`,
    });
  checkRollout(checker, job, [...path, "jobExecutionsRolloutConfig", "exponentialRate"]);
  checkAbort(checker, job, [...path, "abortConfig", "criteriaList"]);
  checkRetries(checker, job, [...path, "jobExecutionsRetryConfig", "criteriaList"]);
}

function checkRollout(checker: Checker, job: CreateJobDocument, path: SourcePath): void {
  const rate = job.jobExecutionsRolloutConfig?.exponentialRate;
  if (rate === undefined) return;
  if (!hasDecimals(rate.incrementFactor, 1))
    checker.atValue([...path, "incrementFactor"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `incrementFactor has at most one decimal, and ${rate.incrementFactor} has more.`,
    });
  if (Object.values(rate.rateIncreaseCriteria).filter((value) => value !== undefined).length !== 1)
    checker.atKey([...path, "rateIncreaseCriteria"], {
      code: "SCENARIO_CONTRADICTION",
      message: "rateIncreaseCriteria has exactly one of numberOfNotifiedThings and numberOfSucceededThings.",
      hint: "The rate grows with one counter.",
    });
  const cap = job.jobExecutionsRolloutConfig?.maximumPerMinute;
  if (cap !== undefined && rate.baseRatePerMinute > cap)
    checker.atValue([...path, "baseRatePerMinute"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The rollout starts at ${rate.baseRatePerMinute} per minute, above its maximum of ${cap}.`,
      hint: "Lower baseRatePerMinute, or raise maximumPerMinute.",
    });
}

function checkAbort(checker: Checker, job: CreateJobDocument, path: SourcePath): void {
  job.abortConfig?.criteriaList.forEach(({ thresholdPercentage }, index) => {
    if (thresholdPercentage > 0 && hasDecimals(thresholdPercentage, 2)) return;
    checker.atValue([...path, index, "thresholdPercentage"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `thresholdPercentage is above 0 and has at most two decimals; ${thresholdPercentage} is not such a number.`,
    });
  });
}

function checkRetries(checker: Checker, job: CreateJobDocument, path: SourcePath): void {
  const total = (job.jobExecutionsRetryConfig?.criteriaList ?? []).reduce(
    (sum, { numberOfRetries }) => sum + numberOfRetries,
    0,
  );
  if (total > MAX_RETRIES)
    checker.atValue(path, {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The criteria allow ${total} retries per device; AWS allows ${MAX_RETRIES} in all.`,
    });
}

const hasDecimals = (value: number, decimals: number): boolean => Number(value.toFixed(decimals)) === value;
