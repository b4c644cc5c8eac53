import { z } from "zod";
import { anyJson, block, choice, flag, freeObject, integer, list, name, number, text } from "./block.js";
import { message, nameValue } from "./message.js";
import { selectionShape } from "./selection.js";

// Field names and ranges of AWS CreateJob, so that a real request can be pasted in (REF §6.1).

/** Longest job document in characters. */
export const MAX_JOB_DOCUMENT_CHARS = 32_768;

/** AWS: 1 to 64 of [a-zA-Z0-9_-]. A dot is accepted with a warning, because version numbers are so common. */
const jobId = (description: string) =>
  z
    .string({ error: (issue) => `Expected a job id, but found ${nameValue(issue.input)}.` })
    .regex(/^[a-zA-Z0-9_.-]{1,64}$/, {
      error: (issue) =>
        message(
          `${nameValue(issue.input)} is not a job id.`,
          "A job id has 1 to 64 letters, digits, dashes or underscores.",
        ),
    })
    .meta({ description });

const steps = (description: string) => number(description, 1.1, 5);

const rolloutConfig = block({
  maximumPerMinute: integer("Most things notified per minute; default 1000.", 1, 1000).optional(),
  exponentialRate: block({
    baseRatePerMinute: integer("Things notified per minute at the start.", 1, 1000),
    incrementFactor: steps("Factor by which the rate grows, with one decimal."),
    rateIncreaseCriteria: block({
      numberOfNotifiedThings: integer("Grow each time this many things are notified.", 1, 1e9).optional(),
      numberOfSucceededThings: integer("Grow each time this many things succeed.", 1, 1e9).optional(),
    }),
  }).optional(),
});

const abortCriterion = block({
  failureType: choice(["FAILED", "REJECTED", "TIMED_OUT", "ALL"], "Which failures count."),
  action: choice(["CANCEL"], "What happens: the job is cancelled."),
  thresholdPercentage: number("Share of failures, above 0 and up to 100, with two decimals.", 0, 100),
  minNumberOfExecutedThings: integer("Executions that must have ended first.", 1, 1e9),
});

const retryCriterion = block({
  failureType: choice(["FAILED", "TIMED_OUT", "ALL"], "Which failures are tried again."),
  numberOfRetries: integer("Retries per device.", 0, 10),
});

/** The fields that a job takes over from AWS, as written. */
const awsFields = {
  description: text("Description.", 2028).optional(),
  targetSelection: choice(["SNAPSHOT", "CONTINUOUS"], "Fixed at creation, or things may join.").optional(),
  document: freeObject("Job document."),
  jobExecutionsRolloutConfig: rolloutConfig.optional(),
  abortConfig: block({
    criteriaList: list(abortCriterion, "Checked in order.").min(1, "The list is empty."),
  }).optional(),
  timeoutConfig: block({
    inProgressTimeoutInMinutes: integer("1 minute to 7 days.", 1, 10_080).optional(),
  }).optional(),
  jobExecutionsRetryConfig: block({
    criteriaList: list(retryCriterion, "One or two criteria.")
      .min(1, "The list is empty.")
      .max(2, "AWS takes at most two retry criteria."),
  }).optional(),
  schedulingConfig: block({
    startTime: text("Start in UTC, such as 2026-11-21 16:00, at least 30 minutes ahead.", 64).optional(),
    endTime: text("End, at least 30 minutes after the start.", 64).optional(),
    endBehavior: choice(["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"], "What happens at the end.").optional(),
  }).optional(),
  presignedUrlConfig: block({
    roleArn: text("Role.", 2048).optional(),
    expiresInSec: integer("60 to 3600 seconds.", 60, 3600).optional(),
  }).optional(),
  tags: list(block({ Key: text("Key.", 128), Value: text("Value.", 256) }), "Tags.").optional(),
};

export const createJobBlock = block({
  jobId: jobId("Id of the job."),
  targets: block({
    ...selectionShape,
    thingGroup: name("Thing group, static or dynamic, instead of a selection.").optional(),
  }).meta({ description: "Which things the job is for." }),
  ...awsFields,
});

export const cancelJobBlock = block({
  jobId: jobId("Id of a job created earlier."),
  force: flag("Also cancels executions in progress.").optional(),
  reasonCode: text("Reason code.", 128).optional(),
  comment: text("Comment.", 2028).optional(),
});

/** Payloads and values of any JSON kind. */
export const payloadValue = anyJson("Payload: text, or any JSON value.");

export type CreateJobDocument = z.infer<typeof createJobBlock>;
