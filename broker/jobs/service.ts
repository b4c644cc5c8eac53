import {
  type Clock,
  type EventSink,
  type ExecutionStatus,
  type JobStatus,
  type JsonObject,
} from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import { JobsDeviceApi } from "./device-api.js";
import { type DeviceAnswer, DeviceOperations, type DeviceRequest } from "./device-operations.js";
import { cloudError } from "../cloud-error.js";
import { RecordBook } from "../records/index.js";
import { isPending } from "./execution-machine.js";
import { Job, jobSpec, type JobSpec, rolloutPlan } from "./job.js";
import type {
  AssociateTargetsRequest,
  CancelJobExecutionRequest,
  CancelJobRequest,
  DeleteJobExecutionRequest,
  DescribeJobExecutionRequest,
} from "./control-requests.js";
import { JobDocuments, type PresignUrl } from "./job-documents.js";
import { JobEngine } from "./job-engine.js";
import { type JobEventConfigurations, JobEvents } from "./job-events.js";
import {
  type ExecutionList,
  groupsOf,
  type JobList,
  listExecutionsForJob,
  listExecutionsForThing,
  type ListJobExecutionsForJobRequest,
  type ListJobExecutionsForThingRequest,
  listJobs,
  type ListJobsRequest,
} from "./job-queries.js";
import type { CreateJobRequest, UpdateJobRequest } from "./job-request.js";
import { WallTime } from "./job-records.js";
import { JobSchedule } from "./job-schedule.js";
import { JobStore } from "./job-store.js";
import { controlExecution, jobDescription, rolloutConfig } from "./job-view.js";
import { JobMembership } from "./membership.js";
import { JobNotifications } from "./notifications.js";
import { PendingExecutions } from "./pending.js";
import { scheduleFault } from "./schedule.js";
import { DEFAULT_JOBS_SETTINGS, type JobsSettings } from "./settings.js";
import { type JobTargets, targetName } from "./targets.js";
import { checkCreateJob, checkUpdateJob, MAX_TARGETS } from "./validate.js";

/** What the jobs service works with; settings that are left out have AWS's defaults. */
export interface JobsServiceOptions {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly events: EventSink;
  readonly registry: JobTargets;
  /** Where jobs are written down. Default: nowhere. */
  readonly records?: RecordBook;
  /** Makes URLs for the placeholders of documents. Default: placeholders stay. */
  readonly presign?: PresignUrl;
  readonly settings?: Partial<JobsSettings>;
  /** Job events that the account switches on while it runs. Default: what the settings say. */
  readonly eventConfigurations?: JobEventConfigurations;
}

/** How far a job has come, for harness and reports; AWS's own counts leave out who has no execution yet. */
export interface JobProgress {
  readonly status: JobStatus;
  readonly targets: number;
  /** Targets without an execution so far; with the counts below they add up to the targets. */
  readonly waiting: number;
  /** Targets that ever got an execution. */
  readonly notified: number;
  readonly counts: Readonly<Record<ExecutionStatus, number>>;
}

/** The account as a caller addresses it: its region is part of the answer's ARNs. Default: the cloud's own. */
export type Addressed = Pick<JobsSettings, "arnPrefix">;

/**
 * The jobs service: the control plane of AWS IoT Jobs as methods, its device plane over MQTT.
 *
 * Rollout order is the order of the targets in the request, and within a group the registry's. Cancelling and
 * deleting take effect at once, where AWS takes up to a minute per thousand devices.
 * All errors are FleetrigErrors whose context has `awsError` and `httpStatus`.
 */
export class JobsService implements ReservedTopicService {
  private readonly settings: JobsSettings;
  private readonly store: JobStore;
  private readonly notifications: JobNotifications;
  private readonly jobEvents: JobEvents;
  private readonly engine: JobEngine;
  private readonly schedule: JobSchedule;
  private readonly operations: DeviceOperations;
  private readonly device: JobsDeviceApi;
  private isStopped = false;

  constructor(private readonly options: JobsServiceOptions) {
    const { clock, bus, events, registry } = options;
    const records = options.records ?? new RecordBook();
    const time = new WallTime(clock);
    const store = new JobStore(records, time);
    const settings = { ...DEFAULT_JOBS_SETTINGS, ...options.settings };
    const pending = new PendingExecutions();
    const documents = new JobDocuments(options.presign);
    const notifications = new JobNotifications({ pending, bus, clock, documents });
    const { eventConfigurations: configurations } = options;
    const jobEvents = new JobEvents({
      notifications,
      clock,
      settings,
      store,
      ...(configurations !== undefined && { configurations }),
    });
    const engine = new JobEngine({ clock, events, settings, store, pending, notifications, jobEvents });
    this.store = store;
    this.settings = settings;
    this.notifications = notifications;
    this.jobEvents = jobEvents;
    this.engine = engine;
    this.schedule = new JobSchedule({ clock, time, store, engine, notifications });
    this.operations = new DeviceOperations({
      clock,
      engine,
      pending,
      store,
      documents,
      settings,
    });
    this.device = new JobsDeviceApi({ clock, bus, operations: this.operations });
    const membership = new JobMembership(store, engine);
    registry.onMembershipChange?.((change) => {
      if (this.isStopped) return;
      membership.apply(change);
      notifications.flush();
    });
    records.whenRestored(() => this.schedule.restore());
  }

  /** A publish on a thing's `jobs/` topics: answered to the publisher, and seen by nobody else. */
  handle(message: ApplicationMessage): Routing {
    if (this.isStopped) return "consumed";
    const routing = this.device.handle(message);
    this.notifications.flush();
    return routing;
  }

  has(jobId: string): boolean {
    return this.store.has(jobId);
  }

  /** Names of all groups that are targets of jobs. */
  targetGroups(): ReadonlySet<string> {
    return new Set(Array.from(this.store.all()).flatMap(groupsOf));
  }

  /** @throws CLOUD_NOT_FOUND */
  specOf(jobId: string): JobSpec {
    return this.store.job(jobId).spec;
  }

  /** A device's request that came another way than MQTT. @returns undefined when there is no such request. */
  deviceRequest(request: DeviceRequest): DeviceAnswer | undefined {
    const answer = this.operations.perform(request);
    this.notifications.flush();
    return answer;
  }

  /**
   * @throws CLOUD_INVALID_REQUEST for inputs out of range, CLOUD_NOT_IMPLEMENTED for inputs this service does not
   * offer, CLOUD_NOT_FOUND for unknown targets, CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED.
   */
  createJob(request: CreateJobRequest, account: Addressed = this.settings): JsonObject {
    checkCreateJob(request);
    const { clock, events } = this.options;
    const spec = jobSpec(request);
    this.checkNewJob(spec);
    const things = this.thingsOf(request.targets);
    const job = new Job(spec, clock.wallMs(), this.store.nextJobOrdinal());
    this.store.add(job);
    for (const [thing, reasons] of things) this.store.addMember(job, thing).reasons = reasons;
    events.emit({
      type: "job.created",
      atUs: clock.nowUs(),
      jobId: spec.jobId,
      targets: job.members.size,
      document: spec.document,
      rollout: rolloutConfig(job),
      abort: { criteriaList: spec.abort.map((criterion) => ({ ...criterion })) },
    });
    this.schedule.arm(job);
    this.engine.setStatus(job, job.status);
    if (job.status === "IN_PROGRESS") this.schedule.begin(job);
    this.notifications.flush();
    const { description } = request;
    return { ...identity(spec.jobId, account), ...(description === undefined ? {} : { description }) };
  }

  /**
   * Adds targets to a CONTINUOUS job; things that it did not have yet are reached at the rate of its rollout.
   * @throws CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST, CLOUD_LIMIT_EXCEEDED for more than 100 targets in all.
   */
  associateTargets(request: AssociateTargetsRequest, account: Addressed = this.settings): JsonObject {
    const job = this.store.job(request.jobId);
    if (job.spec.targetSelection !== "CONTINUOUS" || job.status !== "IN_PROGRESS")
      throw cloudError(
        "InvalidRequestException",
        `Job ${request.jobId} is ${job.spec.targetSelection} and ${job.status}.`,
        { hint: "Targets can be added to CONTINUOUS jobs that are IN_PROGRESS." },
      );
    const known = new Set(job.spec.request.targets.map(targetName));
    const targets = request.targets.filter((target) => !known.has(targetName(target)));
    const all = [...job.spec.request.targets, ...targets];
    if (all.length > MAX_TARGETS)
      throw cloudError("LimitExceededException", `The job would have ${all.length} targets.`, {
        hint: `A job has at most ${MAX_TARGETS}.`,
      });
    const things = this.thingsOf(targets);
    job.spec = { ...job.spec, request: { ...job.spec.request, targets: all } };
    job.comment = request.comment ?? job.comment;
    this.store.requestChanged(job);
    this.store.follow(job);
    for (const [thing, reasons] of things) {
      const member = job.members.get(thing);
      if (member === undefined) this.store.addMember(job, thing).reasons = reasons;
      else {
        member.reasons += reasons;
        this.store.memberChanged(member);
      }
    }
    this.engine.rollOut(job);
    this.notifications.flush();
    const { description } = job.spec.request;
    return { ...identity(request.jobId, account), ...(description !== undefined && { description }) };
  }

  /** Ends a rollout; executions in progress run on unless `force`. @throws CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  cancelJob(request: CancelJobRequest, account: Addressed = this.settings): JsonObject {
    const job = this.store.job(request.jobId);
    const { force = false, reasonCode, comment } = request;
    if (job.status === "COMPLETED" || (job.status === "CANCELED" && !force))
      throw cloudError("InvalidRequestException", `Job ${request.jobId} is ${job.status} already.`);
    this.engine.cancel(job, { force, reasonCode, comment });
    this.notifications.flush();
    return identity(request.jobId, account);
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_VERSION_CONFLICT, CLOUD_INVALID_STATE_TRANSITION (in progress without `force`). */
  cancelJobExecution(request: CancelJobExecutionRequest): void {
    const { expectedVersion, force = false, statusDetails } = request;
    const execution = this.store.execution(request.jobId, request.thingName);
    if (expectedVersion !== undefined && expectedVersion !== execution.versionNumber)
      throw cloudError(
        "VersionConflictException",
        `Expected version ${expectedVersion}, the execution has version ${execution.versionNumber}.`,
      );
    if (!isPending(execution.status) || (execution.status === "IN_PROGRESS" && !force))
      throw cloudError(
        "InvalidStateTransitionException",
        `The execution of ${request.jobId} for ${request.thingName} is ${execution.status}.`,
        isPending(execution.status) ? { hint: "Only force cancels what is in progress." } : {},
      );
    execution.forceCanceled = execution.status === "IN_PROGRESS";
    this.engine.transition(execution, "CANCELED", { actor: "service", statusDetails });
    this.notifications.flush();
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_INVALID_STATE_TRANSITION for a job that is not finished, without `force`. */
  deleteJob(request: { readonly jobId: string; readonly force?: boolean }): void {
    const job = this.store.job(request.jobId);
    if (!job.isFinished && request.force !== true)
      throw cloudError("InvalidStateTransitionException", `Job ${request.jobId} is ${job.status}.`, {
        hint: "Cancel the job first, or delete it with force.",
      });
    this.engine.closeRollout(job);
    this.engine.setStatus(job, "DELETION_IN_PROGRESS");
    this.jobEvents.job(job, "deletion_in_progress");
    for (const { current } of job.members.values()) if (current !== undefined) this.engine.discard(current);
    this.store.remove(job);
    this.jobEvents.job(job, "deleted");
    this.notifications.flush();
  }

  /**
   * Forgets one execution. With its current one a thing leaves the job's counts, and so the base of abort criteria.
   * @throws CLOUD_NOT_FOUND, CLOUD_INVALID_STATE_TRANSITION for one that is queued, or in progress without `force`.
   */
  deleteJobExecution(request: DeleteJobExecutionRequest): void {
    const { jobId, thingName, executionNumber, force = false } = request;
    const execution = this.store.execution(jobId, thingName, executionNumber);
    const { job, member, status } = execution;
    if (status === "QUEUED" || (status === "IN_PROGRESS" && !force))
      throw cloudError(
        "InvalidStateTransitionException",
        `The execution of ${jobId} for ${thingName} is ${status}.`,
        { hint: "Cancel it first." },
      );
    this.engine.discard(execution);
    if (member.current === execution) this.store.removeMember(member);
    else {
      member.earlier = member.earlier.filter((earlier) => earlier !== execution);
      this.store.memberChanged(member);
    }
    this.engine.completeIfDone(job);
    this.notifications.flush();
  }

  /**
   * Changes what is named; a new timeout applies to executions that start from now on.
   * @throws CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST
   */
  updateJob(request: UpdateJobRequest): void {
    checkUpdateJob(request);
    const job = this.store.job(request.jobId);
    if (job.isFinished)
      throw cloudError("InvalidRequestException", `Job ${request.jobId} is ${job.status} already.`);
    const merged: CreateJobRequest = { ...job.spec.request, ...request };
    job.spec = {
      ...job.spec,
      request: merged,
      rollout: rolloutPlan(merged.jobExecutionsRolloutConfig),
      abort: merged.abortConfig?.criteriaList ?? [],
      retry: merged.jobExecutionsRetryConfig?.criteriaList ?? [],
      inProgressMinutes: merged.timeoutConfig?.inProgressTimeoutInMinutes,
    };
    job.lastUpdatedAtMs = this.options.clock.wallMs();
    this.store.requestChanged(job);
    this.engine.rollOut(job);
    this.notifications.flush();
  }

  /** @throws CLOUD_NOT_FOUND */
  describeJob(request: { readonly jobId: string }, account: Addressed = this.settings): JsonObject {
    const job = this.store.job(request.jobId);
    const documentSource = job.spec.request.origin?.documentSource;
    return {
      ...(documentSource !== undefined && { documentSource }),
      job: jobDescription(job, account.arnPrefix),
    };
  }

  /**
   * The document as it was given, with the parameters of its template filled in unless `beforeSubstitution`.
   * @throws CLOUD_NOT_FOUND
   */
  getJobDocument(request: { readonly jobId: string; readonly beforeSubstitution?: boolean }): {
    readonly document: string;
  } {
    const { spec } = this.store.job(request.jobId);
    const { beforeSubstitution = false } = request;
    return {
      document: (beforeSubstitution ? spec.request.origin?.template : undefined) ?? spec.documentText,
    };
  }

  /** @throws CLOUD_NOT_FOUND */
  describeJobExecution(request: DescribeJobExecutionRequest, account: Addressed = this.settings): JsonObject {
    const { jobId, thingName, executionNumber } = request;
    const execution = this.store.execution(jobId, thingName, executionNumber);
    return { execution: controlExecution(execution, account.arnPrefix, this.options.clock.nowUs()) };
  }

  listJobs(request: ListJobsRequest = {}, account: Addressed = this.settings): JobList {
    return listJobs(this.store, request, account.arnPrefix);
  }

  /** @throws CLOUD_NOT_FOUND */
  listJobExecutionsForJob(
    request: ListJobExecutionsForJobRequest,
    account: Addressed = this.settings,
  ): ExecutionList {
    return listExecutionsForJob(this.store, request, account.arnPrefix);
  }

  listJobExecutionsForThing(request: ListJobExecutionsForThingRequest): ExecutionList {
    return listExecutionsForThing(this.store, request);
  }

  /** @throws CLOUD_NOT_FOUND */
  progress(jobId: string): JobProgress {
    const { status, members, waiting, notified, counts } = this.store.job(jobId);
    return { status, targets: members.size, waiting, notified, counts: { ...counts } };
  }

  /** Cancels every timer and answers nobody any more; jobs stay readable. */
  stop(): void {
    this.isStopped = true;
    for (const job of this.store.all()) {
      this.engine.halt(job);
      for (const { current } of job.members.values()) current?.timeout?.cancel();
    }
  }

  private checkNewJob(spec: JobSpec): void {
    if (this.store.has(spec.jobId))
      throw cloudError("ResourceAlreadyExistsException", `Job ${spec.jobId} exists already.`);
    const fault = scheduleFault(spec, this.options.clock.wallMs());
    if (fault !== undefined)
      throw cloudError("InvalidRequestException", `${fault}.`, { context: { field: "schedulingConfig" } });
    let concurrent = 0;
    for (const job of this.store.all()) if (job.isRollingOut || job.status === "SCHEDULED") concurrent += 1;
    if (concurrent >= this.settings.maxConcurrentJobs)
      throw cloudError("LimitExceededException", `${concurrent} jobs are rolling out or scheduled already.`);
  }

  /** The things of all targets in rollout order, each with the number of targets that contain it. */
  private thingsOf(targets: readonly string[]): ReadonlyMap<string, number> {
    const { registry } = this.options;
    const things = new Map<string, number>();
    for (const target of targets) {
      const name = targetName(target);
      const members = registry.membersOf(name);
      if (members.length === 0 && registry.isKnown?.(name) !== true)
        throw cloudError("ResourceNotFoundException", `There is no target ${name}.`, { context: { target } });
      for (const thing of members) things.set(thing, (things.get(thing) ?? 0) + 1);
    }
    return things;
  }
}

const identity = (jobId: string, { arnPrefix }: Addressed): JsonObject => ({
  jobArn: `${arnPrefix}:job/${jobId}`,
  jobId,
});
