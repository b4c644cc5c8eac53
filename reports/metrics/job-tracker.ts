import { type ExecutionStatus, type RunEvent, US_PER_MINUTE } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { JobRecord } from "./job-record.js";
import {
  counted,
  fact,
  type Measure,
  type MetricSource,
  type MetricSources,
  noData,
  ratioOf,
  shareOf,
  single,
  word,
} from "./measure.js";

/** What the blast radius needs to know about things beyond the job's own events. */
interface ThingTruth {
  /** Firmware the thing runs now; undefined if it never said. */
  firmwareOf(thing: string): string | undefined;
  isOnline(thing: string): boolean;
  /** When the thing last published telemetry; -Infinity if never. */
  heardUs(thing: string): number;
  /** Whether the thing is meant to publish telemetry at all. */
  hasTelemetry(thing: string): boolean;
}

export interface JobTrackerOptions {
  readonly truth: ThingTruth;
  readonly nowUs: () => number;
  /** A thing counts as silent after this long without any message since its reboot. */
  readonly silentAfterUs: number;
}

export class JobTracker {
  private readonly jobById = new Map<string, JobRecord>();
  private readonly rebootedUs = new Map<string, number>();
  /** Messages that are not telemetry: job updates and reported state. */
  private readonly heardUs = new Map<string, number>();

  constructor(readonly options: JobTrackerOptions) {}

  on(event: RunEvent): void {
    switch (event.type) {
      case "job.created":
        this.jobById.set(event.jobId, new JobRecord(event));
        return;
      case "job.status": {
        const job = this.jobById.get(event.jobId);
        if (job !== undefined) job.status = event.status;
        return;
      }
      case "job.aborted":
        this.jobById.get(event.jobId)?.aborted(event);
        return;
      case "job.execution":
        if (SENT_BY_THING.has(event.status)) this.heardUs.set(event.thing, event.atUs);
        this.jobById.get(event.jobId)?.execution(event);
        return;
      case "job.notified":
        this.jobById.get(event.jobId)?.notify(event.thing, event.atUs);
        return;
      case "shadow.accepted":
        if (event.requested.reported !== undefined) this.heardUs.set(event.thing, event.atUs);
        return;
      case "device.rebooted":
        this.rebootedUs.set(event.thing, event.atUs);
        return;
      default:
    }
  }

  /** Jobs in the order of their creation. */
  get jobs(): readonly JobRecord[] {
    return [...this.jobById.values()];
  }

  get metrics(): MetricSources {
    const count = (of: (job: JobRecord) => number): MetricSource =>
      this.of((job) => counted(of(job), job.targets));
    const share = (of: (job: JobRecord, labels: Labels) => number): MetricSource =>
      this.of((job, labels) => shareOf(of(job, labels), job.targets, "the job has no targets"));
    const afterAbort = (
      of: (job: JobRecord, abortUs: number) => number | undefined,
      otherwise: string,
    ): MetricSource =>
      this.of((job) => {
        if (job.abort === undefined) return noData("the job was not aborted");
        const us = of(job, job.abort.atUs);
        return us === undefined ? noData(otherwise) : single(us);
      });
    return {
      "job.status": this.of((job) => word(job.status)),
      "job.terminal": (labels) => this.terminal(labels),
      "job.rate": this.of(ratePerMinute),
      "job.notified": count((job) => job.notified.size),
      "job.executed": count((job) => job.executed.size),
      "job.succeeded": count((job) => job.count("SUCCEEDED")),
      "job.failed": count((job) => job.failed),
      "job.executions": share((job, { status }) =>
        status === undefined ? job.notified.size : job.count(status as ExecutionStatus),
      ),
      "job.abort.triggered": this.of(triggered),
      "job.abort.time": afterAbort((job, abortUs) => abortUs - job.createdUs, ""),
      "job.abort.detection_time": afterAbort(
        (job, abortUs) => (job.firstFailureUs === undefined ? undefined : abortUs - job.firstFailureUs),
        "no execution failed",
      ),
      "job.abort.lag": afterAbort(
        (job, abortUs) => (job.criterionMetUs === undefined ? undefined : abortUs - job.criterionMetUs),
        "the executions never met an abort criterion",
      ),
      "job.blast_radius.notified": share((job) => job.notified.size),
      "job.blast_radius.failed": share((job) => job.failed),
      "job.blast_radius.version": this.of((job, labels) => this.runningVersion(job, labels.version)),
      "job.blast_radius.silent": share((job) => this.silentThings(job).length),
      "job.in_progress_at_abort": this.of((job) =>
        job.abort === undefined
          ? noData("the job was not aborted")
          : counted(job.abort.inProgress, job.targets),
      ),
      "job.cancelled_queued": count((job) => job.cancelledQueued),
      "job.cancelled_in_progress": count((job) => job.cancelledInProgress),
      "job.notified_after_abort": count((job) => job.notifiedAfterAbort),
      "job.false_abort_probability": this.of((job) => ratioOf(job.abort === undefined ? 0 : 1, 1, "")),
    };
  }

  /** The named job, or the only one. */
  private of(measure: (job: JobRecord, labels: Labels) => Measure): MetricSource {
    return (labels) => {
      const jobs = labels.job === undefined ? this.jobs : this.jobs.filter((job) => job.jobId === labels.job);
      if (jobs.length === 1) return measure(jobs[0]!, labels);
      if (jobs.length > 1) return noData("the run has several jobs: name one with {job=...}");
      return noData(labels.job === undefined ? "no job was created" : `no job "${labels.job}" was created`);
    };
  }

  /** A job that does not exist yet is not terminal: `until` may ask before it is created. */
  private terminal({ job }: Labels): Measure {
    const jobs = this.jobs.filter((one) => job === undefined || one.jobId === job);
    const isTerminal = jobs.length > 0 && jobs.every((one) => TERMINAL.has(one.status));
    return fact(isTerminal, Math.max(1, jobs.length));
  }

  private runningVersion(job: JobRecord, named: string | undefined): Measure {
    const version = named ?? job.document["version"];
    if (typeof version !== "string") return noData("the job's document names no version");
    const running = [...job.notified].filter((thing) => this.options.truth.firmwareOf(thing) === version);
    return shareOf(running.length, job.targets, "the job has no targets");
  }

  /**
   * Things of a job that rebooted and were not heard of for too long since. A connected thing without telemetry
   * is not silent: keep-alive is all it ever says.
   */
  silentThings(job: JobRecord): readonly string[] {
    const { truth, nowUs, silentAfterUs } = this.options;
    return [...job.notified].filter((thing) => {
      const rebootedUs = this.rebootedUs.get(thing);
      if (rebootedUs === undefined || rebootedUs < job.createdUs) return false;
      if (truth.isOnline(thing) && !truth.hasTelemetry(thing)) return false;
      const heardUs = Math.max(rebootedUs, truth.heardUs(thing), this.heardUs.get(thing) ?? 0);
      return nowUs() - heardUs >= silentAfterUs;
    });
  }
}

const SENT_BY_THING: ReadonlySet<ExecutionStatus> = new Set([
  "IN_PROGRESS",
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
]);
const TERMINAL: ReadonlySet<string> = new Set(["COMPLETED", "CANCELED", "DELETION_IN_PROGRESS"]);

function triggered(job: JobRecord, { criterion }: Labels): Measure {
  if (criterion === undefined) return fact(job.abort !== undefined);
  if (job.criteria[Number(criterion)] === undefined)
    return noData(`the job has no abort criterion ${criterion}`);
  return fact(job.abort?.criterion === Number(criterion));
}

/** Things notified in each minute from the creation to the last notification. */
function ratePerMinute(job: JobRecord): Measure {
  const minutes: number[] = [];
  for (const us of job.notifiedUs) {
    const minute = Math.floor((us - job.createdUs) / US_PER_MINUTE);
    minutes[minute] = (minutes[minute] ?? 0) + 1;
  }
  if (minutes.length === 0) return noData("nobody was notified");
  const rates = Array.from(minutes, (count) => count ?? 0);
  return {
    kind: "gauge",
    last: rates.at(-1)!,
    min: Math.min(...rates),
    max: Math.max(...rates),
    mean: job.notifiedUs.length / rates.length,
    samples: rates.length,
  };
}
