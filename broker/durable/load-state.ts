import type { Clock, JsonValue } from "fleetrig/kernel";
import type { SequencedDelivery } from "../engine/stored-flow.js";
import type { Restoration } from "../engine/restoration.js";
import type { ApplicationMessage } from "../message.js";
import { asBuffer, FRAME_BYTES, flawOf } from "../store/record-frame.js";
import type { Damage, Store, StoreChange, StoreRecord } from "../store/store.js";
import { type Body, BodyTable } from "./body-table.js";
import * as keys from "./keys.js";
import { readMessage } from "./message-record.js";
import { RecordReader } from "./record-reader.js";
import { readSegment, type SegmentEntry } from "./segment-record.js";
import { SegmentSkim } from "./segment-skim.js";
import { SessionLog } from "./session-log.js";
import { readFlow, readSession, readSubscription, type StoredFlowRecord } from "./session-record.js";
import { addBody, type Segment } from "./stored-queue.js";
import { type StoredRun, StoredRuns } from "./stored-run.js";

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
  /** Of the cloud's services. */
  readonly records: number;
  readonly damage: readonly Damage[];
}

export interface LoadSource {
  readonly store: Store;
  readonly clock: Clock;
  readonly restoration: Restoration;
  readonly shelf?: RecordShelf;
}

/** Where the records of the cloud's services go. */
export interface RecordShelf {
  /** @returns why the record is of no use, if it is not. */
  restore(table: string, key: string, value: JsonValue): string | undefined;
  finish(): void;
}

/** A session whose segments are being read. */
interface CurrentSession {
  readonly log: SessionLog;
  readonly flow: StoredFlowRecord;
  /** What came of them, unless they can stay unread. */
  readonly messages: SequencedDelivery[];
  unread: StoredRun | undefined;
}

const FLAW_TEXTS = {
  checksum: "the record fails its checksum",
  version: "the record has an unknown format",
} as const;

const readerOf = (value: Buffer): RecordReader => new RecordReader(value, FRAME_BYTES, value.length);

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
  private records = 0;
  private current: CurrentSession | undefined;
  private readonly skim = new SegmentSkim();
  private readonly runs: StoredRuns;

  constructor(private readonly source: LoadSource) {
    this.runs = new StoredRuns(source.clock);
  }

  async load(): Promise<LoadedState> {
    const prefix = keys.PREFIX;
    const { shelf } = this.source;
    // A broker without services leaves their records where they are.
    if (shelf !== undefined)
      await this.each(prefix.record, (key, value) => this.record(shelf, key, readerOf(value)));
    await this.each(prefix.body, (key, value) => this.body(key, readerOf(value)));
    await this.each(prefix.session, (key, value) => this.session(key, readerOf(value)));
    await this.each(prefix.subscription, (key, value) => this.subscription(key, readerOf(value)));
    await this.each(prefix.flow, (key, value) => this.flow(key, readerOf(value)));
    await this.each(prefix.segment, (key, value) => this.segment(key, value));
    this.finishSession();
    // What is left are sessions without a message, but with identifiers in use.
    for (const [id, flow] of this.flows) this.restoreFlow(this.logs.get(id)!, flow, []);
    await this.each(prefix.retained, (key, value) => this.retain(key, readerOf(value)));
    for (const body of this.byNumber.values()) this.bodies.noteIdle(body);
    if (this.aside.length > 0) await this.moveAside();
    return { logs: Array.from(this.logs.values()), bodies: this.bodies, lastNumber: this.lastNumber };
  }

  get summary(): LoadSummary {
    const { messages, retained, records, damage } = this;
    return { sessions: this.logs.size, messages, retained, records, damage };
  }

  /** Calls `take` with every intact record of a kind; it returns why the record is of no use, if it is not. */
  private async each(
    prefix: string,
    take: (key: string, value: Buffer) => string | undefined,
  ): Promise<void> {
    for await (const slice of this.source.store.scan(prefix))
      for (const record of slice) {
        const value = asBuffer(record.value);
        const flaw = flawOf(record.key, value);
        const fault = flaw === undefined ? take(record.key, value) : FLAW_TEXTS[flaw];
        if (fault !== undefined) this.spoiled(record, fault);
      }
  }

  private spoiled({ key, value }: StoreRecord, what: string): void {
    this.damage.push({ where: key, what });
    // A copy: the value may be part of what the store gives up with this slice.
    this.aside.push({ type: "put", key: keys.damagedKey(key), value: Uint8Array.from(value) });
    this.aside.push({ type: "del", key });
    const number = keys.numberOf(keys.sessionIdOf(key));
    if (/^[bstfq]/.test(key) && !Number.isNaN(number)) this.numberSeen(key, number);
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

  private record(shelf: RecordShelf, key: string, reader: RecordReader): string | undefined {
    const slash = key.indexOf("/", keys.PREFIX.record.length);
    const value = parseJson(reader.text());
    if (!reader.isSound || value === undefined || slash < 0) return "the record cannot be understood";
    const fault = shelf.restore(key.slice(keys.PREFIX.record.length, slash), key.slice(slash + 1), value);
    if (fault === undefined) this.records += 1;
    return fault;
  }

  private body(key: string, reader: RecordReader): string | undefined {
    const number = keys.numberOf(key.slice(keys.PREFIX.body.length));
    const message = readMessage(reader, this.source.clock);
    if (!reader.isSound || Number.isNaN(number)) return "the message cannot be understood";
    this.byNumber.set(number, this.bodies.restore(number, message));
    return undefined;
  }

  private session(key: string, reader: RecordReader): string | undefined {
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

  private subscription(key: string, reader: RecordReader): string | undefined {
    const log = this.logs.get(keys.sessionIdOf(key));
    if (log === undefined) return "its session is missing";
    const options = readSubscription(reader);
    if (!reader.isSound) return "the subscription cannot be understood";
    this.source.restoration.subscription(log.session, keys.restOf(key), options);
    return undefined;
  }

  private flow(key: string, reader: RecordReader): string | undefined {
    const id = keys.sessionIdOf(key);
    if (!this.logs.has(id)) return "its session is missing";
    const flow = readFlow(reader);
    if (!reader.isSound) return "the packet identifiers cannot be understood";
    this.flows.set(id, flow);
    return undefined;
  }

  private segment(key: string, value: Buffer): string | undefined {
    const current = this.currentAt(key);
    if (current === undefined) return "its session is missing";
    const { log, unread } = current;
    if (unread !== undefined) {
      const { skim } = this;
      if (skim.skim(value, FRAME_BYTES, value.length)) {
        this.runs.add(unread, skim, value, FRAME_BYTES);
        log.queue.add({ first: skim.first, last: skim.last, live: skim.count, bodies: undefined });
        return undefined;
      }
      while (unread.length > 0) current.messages.push(...unread.take());
      current.unread = undefined;
    }
    const reader = readerOf(value);
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
    this.adoptSegment(current, first, entries);
    return undefined;
  }

  /** The session that this segment belongs to. */
  private currentAt(key: string): CurrentSession | undefined {
    const { current } = this;
    if (current !== undefined && key.startsWith(current.log.id, keys.PREFIX.segment.length)) return current;
    this.finishSession();
    const id = keys.sessionIdOf(key);
    const log = this.logs.get(id);
    if (log === undefined) return undefined;
    const flow = this.flows.get(id) ?? EMPTY_FLOW;
    this.flows.delete(id);
    // What is in flight has to be found, and what is gone left out.
    const isAllWaiting =
      flow.removed.size === 0 && Array.from(flow.flow.inflight).every(({ phase }) => phase === "released");
    this.current = { log, flow, messages: [], unread: isAllWaiting ? this.runs.begin() : undefined };
    return this.current;
  }

  /** Entries that an earlier process had done with are not served; a segment without others goes. */
  private adoptSegment(current: CurrentSession, first: number, entries: readonly SegmentEntry[]): void {
    const { log, messages } = current;
    const { removed } = current.flow;
    const segment: Segment & { last: number } = { first, last: first, live: 0, bodies: undefined };
    const gone: number[] = [];
    for (const entry of entries) {
      const { sequence, body } = entry;
      segment.last = sequence;
      if (removed.has(sequence)) {
        gone.push(sequence);
        continue;
      }
      segment.live += 1;
      messages.push(entry);
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
    const { log, flow, messages, unread } = this.current;
    this.current = undefined;
    this.restoreFlow(log, flow, messages, unread);
  }

  private restoreFlow(
    log: SessionLog,
    { flow, lastSequence }: StoredFlowRecord,
    messages: readonly SequencedDelivery[],
    unread?: StoredRun,
  ): void {
    this.messages += messages.length + (unread?.length ?? 0);
    const last = Math.max(lastSequence, log.usedQueue?.lastSequence ?? 0);
    if (last > 0) log.queue.lastSequence = last;
    const stored = { flow, messages, lastSequence: last };
    this.source.restoration.flow(log.session, unread === undefined ? stored : { ...stored, unread });
  }

  private retain(key: string, reader: RecordReader): string | undefined {
    const message: ApplicationMessage = readMessage(reader, this.source.clock);
    if (!reader.isSound || keys.retainedKey(message.topic) !== key) return "the message cannot be understood";
    if (this.source.restoration.retained(message)) this.retained += 1;
    else this.aside.push({ type: "del", key });
    return undefined;
  }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
