import type { Clock } from "fleetrig/kernel";
import { Delivery } from "../engine/delivery.js";
import type { SequencedDelivery } from "../engine/stored-flow.js";
import type { ApplicationMessage } from "../message.js";
import { qosOf, readMessage, writeMessage } from "./message-record.js";
import type { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";

/** A segment: entries of sequence (as the distance to the one before), form, and the message or its body's number. */

export const ENTRY_FLAG = { retain: 4, share: 8, subscriptionIds: 16, body: 32 } as const;

export interface SegmentEntry extends SequencedDelivery {
  /** Number of the body it refers to; undefined when the message is part of the segment. */
  readonly body: number | undefined;
}

export interface EntryPosition {
  /** Distance to the entry before; the first one's to 0. */
  readonly distance: number;
  readonly body: number | undefined;
}

export function writeEntry(
  writer: RecordWriter,
  delivery: Delivery,
  position: EntryPosition,
  clock: Clock,
): void {
  const { qos, retain, share, subscriptionIds, message } = delivery;
  let flags: number = qos;
  if (retain) flags |= ENTRY_FLAG.retain;
  if (share !== undefined) flags |= ENTRY_FLAG.share;
  if (subscriptionIds !== undefined) flags |= ENTRY_FLAG.subscriptionIds;
  if (position.body !== undefined) flags |= ENTRY_FLAG.body;
  writer.varint(position.distance);
  writer.u8(flags);
  if (share !== undefined) writer.text(share);
  if (subscriptionIds !== undefined) {
    writer.varint(subscriptionIds.length);
    for (const id of subscriptionIds) writer.varint(id);
  }
  if (position.body === undefined) writeMessage(writer, message, clock);
  else writer.varint(position.body);
}

/** Where the bodies of messages are found. */
export interface BodySource {
  body(number: number): ApplicationMessage | undefined;
}

/** @returns the entries; those whose body is missing are told to `missing` and left out. */
export function readSegment(
  reader: RecordReader,
  clock: Clock,
  source: BodySource & { readonly missing: (sequence: number, body: number) => void },
): SegmentEntry[] {
  const entries: SegmentEntry[] = [];
  let sequence = 0;
  while (!reader.isAtEnd && reader.isSound) {
    sequence += reader.varint();
    const flags = reader.u8();
    const qos = qosOf(flags, reader);
    const retain = (flags & ENTRY_FLAG.retain) !== 0;
    const share = flags & ENTRY_FLAG.share ? reader.text() : undefined;
    const subscriptionIds =
      flags & ENTRY_FLAG.subscriptionIds
        ? Array.from({ length: reader.count() }, () => reader.varint())
        : undefined;
    const body = flags & ENTRY_FLAG.body ? reader.varint() : undefined;
    const message = body === undefined ? readMessage(reader, clock) : source.body(body);
    if (message === undefined) {
      source.missing(sequence, body!);
      continue;
    }
    const form = share === undefined ? { qos, retain } : { qos, retain, share };
    entries.push({ sequence, delivery: new Delivery(message, form, subscriptionIds), body });
  }
  return entries;
}
