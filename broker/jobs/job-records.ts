import {
  type Clock,
  type ExecutionStatus,
  isJsonObject,
  type JobStatus,
  type JsonObject,
  type JsonValue,
} from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";
import { Job, JobExecution, JobMember, jobSpec } from "./job.js";
import type { CreateJobRequest } from "./job-request.js";
import { readDocument } from "./validate.js";

/**
 * Jobs as records: what was ordered ("jobs"), how far it has come ("job-progress"), and what each thing has to do
 * with it ("job-members"). Whatever is due is written as a moment of wall time, since the clock of the next process
 * begins anew; counts, lists and timers are derived when everything is back.
 */
export const JOB_TABLES = {
  jobs: "jobs",
  progress: "job-progress",
  members: "job-members",
  events: "job-event-count",
} as const;

/** Microseconds since 1970 of a moment on this clock, and back. */
export class WallTime {
  constructor(private readonly clock: Clock) {}

  of(atUs: number): number {
    return this.epochUs() + atUs;
  }

  toClock(wallUs: number): number {
    return wallUs - this.epochUs();
  }

  /** Wall time is in whole milliseconds, so the clock's fraction of one is left out. */
  private epochUs(): number {
    return (Math.floor(this.clock.wallMs()) - Math.floor(this.clock.nowUs() / 1000)) * 1000;
  }
}

/** What was ordered. Its documents may be large, and it hardly changes. */
export const jobCodec: RecordCodec<Job> = {
  write: ({ ordinal, createdAtMs, spec }) => ({
    ordinal,
    createdAtMs,
    // A request that was validated is JSON; TypeScript cannot see that of an interface.
    request: spec.request as unknown as JsonObject,
  }),
  read: (value) => {
    if (!isJsonObject(value) || !isJsonObject(value["request"])) return undefined;
    const request = value["request"] as unknown as CreateJobRequest;
    if (readDocument(request.document) === undefined) return undefined;
    return new Job(jobSpec(request), numberIn(value, "createdAtMs") ?? 0, numberIn(value, "ordinal") ?? 0);
  },
};

/** How far a job has come. Restored before its job may be there, so it waits as JSON. */
export class ProgressRow {
  job: Job | undefined;
  stored: JsonObject | undefined;

  constructor(from: { readonly job?: Job; readonly stored?: JsonObject }) {
    this.job = from.job;
    this.stored = from.stored;
  }
}

export const progressCodec = (time: WallTime): RecordCodec<ProgressRow> => ({
  write: ({ job, stored }) => (job === undefined ? (stored ?? {}) : writeProgress(job, time)),
  read: (value) => (isJsonObject(value) ? new ProgressRow({ stored: value }) : undefined),
});

function writeProgress(job: Job, time: WallTime): JsonObject {
  const { pace } = job;
  return present({
    status: job.status,
    reasonCode: job.reasonCode,
    comment: job.comment,
    forceCanceled: job.forceCanceled,
    lastUpdatedAtMs: job.lastUpdatedAtMs,
    completedAtMs: job.completedAtMs,
    isRolloutClosed: job.isRolloutClosed,
    notified: job.notified,
    pace: pace && { ...pace, asOfUs: time.of(pace.asOfUs) },
    rolloutArmed: job.rolloutArmed,
    scheduleArmed: job.scheduleArmed,
  });
}

/** Puts stored progress back into its job. */
export function readProgress(job: Job, stored: JsonObject, time: WallTime): void {
  job.status = (textIn(stored, "status") as JobStatus | undefined) ?? job.status;
  job.reasonCode = textIn(stored, "reasonCode");
  job.comment = textIn(stored, "comment");
  job.forceCanceled = stored["forceCanceled"] === true;
  job.lastUpdatedAtMs = numberIn(stored, "lastUpdatedAtMs") ?? job.createdAtMs;
  job.completedAtMs = numberIn(stored, "completedAtMs");
  job.isRolloutClosed = stored["isRolloutClosed"] === true;
  job.notified = numberIn(stored, "notified") ?? 0;
  job.rolloutArmed = numberIn(stored, "rolloutArmed") ?? 0;
  job.scheduleArmed = numberIn(stored, "scheduleArmed") ?? 0;
  const pace = stored["pace"];
  if (!isJsonObject(pace)) return;
  const [ratePerMinute, credit, asOfUs] = ["ratePerMinute", "credit", "asOfUs"].map((name) =>
    numberIn(pace, name),
  );
  if (ratePerMinute !== undefined && credit !== undefined && asOfUs !== undefined)
    job.pace = { ratePerMinute, credit, asOfUs: time.toClock(asOfUs) };
}

/** Under `<jobId>/<thing>`; neither has a slash. */
export const memberKey = (jobId: string, thing: string): string => `${jobId}/${thing}`;

export const memberCodec = (time: WallTime): RecordCodec<JobMember> => ({
  write: ({ ordinal, reasons, retriesUsed, current, earlier }) =>
    present({
      ordinal,
      reasons,
      retriesUsed,
      current: current && writeExecution(current, time),
      earlier: earlier.length === 0 ? undefined : earlier.map((execution) => writeExecution(execution, time)),
    }),
  read: (value, key) => {
    const slash = key.indexOf("/");
    if (slash === -1 || !isJsonObject(value)) return undefined;
    const member = new JobMember(key.slice(slash + 1), numberIn(value, "ordinal") ?? 0);
    member.reasons = numberIn(value, "reasons") ?? 1;
    member.retriesUsed = numbersIn(value, "retriesUsed");
    member.current = readExecution(value["current"], member, time);
    const earlier = value["earlier"];
    if (Array.isArray(earlier))
      member.earlier = earlier.flatMap((stored: JsonValue) => readExecution(stored, member, time) ?? []);
    return member;
  },
});

const writeExecution = (execution: JobExecution, time: WallTime): JsonObject => {
  const { inProgressDueUs, stepDueUs } = execution.timers;
  return present({
    number: execution.executionNumber,
    ordinal: execution.ordinal,
    status: execution.status,
    details: execution.statusDetails,
    queuedAtMs: execution.queuedAtMs,
    startedAtMs: execution.startedAtMs,
    lastUpdatedAtMs: execution.lastUpdatedAtMs,
    version: execution.versionNumber,
    forceCanceled: execution.forceCanceled || undefined,
    inProgressDueUs: inProgressDueUs === undefined ? undefined : time.of(inProgressDueUs),
    stepDueUs: stepDueUs === undefined ? undefined : time.of(stepDueUs),
    timeoutArmed: execution.timeout === undefined ? undefined : execution.timeoutArmed,
  });
};

function readExecution(
  stored: JsonValue | undefined,
  member: JobMember,
  time: WallTime,
): JobExecution | undefined {
  if (!isJsonObject(stored)) return undefined;
  const number = (name: string): number => numberIn(stored, name) ?? 0;
  const due = (name: string): number | undefined => {
    const wallUs = numberIn(stored, name);
    return wallUs === undefined ? undefined : time.toClock(wallUs);
  };
  const execution = new JobExecution(member, {
    executionNumber: number("number"),
    ordinal: number("ordinal"),
    queuedAtMs: number("queuedAtMs"),
  });
  execution.status = (textIn(stored, "status") as ExecutionStatus | undefined) ?? "QUEUED";
  const details = stored["details"];
  if (isJsonObject(details)) execution.statusDetails = details as Readonly<Record<string, string>>;
  execution.startedAtMs = numberIn(stored, "startedAtMs");
  execution.lastUpdatedAtMs = number("lastUpdatedAtMs");
  execution.versionNumber = number("version");
  execution.forceCanceled = stored["forceCanceled"] === true;
  execution.timers = { inProgressDueUs: due("inProgressDueUs"), stepDueUs: due("stepDueUs") };
  execution.timeoutArmed = number("timeoutArmed");
  return execution;
}

const textIn = (stored: JsonObject, name: string): string | undefined => {
  const value = stored[name];
  return typeof value === "string" ? value : undefined;
};

const numberIn = (stored: JsonObject, name: string): number | undefined => {
  const value = stored[name];
  return typeof value === "number" ? value : undefined;
};

const numbersIn = (stored: JsonObject, name: string): number[] => {
  const values = stored[name];
  return Array.isArray(values) ? values.map((value) => (typeof value === "number" ? value : 0)) : [];
};

/** The members that have a value. */
function present(values: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) result[name] = value;
  return result;
}
