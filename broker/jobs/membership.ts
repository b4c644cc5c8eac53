import { isPending } from "./execution-machine.js";
import type { Job, JobMember } from "./job.js";
import type { JobEngine } from "./job-engine.js";
import type { JobStore } from "./job-store.js";
import type { MembershipChange } from "./targets.js";

/**
 * What happens to jobs when groups gain and lose things (REF §6.2, §6.4). Only CONTINUOUS jobs follow their
 * groups; the deletion of a thing concerns every job it has.
 */
export class JobMembership {
  constructor(
    private readonly store: JobStore,
    private readonly engine: JobEngine,
  ) {}

  apply(change: MembershipChange): void {
    if (change.kind === "deleted") {
      for (const member of this.store.membersOf(change.thing)) this.leave(member);
      return;
    }
    for (const job of this.store.following(change.target)) {
      if (job.isFinished) continue;
      if (change.kind === "joined") this.join(job, change.thing);
      else this.leaveTarget(job, change.thing);
    }
  }

  /** A later joiner gets its execution at once: the rate covers only what was there at creation. */
  private join(job: Job, thing: string): void {
    if (job.isRolloutClosed) return;
    const member = job.members.get(thing);
    if (member === undefined) {
      const joined = this.store.addMember(job, thing);
      if (job.status === "IN_PROGRESS" && !this.engine.isPaused(job)) this.engine.queueExecution(joined);
      else this.engine.rollOut(job);
      return;
    }
    member.reasons += 1;
    this.store.memberChanged(member);
    if (member.reasons === 1) this.rejoin(member);
  }

  /** Starts over with fresh retries, except where the job has succeeded already. */
  private rejoin(member: JobMember): void {
    member.retriesUsed = [];
    const status = member.current?.status;
    if (status !== undefined && !isPending(status) && status !== "SUCCEEDED")
      this.engine.queueExecution(member);
  }

  private leaveTarget(job: Job, thing: string): void {
    const member = job.members.get(thing);
    if (member === undefined || member.reasons === 0) return;
    member.reasons -= 1;
    this.store.memberChanged(member);
    if (member.reasons === 0) this.leave(member);
  }

  private leave(member: JobMember): void {
    member.reasons = 0;
    const { current, job } = member;
    this.store.memberChanged(member);
    if (current === undefined) this.store.removeMember(member);
    else if (isPending(current.status)) this.engine.transition(current, "REMOVED", { actor: "service" });
    this.engine.completeIfDone(job);
  }
}
