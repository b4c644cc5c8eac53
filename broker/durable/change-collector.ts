import type { Clock, JsonValue } from "fleetrig/kernel";
import type { Delivery } from "../engine/delivery.js";
import type { ApplicationMessage } from "../message.js";
import type { StoreChange } from "../store/store.js";
import type { Body, BodyTable } from "./body-table.js";
import * as keys from "./keys.js";
import { writeMessage } from "./message-record.js";
import { RecordWriter } from "./record-writer.js";
import { writeEntry } from "./segment-record.js";
import type { SessionLog } from "./session-log.js";
import { writeFlow, writeSession, writeSubscription } from "./session-record.js";
import { addBody, releaseAll, type Segment } from "./stored-queue.js";

/** Bounds what one damaged record can cost, and what one acknowledgement can keep alive. */
const SEGMENT_ENTRIES_MAX = 256;
const SEGMENT_BYTES_MAX = 262_144;

/** Turns what has changed into the changes of one commit, by the state at this very moment. */
export class ChangeCollector {
  readonly changes: StoreChange[] = [];
  bytes = 0;
  private readonly writer = new RecordWriter();

  constructor(private readonly clock: Clock) {}

  delete(key: string): void {
    this.changes.push({ type: "del", key });
  }

  retained(topic: string, message: ApplicationMessage | undefined): void {
    const key = keys.retainedKey(topic);
    if (message === undefined) this.delete(key);
    else this.message(key, message);
  }

  /** A record of one of the cloud's services; undefined once it was deleted. */
  record(key: string, value: JsonValue | undefined): void {
    if (value === undefined) {
      this.delete(key);
      return;
    }
    this.writer.begin();
    this.writer.text(JSON.stringify(value));
    this.put(key);
  }

  readonly writeBody = ({ number, message }: Body): void => this.message(keys.bodyKey(number), message);

  readonly deleteBody = ({ number }: Body): void => this.delete(keys.bodyKey(number));

  session(log: SessionLog, bodies: BodyTable): void {
    const { session, id, filtersChanged, emptied, usedQueue: queue } = log;
    const { writer, clock } = this;
    if (log.identityChanged || !log.isStored) {
      writer.begin();
      writeSession(writer, session, clock);
      this.put(keys.sessionKey(id));
      log.identityChanged = false;
      log.isStored = true;
    }
    if (filtersChanged !== undefined) {
      for (const filter of filtersChanged) this.subscription(log, filter);
      log.filtersChanged = undefined;
    }
    if (queue?.hasPending === true) this.segments(log, bodies);
    if (emptied !== undefined) {
      for (const first of emptied) this.delete(keys.segmentKey(id, first));
      log.emptied = undefined;
    }
    if (log.flowChanged) {
      writer.begin();
      const { removed = [], lastSequence = 0 } = queue ?? {};
      writeFlow(writer, { flow: session.flow, lastSequence, removed });
      this.put(keys.flowKey(id));
      log.flowChanged = false;
    }
  }

  /** Everything of a session goes. */
  ended(log: SessionLog): void {
    const { id } = log;
    this.delete(keys.sessionKey(id));
    this.delete(keys.flowKey(id));
    for (const filter of log.filtersChanged ?? []) this.delete(keys.subscriptionKey(id, filter));
    for (const first of log.emptied ?? []) this.delete(keys.segmentKey(id, first));
    for (const segment of log.usedQueue?.liveSegments ?? []) {
      this.delete(keys.segmentKey(id, segment.first));
      releaseAll(segment);
    }
  }

  private subscription({ session, id }: SessionLog, filter: string): void {
    const key = keys.subscriptionKey(id, filter);
    const subscription = session.subscription(filter);
    if (subscription === undefined) {
      this.delete(key);
      return;
    }
    this.writer.begin();
    writeSubscription(this.writer, subscription);
    this.put(key);
  }

  /** What came since the last commit, as one segment or a few. */
  private segments({ queue, id }: SessionLog, bodies: BodyTable): void {
    const { writer, clock } = this;
    let segment: { -readonly [Field in keyof Segment]: Segment[Field] } | undefined;
    const finish = (): void => {
      if (segment === undefined) return;
      this.put(keys.segmentKey(id, segment.first));
      queue.add(segment);
      segment = undefined;
    };
    queue.takePending((sequence: number, delivery: Delivery) => {
      const body = bodies.refer(delivery.message);
      if (segment === undefined) {
        writer.begin();
        segment = { first: sequence, last: 0, live: 0, bodies: undefined };
      }
      const distance = segment.live === 0 ? sequence : sequence - segment.last;
      writeEntry(writer, delivery, { distance, body: body?.number }, clock);
      if (body !== undefined) addBody(segment, sequence, body);
      segment.last = sequence;
      segment.live += 1;
      if (segment.live >= SEGMENT_ENTRIES_MAX || writer.bytes >= SEGMENT_BYTES_MAX) finish();
    });
    finish();
  }

  private message(key: string, message: ApplicationMessage): void {
    this.writer.begin();
    writeMessage(this.writer, message, this.clock);
    this.put(key);
  }

  /** Ends the record that was begun. */
  private put(key: string): void {
    const value = this.writer.finish(key);
    this.bytes += value.length;
    this.changes.push({ type: "put", key, value });
  }
}
