import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type Job, type JobExecution, JobMember } from "./job.js";
import { targetName } from "./targets.js";

/** All jobs, and the three ways to find what belongs to them: by job, by thing, by target that may change. */
export class JobStore {
  private readonly jobs = new Map<string, Job>();
  private readonly membersByThing = new Map<string, Map<string, JobMember>>();
  private readonly continuousByTarget = new Map<string, Set<Job>>();

  all(): Iterable<Job> {
    return this.jobs.values();
  }

  has(jobId: string): boolean {
    return this.jobs.has(jobId);
  }

  add(job: Job): void {
    this.jobs.set(job.spec.jobId, job);
    if (job.spec.targetSelection !== "CONTINUOUS") return;
    for (const target of continuousTargets(job)) {
      const jobs = this.continuousByTarget.get(target) ?? new Set();
      this.continuousByTarget.set(target, jobs.add(job));
    }
  }

  remove(job: Job): void {
    this.jobs.delete(job.spec.jobId);
    for (const target of continuousTargets(job)) {
      const jobs = this.continuousByTarget.get(target);
      jobs?.delete(job);
      if (jobs?.size === 0) this.continuousByTarget.delete(target);
    }
    for (const member of job.members.values()) this.forgetThing(member);
  }

  /** CONTINUOUS jobs that follow a target, oldest first. */
  following(target: string): readonly Job[] {
    return [...(this.continuousByTarget.get(target) ?? [])];
  }

  /** A new member that waits at the end of the rollout. */
  addMember(job: Job, thing: string): JobMember {
    const member = new JobMember(job, thing);
    job.members.set(thing, member);
    job.queue.push(member);
    job.waiting += 1;
    const ofThing = this.membersByThing.get(thing);
    if (ofThing === undefined) this.membersByThing.set(thing, new Map([[job.spec.jobId, member]]));
    else ofThing.set(job.spec.jobId, member);
    return member;
  }

  /** Takes a member out of its job and out of every count. */
  removeMember(member: JobMember): void {
    const { job, thing, current } = member;
    job.members.delete(thing);
    if (current === undefined) job.waiting -= 1;
    else job.counts[current.status] -= 1;
    this.forgetThing(member);
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

  private forgetThing(member: JobMember): void {
    const ofThing = this.membersByThing.get(member.thing);
    ofThing?.delete(member.job.spec.jobId);
    if (ofThing?.size === 0) this.membersByThing.delete(member.thing);
  }
}

const continuousTargets = (job: Job): readonly string[] => job.spec.request.targets.map(targetName);

const notFound = (message: string, context: Readonly<Record<string, string>>): FleetrigError =>
  cloudError("ResourceNotFoundException", message, { context });
