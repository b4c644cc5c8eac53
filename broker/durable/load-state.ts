import type { Clock } from "fleetrig/kernel";
import type { SequencedDelivery } from "../engine/stored-flow.js";
import type { Restoration } from "../engine/restoration.js";
import type { ApplicationMessage } from "../message.js";
import { unseal } from "../store/record-frame.js";
import type { Damage, Store, StoreChange, StoreRecord } from "../store/store.js";
import { type Body, BodyTable } from "./body-table.js";
import * as keys from "./keys.js";
import { readMessage } from "./message-record.js";
import { RecordReader } from "./record-reader.js";
import { readSegment } from "./segment-record.js";
import { SessionLog } from "./session-log.js";
import { readFlow, readSession, readSubscription, type StoredFlowRecord } from "./session-record.js";
import { addBody, type Segment } from "./stored-queue.js";

/** What the journal goes on with. */
export interface LoadedState {
  readonly logs: readonly SessionLog[];
  readonly bodies: BodyTable;
  /** Session numbers up to this one are in use or have been. */
  readonly lastNumber: number;
}

export interface LoadSummary {
  readonly sessions: number;
  readonly messages: number;
  readonly retained: number;
  readonly damage: readonly Damage[];
}

export interface LoadSource {
  readonly store: Store;
  readonly clock: Clock;
  readonly restoration: Restoration;
}

const EMPTY_FLOW: StoredFlowRecord = {
  flow: { lastPacketId: 0, inflight: [], received: [] },
  lastSequence: 0,
  removed: new Set(),
};

/**
 * Reads a whole store into a broker, kind by kind and record by record. What cannot be read, or belongs to
 * something that cannot, is named as damage and moved aside; the rest is served.
 */
export class StateLoader {
  readonly damage: Damage[] = [];
  private readonly aside: StoreChange[] = [];
  private readonly bodies = new BodyTable();
  private readonly byNumber = new Map<number, Body>();
  private readonly logs = new Map<string, SessionLog>();
  private readonly flows = new Map<string, StoredFlowRecord>();
  private lastNumber = 0;
  private messages = 0;
  private retained = 0;
  /** The session whose segments are being read, and what came of them. */
  private current: { readonly log: SessionLog; readonly messages: SequencedDelivery[] } | undefined;

  constructor(private readonly source: LoadSource) {}

  async load(): Promise<LoadedState> {
    const prefix = keys.PREFIX;
    await this.each(prefix.body, (record, reader) => this.body(record, reader));
    await this.each(prefix.session, (record, reader) => this.session(record, reader));
    await this.each(prefix.subscription, (record, reader) => this.subscription(record, reader));
    await this.each(prefix.flow, (record, reader) => this.flow(record, reader));
    await this.each(prefix.segment, (record, reader) => this.segment(record, reader));
    this.finishSession();
    // What is left are sessions without a message, but with identifiers in use.
    for (const [id, flow] of this.flows) this.restoreFlow(this.logs.get(id)!, flow, []);
    await this.each(prefix.retained, (record, reader) => this.retain(record, reader));
    for (const body of this.byNumber.values()) this.bodies.noteIdle(body);
    if (this.aside.length > 0) await this.moveAside();
    return { logs: Array.from(this.logs.values()), bodies: this.bodies, lastNumber: this.lastNumber };
  }

  get summary(): LoadSummary {
    const { messages, retained, damage } = this;
    return { sessions: this.logs.size, messages, retained, damage };
  }

  /** Calls `take` with every intact record of a kind; it returns why the record is of no use, if it is not. */
  private async each(
    prefix: string,
    take: (record: StoreRecord, reader: RecordReader) => string | undefined,
  ): Promise<void> {
    for await (const slice of this.source.store.scan(prefix))
      for (const record of slice) {
        const content = unseal(record.key, record.value);
        if (content === "checksum") this.spoiled(record, "the record fails its checksum");
        else if (content === "version") this.spoiled(record, "the record has an unknown format");
        else {
          const fault = take(record, new RecordReader(content));
          if (fault !== undefined) this.spoiled(record, fault);
        }
      }
  }

  private spoiled({ key, value }: StoreRecord, what: string): void {
    this.damage.push({ where: key, what });
    // A copy: the value may be part of what the store gives up with this slice.
    this.aside.push({ type: "put", key: keys.damagedKey(key), value: Uint8Array.from(value) });
    this.aside.push({ type: "del", key });
    const number = keys.numberOf(keys.sessionIdOf(key));
    if (!key.startsWith(keys.PREFIX.retained) && !Number.isNaN(number)) this.numberSeen(key, number);
  }

  private numberSeen(key: string, number: number): void {
    if (key.startsWith(keys.PREFIX.body)) this.bodies.numberSeen(number);
    else if (number > this.lastNumber) this.lastNumber = number;
  }

  private moveAside(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.source.store.commit(this.aside, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  private body({ key }: StoreRecord, reader: RecordReader): string | undefined {
    const number = keys.numberOf(key.slice(keys.PREFIX.body.length));
    const message = readMessage(reader, this.source.clock);
    if (!reader.isSound || Number.isNaN(number)) return "the message cannot be understood";
    this.byNumber.set(number, this.bodies.restore(number, message));
    return undefined;
  }

  private session({ key }: StoreRecord, reader: RecordReader): string | undefined {
    const { restoration, clock } = this.source;
    const id = keys.sessionIdOf(key);
    const number = keys.numberOf(id);
    const stored = readSession(reader, clock);
    if (!reader.isSound || Number.isNaN(number)) return "the session cannot be understood";
    if (restoration.has(stored.clientId)) return "the client has another session";
    this.numberSeen(key, number);
    const log = new SessionLog(restoration.session(stored), number);
    log.isStored = true;
    this.logs.set(id, log);
    return undefined;
  }

  private subscription({ key }: StoreRecord, reader: RecordReader): string | undefined {
    const log = this.logs.get(keys.sessionIdOf(key));
    if (log === undefined) return "its session is missing";
    const options = readSubscription(reader);
    if (!reader.isSound) return "the subscription cannot be understood";
    this.source.restoration.subscription(log.session, keys.restOf(key), options);
    return undefined;
  }

  private flow({ key }: StoreRecord, reader: RecordReader): string | undefined {
    const id = keys.sessionIdOf(key);
    if (!this.logs.has(id)) return "its session is missing";
    const flow = readFlow(reader);
    if (!reader.isSound) return "the packet identifiers cannot be understood";
    this.flows.set(id, flow);
    return undefined;
  }

  private segment({ key, value }: StoreRecord, reader: RecordReader): string | undefined {
    const id = keys.sessionIdOf(key);
    const log = this.logs.get(id);
    if (log === undefined) return "its session is missing";
    if (this.current?.log !== log) {
      this.finishSession();
      this.current = { log, messages: [] };
    }
    const first = keys.numberOf(keys.restOf(key));
    const missing: number[] = [];
    const entries = readSegment(reader, this.source.clock, {
      body: (number) => this.byNumber.get(number)?.message,
      missing: (_sequence, body) => missing.push(body),
    });
    if (!reader.isSound || Number.isNaN(first)) return "the messages cannot be understood";
    if (missing.length > 0) {
      this.damage.push({ where: key, what: `messages are missing: bodies ${missing.join(", ")}` });
      this.aside.push({ type: "put", key: keys.damagedKey(key), value: Uint8Array.from(value) });
    }
    this.adoptSegment(log, first, entries);
    return undefined;
  }

  /** Entries that an earlier process had done with are not served; a segment without others goes. */
  private adoptSegment(log: SessionLog, first: number, entries: ReturnType<typeof readSegment>): void {
    const removed = this.flows.get(log.id)?.removed ?? EMPTY_FLOW.removed;
    const segment: Segment & { last: number } = { first, last: first, live: 0, bodies: undefined };
    const gone: number[] = [];
    for (const { sequence, delivery, body } of entries) {
      segment.last = sequence;
      if (removed.has(sequence)) {
        gone.push(sequence);
        continue;
      }
      segment.live += 1;
      this.current!.messages.push({ sequence, delivery });
      const stored = body === undefined ? undefined : this.byNumber.get(body);
      if (stored === undefined) continue;
      stored.refer();
      addBody(segment, sequence, stored);
    }
    log.queue.lastSequence = Math.max(log.queue.lastSequence, segment.last);
    if (segment.live === 0) {
      log.segmentEmptied(first);
      return;
    }
    log.queue.add(segment);
    log.queue.restoreRemoved(gone);
  }

  private finishSession(): void {
    if (this.current === undefined) return;
    const { log, messages } = this.current;
    const flow = this.flows.get(log.id) ?? EMPTY_FLOW;
    this.flows.delete(log.id);
    this.current = undefined;
    this.restoreFlow(log, flow, messages);
  }

  private restoreFlow(
    log: SessionLog,
    { flow, lastSequence }: StoredFlowRecord,
    messages: readonly SequencedDelivery[],
  ): void {
    this.messages += messages.length;
    const last = Math.max(lastSequence, log.usedQueue?.lastSequence ?? 0);
    if (last > 0) log.queue.lastSequence = last;
    this.source.restoration.flow(log.session, { flow, messages, lastSequence: last });
  }

  private retain({ key }: StoreRecord, reader: RecordReader): string | undefined {
    const message: ApplicationMessage = readMessage(reader, this.source.clock);
    if (!reader.isSound || keys.retainedKey(message.topic) !== key) return "the message cannot be understood";
    if (this.source.restoration.retained(message)) this.retained += 1;
    else this.aside.push({ type: "del", key });
    return undefined;
  }
}
