import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { type Job, type JobExecution, JobMember } from "./job.js";
import {
  JOB_TABLES,
  jobCodec,
  memberCodec,
  memberKey,
  progressCodec,
  ProgressRow,
  readProgress,
  type WallTime,
} from "./job-records.js";
import { targetName } from "./targets.js";

/**
 * All jobs, and the three ways to find what belongs to them: by job, by thing, by target that may change. Who changes
 * a job or a member in place says so, and it is written down.
 */
export class JobStore {
  private readonly jobs: RecordTable<Job>;
  private readonly progress: RecordTable<ProgressRow>;
  private readonly members: RecordTable<JobMember>;
  private readonly eventCount: RecordTable<number>;
  private nextJob = 0;
  private nextMember = 0;
  private readonly membersByThing = new Map<string, Map<string, JobMember>>();
  private readonly continuousByTarget = new Map<string, Set<Job>>();

  constructor(
    records: RecordBook,
    private readonly time: WallTime,
  ) {
    this.jobs = records.table(JOB_TABLES.jobs, jobCodec);
    this.progress = records.table(JOB_TABLES.progress, progressCodec(time));
    this.members = records.table(JOB_TABLES.members, memberCodec(time));
    this.eventCount = records.table(JOB_TABLES.events, {
      write: (count) => count,
      read: (value) => (typeof value === "number" ? value : undefined),
    });
  }

  /** In order of creation. */
  all(): Iterable<Job> {
    return this.jobs.values();
  }

  /** The job's progress has changed. */
  jobChanged(job: Job): void {
    if (this.jobs.has(job.spec.jobId)) this.progress.changed(job.spec.jobId);
  }

  /** The job's request has changed. */
  requestChanged(job: Job): void {
    this.jobs.changed(job.spec.jobId);
  }

  /** The member or its executions have changed. */
  memberChanged({ job, thing }: JobMember): void {
    this.members.changed(memberKey(job.spec.jobId, thing));
  }

  /** Positions for a job that is about to be created. */
  nextJobOrdinal(): number {
    this.nextJob += 1;
    return this.nextJob;
  }

  /** Numbers for job events; no two are alike, across restarts too. */
  nextEventNumber(): number {
    const next = (this.eventCount.get("") ?? 0) + 1;
    this.eventCount.set("", next);
    return next;
  }

  /** All records are back: brings jobs and members together, in their order. */
  restored(): void {
    this.jobs.sort((a, b) => a.ordinal - b.ordinal);
    for (const job of this.jobs.values()) {
      this.nextJob = Math.max(this.nextJob, job.ordinal);
      const row = this.progress.get(job.spec.jobId);
      if (row?.stored === undefined) this.progress.set(job.spec.jobId, new ProgressRow({ job }));
      else {
        readProgress(job, row.stored, this.time);
        row.job = job;
        row.stored = undefined;
      }
      this.follow(job);
    }
    this.members.sort((a, b) => a.ordinal - b.ordinal);
    const orphans: string[] = [];
    for (const [key, member] of this.members.entries()) {
      const job = this.jobs.get(key.slice(0, key.indexOf("/")));
      if (job === undefined) orphans.push(key);
      else this.link(job, member);
    }
    for (const key of orphans) this.members.delete(key);
  }

  has(jobId: string): boolean {
    return this.jobs.has(jobId);
  }

  add(job: Job): void {
    this.jobs.set(job.spec.jobId, job);
    this.progress.set(job.spec.jobId, new ProgressRow({ job }));
    this.follow(job);
  }

  /** What is called at once when its targets change. */
  follow(job: Job): void {
    if (job.spec.targetSelection !== "CONTINUOUS") return;
    for (const target of continuousTargets(job)) {
      const jobs = this.continuousByTarget.get(target) ?? new Set();
      this.continuousByTarget.set(target, jobs.add(job));
    }
  }

  remove(job: Job): void {
    this.jobs.delete(job.spec.jobId);
    this.progress.delete(job.spec.jobId);
    for (const target of continuousTargets(job)) {
      const jobs = this.continuousByTarget.get(target);
      jobs?.delete(job);
      if (jobs?.size === 0) this.continuousByTarget.delete(target);
    }
    for (const member of job.members.values()) this.forget(member);
  }

  /** CONTINUOUS jobs that follow a target, oldest first. */
  following(target: string): readonly Job[] {
    return [...(this.continuousByTarget.get(target) ?? [])];
  }

  /** A new member that waits at the end of the rollout. */
  addMember(job: Job, thing: string): JobMember {
    const member = new JobMember(thing, this.nextMember + 1);
    this.link(job, member);
    this.members.set(memberKey(job.spec.jobId, thing), member);
    return member;
  }

  private link(job: Job, member: JobMember): void {
    const { thing, current } = member;
    this.nextMember = Math.max(this.nextMember, member.ordinal);
    member.job = job;
    job.members.set(thing, member);
    job.queue.push(member);
    if (current === undefined) job.waiting += 1;
    else job.counts[current.status] += 1;
    const ofThing = this.membersByThing.get(thing);
    if (ofThing === undefined) this.membersByThing.set(thing, new Map([[job.spec.jobId, member]]));
    else ofThing.set(job.spec.jobId, member);
  }

  /** Takes a member out of its job and out of every count. */
  removeMember(member: JobMember): void {
    const { job, thing, current } = member;
    job.members.delete(thing);
    if (current === undefined) job.waiting -= 1;
    else job.counts[current.status] -= 1;
    this.forget(member);
  }

  /** What a thing was ever meant to run, oldest job first. */
  membersOf(thing: string): readonly JobMember[] {
    return [...(this.membersByThing.get(thing)?.values() ?? [])];
  }

  findExecution(thing: string, jobId: string, executionNumber?: number): JobExecution | undefined {
    return this.membersByThing.get(thing)?.get(jobId)?.execution(executionNumber);
  }

  /** @throws CLOUD_NOT_FOUND */
  job(jobId: string): Job {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw notFound(`There is no job ${jobId}.`, { jobId });
    return job;
  }

  /** @throws CLOUD_NOT_FOUND */
  execution(jobId: string, thing: string, executionNumber?: number): JobExecution {
    const execution = this.findExecution(thing, this.job(jobId).spec.jobId, executionNumber);
    if (execution === undefined)
      throw notFound(`There is no execution of ${jobId} for ${thing}.`, { jobId, thing });
    return execution;
  }

  private forget(member: JobMember): void {
    this.members.delete(memberKey(member.job.spec.jobId, member.thing));
    const ofThing = this.membersByThing.get(member.thing);
    ofThing?.delete(member.job.spec.jobId);
    if (ofThing?.size === 0) this.membersByThing.delete(member.thing);
  }
}

const continuousTargets = (job: Job): readonly string[] => job.spec.request.targets.map(targetName);

const notFound = (message: string, context: Readonly<Record<string, string>>): FleetrigError =>
  cloudError("ResourceNotFoundException", message, { context });
