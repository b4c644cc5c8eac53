import type { ExecutionStatus } from "fleetrig/kernel";
import { rolloutRecords } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { lost, observedRun, opened, S } from "./observed-run.js";

const created = (jobId: string, targets: number, criteriaList: object[] = [CRITERION]) =>
  ({
    type: "job.created",
    jobId,
    targets,
    document: { operation: "ota", version: "2.4.0" },
    rollout: {
      maximumPerMinute: 1000,
      exponentialRate: {
        baseRatePerMinute: 10,
        incrementFactor: 2,
        rateIncreaseCriteria: { numberOfSucceededThings: 10 },
      },
    },
    abort: { criteriaList },
  }) as never;

const CRITERION = {
  failureType: "ALL",
  action: "CANCEL",
  thresholdPercentage: 50,
  minNumberOfExecutedThings: 2,
};

const execution = (thing: string, from: ExecutionStatus | undefined, status: ExecutionStatus, jobId = "fw") =>
  ({ type: "job.execution", jobId, thing, executionNumber: 1, from, status, statusDetails: {} }) as const;

/** Ten targets, five notified: one succeeds, two fail, the second failure aborts, one queued and one in progress. */
const rollout = () => {
  const run = observedRun({ fleet: { g: 10 }, silentAfterUs: 60 * S });
  const { emit } = run;
  emit(5 * S, created("fw", 10));
  emit(5 * S, { type: "job.status", jobId: "fw", status: "IN_PROGRESS" });
  for (const i of [0, 1, 2, 3, 4]) {
    emit((6 + i) * S, { type: "job.notified", jobId: "fw", thing: `g${i}` });
    emit((6 + i) * S, execution(`g${i}`, undefined, "QUEUED"));
  }
  for (const i of [0, 1, 2, 3]) emit(20 * S, execution(`g${i}`, "QUEUED", "IN_PROGRESS"));
  emit(30 * S, execution("g0", "IN_PROGRESS", "SUCCEEDED"));
  emit(40 * S, execution("g1", "IN_PROGRESS", "FAILED"));
  emit(40 * S, { type: "job.aborted", jobId: "fw", criterion: 0, failed: 1, executed: 2 });
  emit(40 * S, { type: "job.status", jobId: "fw", status: "CANCELED", reasonCode: "ABORT_CRITERIA_MET" });
  emit(40 * S, execution("g4", "QUEUED", "CANCELED"));
  emit(70 * S, execution("g2", "IN_PROGRESS", "TIMED_OUT"));
  return run;
};

describe("JobTracker", () => {
  it("measures an aborted rollout", () => {
    const { read } = rollout();
    expect(read("job.status{job=fw}")).toBe("CANCELED");
    expect(read("job.terminal{job=fw}")).toBe(true);
    expect(read("job.abort.triggered")).toBe(true);
    expect(read("job.abort.triggered{criterion=0}")).toBe(true);
    expect(read("job.abort.triggered{criterion=1}")).toMatch(/no abort criterion 1/);
    expect(read("job.abort.time")).toBe(35 * S);
    expect(read("job.abort.detection_time")).toBe(0);
    expect(read("job.abort.lag")).toBe(0);
    expect(read("job.blast_radius.notified")).toBe(0.5);
    expect(read("job.blast_radius.failed")).toBe(0.2);
    expect([read("job.executed"), read("job.succeeded"), read("job.failed"), read("job.notified")]).toEqual([
      3, 1, 2, 5,
    ]);
    expect(read("job.in_progress_at_abort")).toBe(2);
    expect([read("job.cancelled_queued"), read("job.cancelled_in_progress")]).toEqual([1, 0]);
    expect(read("job.notified_after_abort")).toBe(0);
    expect(read("job.executions{status=IN_PROGRESS} count")).toBe(1);
    expect(read("job.executions count")).toBe(5);
    expect(read("job.rate max")).toBe(5);
    expect(read("job.false_abort_probability")).toBe(1);
  });

  it("finds the lag of an abort that came after the criterion was met", () => {
    const run = observedRun({ fleet: { g: 4 } });
    run.emit(0, created("fw", 4));
    run.emit(10 * S, execution("g0", "IN_PROGRESS", "FAILED"));
    run.emit(20 * S, execution("g1", "IN_PROGRESS", "REJECTED"));
    run.emit(25 * S, { type: "job.aborted", jobId: "fw", criterion: 0, failed: 2, executed: 2 });
    run.emit(30 * S, execution("g2", "QUEUED", "IN_PROGRESS"));
    expect(run.read("job.abort.lag")).toBe(5 * S);
    expect(run.read("job.abort.detection_time")).toBe(15 * S);
    expect(run.read("job.notified_after_abort")).toBe(1);
  });

  it("counts only failures of the criterion's own type", () => {
    const run = observedRun({ fleet: { g: 4 } });
    run.emit(0, created("fw", 4, [{ ...CRITERION, failureType: "REJECTED" }]));
    for (const i of [0, 1]) run.emit(10 * S, execution(`g${i}`, "IN_PROGRESS", "FAILED"));
    run.emit(11 * S, { type: "job.aborted", jobId: "fw", criterion: 0, failed: 2, executed: 2 });
    expect(run.read("job.abort.lag")).toMatch(/never met/);
  });

  it("has no abort figures without an abort", () => {
    const run = observedRun({ fleet: { g: 4 } });
    run.emit(0, created("fw", 4, []));
    run.emit(1, { type: "job.status", jobId: "fw", status: "IN_PROGRESS" });
    for (const name of ["time", "detection_time", "lag"])
      expect(run.read(`job.abort.${name}`)).toMatch(/not aborted/);
    expect(run.read("job.in_progress_at_abort")).toMatch(/not aborted/);
    expect(run.read("job.abort.triggered")).toBe(false);
    expect(run.read("job.terminal")).toBe(false);
    expect(run.read("job.rate")).toMatch(/nobody was notified/);
  });

  it("needs a name where there are several jobs, and is not terminal before there is one", () => {
    const run = observedRun();
    expect(run.read("job.terminal{job=fw}")).toBe(false);
    expect(run.read("job.status")).toMatch(/no job was created/);
    run.emit(0, created("a", 1));
    run.emit(0, created("b", 1));
    expect(run.read("job.status")).toMatch(/several jobs/);
    expect(run.read("job.status{job=c}")).toMatch(/no job "c"/);
    expect(run.read("job.status{job=a}")).toBe("SCHEDULED");
  });

  it("does not call a retried and healed thing failed, but executed", () => {
    const run = observedRun();
    run.emit(0, created("fw", 4));
    run.emit(1, execution("g0", "IN_PROGRESS", "FAILED"));
    run.emit(2, execution("g0", undefined, "QUEUED"));
    run.emit(3, execution("g0", "IN_PROGRESS", "SUCCEEDED"));
    expect([run.read("job.failed"), run.read("job.executed"), run.read("job.succeeded")]).toEqual([0, 1, 1]);
  });

  it("counts things that run the version of the job, and the fleet by version", () => {
    const run = rollout();
    expect(run.read("job.blast_radius.version")).toBe(0);
    expect(run.read("fleet.firmware{version=2.3.1}")).toMatch(/no thing told/);
    for (let i = 0; i < 10; i += 1)
      run.emit(80 * S, { type: "device.firmware", thing: `g${i}`, version: "2.3.1" });
    run.emit(81 * S, { type: "device.firmware", thing: "g0", version: "2.4.0" });
    expect(run.read("job.blast_radius.version")).toBe(0.1);
    expect(run.read("job.blast_radius.version{version=2.3.1}")).toBe(0.4);
    expect(run.read("fleet.firmware{version=2.3.1}")).toBe(0.9);
    expect(run.read("fleet.firmware{version=2.3.1,group=g} count")).toBe(9);
  });

  it("finds things that went silent after their reboot", () => {
    const run = rollout();
    for (const thing of ["g0", "g1", "g2"]) run.emit(75 * S, lost(thing));
    for (const thing of ["g0", "g1", "g2", "g9"]) run.emit(75 * S, { type: "device.rebooted", thing });
    run.emit(80 * S, opened("g0"));
    run.setNow(134 * S);
    expect(run.read("job.blast_radius.silent count")).toBe(0);
    run.setNow(135 * S);
    expect(run.read("job.blast_radius.silent count")).toBe(2);
    run.emit(136 * S, execution("g1", "IN_PROGRESS", "FAILED"));
    expect(run.read("job.blast_radius.silent count")).toBe(1);
    run.emit(137 * S, {
      type: "shadow.accepted",
      thing: "g2",
      shadowName: undefined,
      version: 1,
      requested: { reported: {} },
      desired: {},
      reported: {},
      hasDelta: false,
      clientToken: undefined,
    });
    expect(run.read("job.blast_radius.silent")).toBe(0);
  });

  it("expects telemetry of a connected thing that has a stream", () => {
    const stream = { name: "s", group: "g", qos: 0, observed: true } as const;
    const run = observedRun({ streams: [stream], silentAfterUs: 60 * S });
    run.emit(0, created("fw", 4));
    for (const thing of ["g0", "g1"]) {
      run.emit(S, { type: "job.notified", jobId: "fw", thing });
      run.emit(10 * S, { type: "device.rebooted", thing });
      run.emit(12 * S, opened(thing));
    }
    run.observation.probe.sent(0, 1, 0, 50 * S, 50 * S);
    run.setNow(100 * S);
    expect(run.read("job.blast_radius.silent count")).toBe(1);
  });

  it("draws the plan beside what happened", () => {
    const { observation } = rollout();
    const [record] = rolloutRecords(observation, 185 * S);
    expect(record).toMatchObject({
      jobId: "fw",
      targets: 10,
      status: "CANCELED",
      createdMs: 5000,
      abort: { atMs: 40_000, criterion: 0, failed: 1, executed: 2 },
      totals: { notified: 5, executed: 3, SUCCEEDED: 1, TIMED_OUT: 1, CANCELED: 1 },
    });
    expect(record!.notified.points.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 5]);
    expect(record!.planned.points[59]).toBe(10);
    expect(record!.planned.points[29]).toBe(5);
    const inProgress = record!.states.find((series) => series.labels["status"] === "IN_PROGRESS");
    expect([14, 15, 25, 35, 65].map((step) => inProgress!.points[step])).toEqual([0, 4, 3, 2, 1]);
  });
});
