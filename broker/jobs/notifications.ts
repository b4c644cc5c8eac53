import type { Clock, JsonObject } from "fleetrig/kernel";
import type { MessageBus, OutgoingMessage } from "../message-bus.js";
import { formatReservedTopic } from "fleetrig/protocol";
import { epochSeconds, executionSummary } from "./execution-view.js";
import type { JobExecution } from "./job.js";
import type { JobDocuments } from "./job-documents.js";
import type { PendingExecutions } from "./pending.js";

/** AWS: a notification lists at most ten executions. */
const MAX_LISTED = 10;

interface Change {
  /** First in the thing's order before the change. */
  readonly firstBefore: JobExecution | undefined;
  /** An execution entered or left the pending set. */
  isSetChanged: boolean;
}

export interface NotificationParts {
  readonly pending: PendingExecutions;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly documents: JobDocuments;
}

/**
 * notify and notify-next (REF §6.6). Changes are noted as they happen and told once per thing when the operation
 * is over, so that a failed attempt and its retry are one message, and a device hears the answer to its request
 * first. A message is built only if somebody would get it.
 */
export class JobNotifications {
  private changes = new Map<string, Change>();
  private events: OutgoingMessage[] = [];

  constructor(private readonly parts: NotificationParts) {}

  /** Call before the pending executions of `thing` change or change places. */
  note(thing: string, isSetChanged: boolean): void {
    const change = this.changes.get(thing);
    if (change === undefined)
      this.changes.set(thing, { firstBefore: this.parts.pending.first(thing), isSetChanged });
    else change.isSetChanged ||= isSetChanged;
  }

  /** Keeps a job event until the operation is over. The body is built now, while it is true. */
  noteEvent(topic: string, body: () => JsonObject): void {
    if (this.parts.bus.hasSubscribers?.(topic) === false) return;
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
      if (this.parts.pending.first(thing) !== change.firstBefore)
        this.publish(thing, "notify-next", () => this.notifyNextBody(thing));
    }
  }

  private flushEvents(): void {
    if (this.events.length === 0) return;
    const { events } = this;
    this.events = [];
    for (const event of events) this.parts.bus.publish(event);
  }

  private publish(thing: string, operation: "notify" | "notify-next", body: () => JsonObject): void {
    const topic = formatReservedTopic({
      service: "jobs",
      thing,
      jobId: undefined,
      operation,
      message: "notification",
    });
    if (this.parts.bus.hasSubscribers?.(topic) === false) return;
    this.parts.bus.publish({ topic, payload: JSON.stringify(body()), qos: 1 });
  }

  private notifyBody(thing: string): JsonObject {
    const jobs: Record<string, JsonObject[]> = {};
    for (const execution of this.parts.pending.of(thing).slice(0, MAX_LISTED)) {
      (jobs[execution.status] ??= []).push(executionSummary(execution));
    }
    return { timestamp: epochSeconds(this.parts.clock.wallMs()), jobs };
  }

  private notifyNextBody(thing: string): JsonObject {
    const timestamp = epochSeconds(this.parts.clock.wallMs());
    const first = this.parts.pending.first(thing);
    return first === undefined ? { timestamp } : { timestamp, execution: this.nextExecution(first) };
  }

  /** As a full description, without the thing's name and what the device itself has said. */
  private nextExecution(execution: JobExecution): JsonObject {
    return {
      ...executionSummary(execution),
      status: execution.status,
      jobDocument: this.parts.documents.forDevice(execution.job),
    };
  }
}
