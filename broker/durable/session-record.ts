import { type Clock, US_PER_MS } from "fleetrig/kernel";
import type { ProtocolVersion, QoS, Will } from "fleetrig/protocol";
import type { FlowState, InflightState } from "../engine/journal.js";
import type { StoredSession } from "../engine/restoration.js";
import type { Session } from "../engine/session.js";
import type { Subscription, SubscriptionOptions } from "../engine/subscription.js";
import { qosOf, readWill, writeWill } from "./message-record.js";
import type { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";

/** What a session is, apart from its messages: identity, subscriptions, flow. Times are wall-clock times. */

const SESSION_FLAG = { connected: 1, will: 2, version5: 4 } as const;
const SUBSCRIPTION_FLAG = { noLocal: 4, retainAsPublished: 8, id: 16 } as const;

const wallMsIn = (clock: Clock, dueUs: number): number =>
  clock.wallMs() + (dueUs - clock.nowUs()) / US_PER_MS;

const remainingUs = (clock: Clock, wallMs: number): number =>
  wallMs === Number.POSITIVE_INFINITY ? wallMs : Math.max(0, (wallMs - clock.wallMs()) * US_PER_MS);

export function writeSession(writer: RecordWriter, session: Session, clock: Clock): void {
  const { connection, pendingWill, expiryTimer } = session;
  const will: Will | undefined = connection?.will ?? pendingWill?.will;
  let flags = 0;
  if (connection !== undefined) flags |= SESSION_FLAG.connected;
  if (will !== undefined) flags |= SESSION_FLAG.will;
  if (session.version === 5) flags |= SESSION_FLAG.version5;
  writer.u8(flags);
  writer.text(session.clientId);
  writer.f64(session.expiryS);
  // Of a connected session nobody knows yet when it will expire, or its will is due.
  if (connection === undefined)
    writer.f64(expiryTimer === undefined ? Number.POSITIVE_INFINITY : wallMsIn(clock, expiryTimer.dueUs));
  if (will === undefined) return;
  if (connection === undefined) writer.f64(wallMsIn(clock, pendingWill!.timer.dueUs));
  writeWill(writer, will);
}

export function readSession(reader: RecordReader, clock: Clock): StoredSession {
  const flags = reader.u8();
  const wasConnected = (flags & SESSION_FLAG.connected) !== 0;
  const version: ProtocolVersion = flags & SESSION_FLAG.version5 ? 5 : 4;
  const clientId = reader.text();
  const expiryS = reader.f64();
  const expiresInUs = wasConnected ? undefined : remainingUs(clock, reader.f64());
  if (!(flags & SESSION_FLAG.will)) return { clientId, version, expiryS, expiresInUs, will: undefined };
  const dueInUs = wasConnected ? undefined : remainingUs(clock, reader.f64());
  return { clientId, version, expiryS, expiresInUs, will: { will: readWill(reader), dueInUs } };
}

export function writeSubscription(writer: RecordWriter, subscription: Subscription): void {
  const { qos, noLocal, retainAsPublished, subscriptionIds } = subscription;
  let flags: number = qos;
  if (noLocal) flags |= SUBSCRIPTION_FLAG.noLocal;
  if (retainAsPublished) flags |= SUBSCRIPTION_FLAG.retainAsPublished;
  if (subscriptionIds !== undefined) flags |= SUBSCRIPTION_FLAG.id;
  writer.u8(flags);
  if (subscriptionIds !== undefined) writer.varint(subscriptionIds[0]!);
}

export function readSubscription(reader: RecordReader): SubscriptionOptions {
  const flags = reader.u8();
  const qos: QoS = qosOf(flags, reader);
  return {
    qos,
    noLocal: (flags & SUBSCRIPTION_FLAG.noLocal) !== 0,
    retainAsPublished: (flags & SUBSCRIPTION_FLAG.retainAsPublished) !== 0,
    subscriptionId: flags & SUBSCRIPTION_FLAG.id ? reader.varint() : undefined,
  };
}

/** A session's packet identifiers, and what is gone of its segments. */
export interface StoredFlowRecord {
  readonly flow: FlowState;
  readonly lastSequence: number;
  readonly removed: ReadonlySet<number>;
}

export interface FlowContent {
  readonly flow: FlowState;
  readonly lastSequence: number;
  /** Ascending. */
  readonly removed: readonly number[];
}

export function writeFlow(writer: RecordWriter, { flow, lastSequence, removed }: FlowContent): void {
  writer.varint(lastSequence);
  writer.varint(flow.lastPacketId);
  const inflight = Array.from(flow.inflight);
  writer.varint(inflight.length);
  for (const { packetId, sequence, phase } of inflight) {
    writer.varint(packetId);
    writer.varint(phase === "released" ? 0 : sequence);
  }
  const received = Array.from(flow.received);
  writer.varint(received.length);
  for (const packetId of received) writer.varint(packetId);
  writeRanges(writer, removed);
}

export function readFlow(reader: RecordReader): StoredFlowRecord {
  const lastSequence = reader.varint();
  const lastPacketId = reader.varint();
  const inflight = Array.from({ length: reader.count() }, (): InflightState => {
    const packetId = reader.varint();
    const sequence = reader.varint();
    return { packetId, sequence, phase: sequence === 0 ? "released" : "sent" };
  });
  const received = Array.from({ length: reader.count() }, () => reader.varint());
  return { flow: { lastPacketId, inflight, received }, lastSequence, removed: readRanges(reader) };
}

/** Messages are mostly removed in order: few ranges say it all. Each is its distance to the one before and its length. */
function writeRanges(writer: RecordWriter, ascending: readonly number[]): void {
  let end = 0;
  for (let index = 0; index < ascending.length; ) {
    const first = ascending[index]!;
    let length = 1;
    while (ascending[index + length] === first + length) length += 1;
    writer.varint(first - end);
    writer.varint(length);
    end = first + length;
    index += length;
  }
}

function readRanges(reader: RecordReader): Set<number> {
  const removed = new Set<number>();
  let at = 0;
  while (!reader.isAtEnd) {
    at += reader.varint();
    const length = reader.varint();
    if (length > MAX_RANGE) reader.isSound = false;
    if (!reader.isSound) break;
    for (let i = 0; i < length; i += 1) removed.add(at + i);
    at += length;
  }
  return removed;
}

/** More than any session's live segments can hold. */
const MAX_RANGE = 100_000_000;
