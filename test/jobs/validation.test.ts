import { FleetrigError } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import type { CreateJobRequest } from "fleetrig/broker";
import { parseUtcTime } from "../../broker/jobs/schedule.js";
import { JobsBench } from "./bench.js";

/** The error of creating a job with these fields. */
function refusal(fields: Record<string, unknown>, bench = new JobsBench({ all: ["t1"] })): FleetrigError {
  try {
    bench.create(fields);
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(fields)}`);
}

const rate = (fields: object) => ({
  jobExecutionsRolloutConfig: {
    exponentialRate: {
      baseRatePerMinute: 10,
      incrementFactor: 2,
      rateIncreaseCriteria: { numberOfNotifiedThings: 10 },
      ...fields,
    },
  },
});
const RATE = "jobExecutionsRolloutConfig.exponentialRate";

const abort = (fields: object) => ({
  abortConfig: {
    criteriaList: [
      {
        failureType: "ALL",
        action: "CANCEL",
        thresholdPercentage: 10,
        minNumberOfExecutedThings: 1,
        ...fields,
      },
    ],
  },
});
const ABORT = "abortConfig.criteriaList[0]";

const retries = (...criteriaList: unknown[]) => ({ jobExecutionsRetryConfig: { criteriaList } });
const RETRIES = "jobExecutionsRetryConfig.criteriaList";

const schedule = (schedulingConfig: object) => ({ schedulingConfig });

const WINDOWS = "schedulingConfig.maintenanceWindows";
const windows = (fields: object) =>
  schedule({ maintenanceWindows: [{ startTime: "0 18 * * ? *", durationInMinutes: 60, ...fields }] });

describe("CreateJob input (REF §6.1)", () => {
  it.each<[string, Record<string, unknown>]>([
    ["jobId", { jobId: "" }],
    ["jobId", { jobId: "a".repeat(65) }],
    ["jobId", { jobId: "fw/2" }],
    ["jobId", { jobId: 7 }],
    ["targets", { targets: [] }],
    ["targets", { targets: Array.from({ length: 101 }, () => "t1") }],
    ["targets", { targets: [""] }],
    ["document", { document: "x" }],
    ["document", { document: "[1]" }],
    ["document", { document: undefined }],
    ["document", { document: { a: "x".repeat(32_768) } }],
    ["document", { document: `${'{"a":'.repeat(65)}1${"}".repeat(65)}` }],
    ["targetSelection", { targetSelection: "ONCE" }],
    ["description", { description: "x".repeat(2029) }],
    ["tags", { tags: "x" }],
    ["jobExecutionsRolloutConfig", { jobExecutionsRolloutConfig: 5 }],
    ["jobExecutionsRolloutConfig.maximumPerMinute", { jobExecutionsRolloutConfig: { maximumPerMinute: 0 } }],
    [
      "jobExecutionsRolloutConfig.maximumPerMinute",
      { jobExecutionsRolloutConfig: { maximumPerMinute: 1001 } },
    ],
    [
      "jobExecutionsRolloutConfig.maximumPerMinute",
      { jobExecutionsRolloutConfig: { maximumPerMinute: 1.5 } },
    ],
    [`${RATE}.baseRatePerMinute`, rate({ baseRatePerMinute: 0 })],
    [`${RATE}.baseRatePerMinute`, rate({ baseRatePerMinute: undefined })],
    [`${RATE}.incrementFactor`, rate({ incrementFactor: 1 })],
    [`${RATE}.incrementFactor`, rate({ incrementFactor: 5.1 })],
    [`${RATE}.incrementFactor`, rate({ incrementFactor: 1.25 })],
    [`${RATE}.rateIncreaseCriteria`, rate({ rateIncreaseCriteria: {} })],
    [
      `${RATE}.rateIncreaseCriteria`,
      rate({ rateIncreaseCriteria: { numberOfNotifiedThings: 1, numberOfSucceededThings: 1 } }),
    ],
    [
      `${RATE}.rateIncreaseCriteria.numberOfNotifiedThings`,
      rate({ rateIncreaseCriteria: { numberOfNotifiedThings: 0 } }),
    ],
    [`${RATE}.maximumPerMinute`, rate({ maximumPerMinute: 5 })],
    [`${ABORT}.failureType`, abort({ failureType: "CANCELED" })],
    [`${ABORT}.action`, abort({ action: "STOP" })],
    [`${ABORT}.thresholdPercentage`, abort({ thresholdPercentage: 0 })],
    [`${ABORT}.thresholdPercentage`, abort({ thresholdPercentage: 100.01 })],
    [`${ABORT}.thresholdPercentage`, abort({ thresholdPercentage: 1.001 })],
    [`${ABORT}.minNumberOfExecutedThings`, abort({ minNumberOfExecutedThings: 0 })],
    ["abortConfig.criteriaList", { abortConfig: {} }],
    ["abortConfig.criteriaList[0]", { abortConfig: { criteriaList: [5] } }],
    ["timeoutConfig.inProgressTimeoutInMinutes", { timeoutConfig: { inProgressTimeoutInMinutes: 0 } }],
    ["timeoutConfig.inProgressTimeoutInMinutes", { timeoutConfig: { inProgressTimeoutInMinutes: 10_081 } }],
    [RETRIES, retries()],
    [RETRIES, retries(1, 2, 3)],
    [
      RETRIES,
      retries(
        { failureType: "FAILED", numberOfRetries: 6 },
        { failureType: "TIMED_OUT", numberOfRetries: 5 },
      ),
    ],
    [`${RETRIES}[0].failureType`, retries({ failureType: "REJECTED", numberOfRetries: 1 })],
    [`${RETRIES}[0].numberOfRetries`, retries({ failureType: "ALL", numberOfRetries: -1 })],
    ["presignedUrlConfig.expiresInSec", { presignedUrlConfig: { expiresInSec: 59 } }],
    ["schedulingConfig.startTime", schedule({ startTime: "tomorrow" })],
    ["schedulingConfig.endBehavior", schedule({ endBehavior: "EXPLODE" })],
    [WINDOWS, schedule({ maintenanceWindows: [] })],
    [`${WINDOWS}[0].startTime`, windows({ startTime: "0 18 * * ?" })],
    [`${WINDOWS}[0].startTime`, windows({ startTime: "cron(0 18 L * ? *)" })],
    [`${WINDOWS}[0].durationInMinutes`, windows({ durationInMinutes: 1431 })],
    ["schedulingConfig", windows({})],
    ["abortconfig", { abortconfig: {} }],
    ["timeoutConfig.inProgressTimeout", { timeoutConfig: { inProgressTimeout: 5 } }],
  ])("refuses %s in %j", (field, fields) => {
    const error = refusal(fields);
    expect(error.code).toBe("CLOUD_INVALID_REQUEST");
    expect(error.context).toMatchObject({ awsError: "InvalidRequestException", httpStatus: 400, field });
  });

  it.each<[string, Record<string, unknown>]>([
    ["documentSource", { documentSource: "https://s3.local/x" }],
    ["jobTemplateArn", { jobTemplateArn: "arn" }],
  ])("says that it does not support %s", (field, fields) => {
    const error = refusal(fields);
    expect(error).toMatchObject({ code: "CLOUD_NOT_IMPLEMENTED", hint: expect.any(String) });
    expect(error.context).toMatchObject({ field, httpStatus: 501 });
  });

  it("accepts everything at its limits", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create({
      jobId: "a".repeat(64),
      document: '{"a":1}',
      description: "d",
      targetSelection: "CONTINUOUS",
      tags: [{ Key: "k", Value: "v" }],
      ...rate({ baseRatePerMinute: 1000, incrementFactor: 1.1 }),
      ...abort({ thresholdPercentage: 0.01 }),
      timeoutConfig: { inProgressTimeoutInMinutes: 10_080 },
      jobExecutionsRetryConfig: {
        criteriaList: [
          { failureType: "FAILED", numberOfRetries: 5 },
          { failureType: "TIMED_OUT", numberOfRetries: 5 },
        ],
      },
      presignedUrlConfig: { roleArn: "arn:aws:iam::1:role/x", expiresInSec: 3600 },
    } as Partial<CreateJobRequest>);
    expect(bench.jobs.getJobDocument({ jobId: "a".repeat(64) })).toEqual({ document: '{"a":1}' });
  });

  it("refuses a request that is no object", () => {
    const { jobs } = new JobsBench();
    expect(() => jobs.createJob([] as unknown as CreateJobRequest)).toThrow("The request must be an object.");
  });

  it("refuses a second job of that name, an unknown target and too many jobs at once", () => {
    const bench = new JobsBench({ all: ["t1", "t2"] }, { maxConcurrentJobs: 1 });
    expect(refusal({ targets: ["nobody"] }, bench).code).toBe("CLOUD_NOT_FOUND");
    expect(refusal({ targets: ["group:none"] }, bench).code).toBe("CLOUD_NOT_FOUND");
    bench.create({ jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
    expect(refusal({}, bench).code).toBe("CLOUD_ALREADY_EXISTS");
    expect(refusal({ jobId: "j2" }, bench).code).toBe("CLOUD_LIMIT_EXCEEDED");
    bench.time.advance(60e6);
    bench.create({ jobId: "j2" });
  });
});

describe("UpdateJob input", () => {
  it("only switches retries off, and knows no targets", () => {
    const bench = new JobsBench({ all: ["t1"] });
    bench.create();
    const off = retries({ failureType: "ALL", numberOfRetries: 0 }) as Partial<CreateJobRequest>;
    const on = retries({ failureType: "ALL", numberOfRetries: 1 }) as Partial<CreateJobRequest>;
    bench.jobs.updateJob({ jobId: "j1", ...off });
    expect(() => bench.jobs.updateJob({ jobId: "j1", ...on })).toThrow("can only set numberOfRetries to 0");
    const targets = { jobId: "j1", targets: ["t1"] };
    expect(() => bench.jobs.updateJob(targets)).toThrow("targets is not a field");
  });
});

describe("parseUtcTime", () => {
  it.each([
    ["1970-01-01 00:00", 0],
    ["2026-01-01T00:00", Date.UTC(2026, 0, 1)],
    ["2024-02-29T12:34:56Z", Date.UTC(2024, 1, 29, 12, 34, 56)],
    ["2100-03-01 00:00", Date.UTC(2100, 2, 1)],
    ["2000-12-31T23:59:59.5+00:00", Date.UTC(2000, 11, 31, 23, 59, 59)],
    ["2023-02-29 00:00", undefined],
    ["2100-02-29 00:00", undefined],
    ["2026-13-01 00:00", undefined],
    ["2026-00-01 00:00", undefined],
    ["2026-01-32 00:00", undefined],
    ["2026-01-01 24:00", undefined],
    ["2026-01-01 00:60", undefined],
    ["2026-01-01 00:00:60", undefined],
    ["1969-12-31 23:59", undefined],
    ["2026-01-01T00:00+01:00", undefined],
    ["2026-01-01", undefined],
  ])("reads %s", (text, expected) => {
    expect(parseUtcTime(text)).toBe(expected);
  });
});
