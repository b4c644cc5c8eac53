import type { Clock, JsonObject } from "fleetrig/kernel";
import type { MessageBus, OutgoingMessage } from "../message-bus.js";
import { formatReservedTopic } from "fleetrig/protocol";
import { epochSeconds, executionSummary } from "./execution-view.js";
import type { JobExecution } from "./job.js";
import type { PendingExecutions } from "./pending.js";

/** AWS: a notification lists at most ten executions. */
const MAX_LISTED = 10;

interface Change {
  /** First in the thing's order before the change. */
  readonly firstBefore: JobExecution | undefined;
  /** An execution entered or left the pending set. */
  isSetChanged: boolean;
}

/**
 * notify and notify-next (REF §6.6). Changes are noted as they happen and told once per thing when the operation
 * is over, so that a failed attempt and its retry are one message, and a device hears the answer to its request
 * first. A message is built only if somebody would get it.
 */
export class JobNotifications {
  private changes = new Map<string, Change>();
  private events: OutgoingMessage[] = [];

  constructor(
    private readonly pending: PendingExecutions,
    private readonly bus: MessageBus,
    private readonly clock: Clock,
  ) {}

  /** Call before the pending executions of `thing` change or change places. */
  note(thing: string, isSetChanged: boolean): void {
    const change = this.changes.get(thing);
    if (change === undefined)
      this.changes.set(thing, { firstBefore: this.pending.first(thing), isSetChanged });
    else change.isSetChanged ||= isSetChanged;
  }

  /** Keeps a job event until the operation is over. The body is built now, while it is true. */
  noteEvent(topic: string, body: () => JsonObject): void {
    if (this.bus.hasSubscribers?.(topic) === false) return;
    this.events.push({ topic, payload: JSON.stringify(body()), qos: 1 });
  }

  /** Tells what was noted: job events, then thing by thing in the order of their first change. */
  flush(): void {
    this.flushEvents();
    if (this.changes.size === 0) return;
    const changes = this.changes;
    this.changes = new Map();
    for (const [thing, change] of changes) {
      if (change.isSetChanged) this.publish(thing, "notify", () => this.notifyBody(thing));
      if (this.pending.first(thing) !== change.firstBefore)
        this.publish(thing, "notify-next", () => this.notifyNextBody(thing));
    }
  }

  private flushEvents(): void {
    if (this.events.length === 0) return;
    const { events } = this;
    this.events = [];
    for (const event of events) this.bus.publish(event);
  }

  private publish(thing: string, operation: "notify" | "notify-next", body: () => JsonObject): void {
    const topic = formatReservedTopic({
      service: "jobs",
      thing,
      jobId: undefined,
      operation,
      message: "notification",
    });
    if (this.bus.hasSubscribers?.(topic) === false) return;
    this.bus.publish({ topic, payload: JSON.stringify(body()), qos: 1 });
  }

  private notifyBody(thing: string): JsonObject {
    const jobs: Record<string, JsonObject[]> = {};
    for (const execution of this.pending.of(thing).slice(0, MAX_LISTED)) {
      (jobs[execution.status] ??= []).push(executionSummary(execution));
    }
    return { timestamp: epochSeconds(this.clock.wallMs()), jobs };
  }

  private notifyNextBody(thing: string): JsonObject {
    const timestamp = epochSeconds(this.clock.wallMs());
    const first = this.pending.first(thing);
    return first === undefined ? { timestamp } : { timestamp, execution: nextExecution(first) };
  }
}

/** As a full description, without the thing's name and what the device itself has said. */
const nextExecution = (execution: JobExecution): JsonObject => ({
  ...executionSummary(execution),
  status: execution.status,
  jobDocument: execution.job.spec.document,
});
