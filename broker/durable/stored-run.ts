import type { Clock } from "fleetrig/kernel";
import type { SequencedDelivery } from "../engine/stored-flow.js";
import type { StoredMessages } from "../engine/stored-messages.js";
import { readMessage } from "./message-record.js";
import { RecordReader } from "./record-reader.js";
import { readSegment } from "./segment-record.js";
import type { SegmentSkim } from "./segment-skim.js";

/** Small enough that a few unread messages do not keep much else in memory. */
const ARENA_BYTES = 262_144;
const LENGTH_BYTES = 4;
/** Plain segments refer to no body. */
const NO_BODIES = { body: () => undefined, missing: () => undefined };

/** The plain segments of one session, as they were stored, one after the other: the length and the bytes of each. */
export class StoredRun implements StoredMessages {
  length = 0;
  footprintBytes = 0;
  private at: number;

  constructor(
    private readonly clock: Clock,
    public bytes: Buffer,
    public start: number,
  ) {
    this.at = start;
  }

  get oldestAtUs(): number {
    if (this.length === 0) return -1;
    const reader = new RecordReader(this.bytes, this.at + LENGTH_BYTES, this.bytes.length);
    // Distance and form come before the message.
    reader.varint();
    reader.u8();
    return readMessage(reader, this.clock).receivedAtUs;
  }

  take(): readonly SequencedDelivery[] {
    if (this.length === 0) return [];
    const from = this.at + LENGTH_BYTES;
    const to = from + this.bytes.readUInt32BE(this.at);
    this.at = to;
    const entries = readSegment(new RecordReader(this.bytes, from, to), this.clock, NO_BODIES);
    this.length -= entries.length;
    for (const { delivery } of entries) this.footprintBytes -= delivery.footprintBytes;
    return entries;
  }

  /** Before anything was taken: the same bytes elsewhere. */
  moveTo(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.at = start;
  }
}

/** Collects the runs of all sessions, one after the other, in few large buffers. */
export class StoredRuns {
  private arena = Buffer.allocUnsafeSlow(0);
  private used = 0;

  constructor(private readonly clock: Clock) {}

  begin(): StoredRun {
    return new StoredRun(this.clock, this.arena, this.used);
  }

  /** Adds a segment, `bytes[from..to)`, to the run that was begun last. */
  add(run: StoredRun, { count, footprintBytes }: SegmentSkim, bytes: Buffer, from: number): void {
    const length = bytes.length - from;
    this.reserve(run, LENGTH_BYTES + length);
    this.used = this.arena.writeUInt32BE(length, this.used);
    this.arena.set(from === 0 ? bytes : bytes.subarray(from), this.used);
    this.used += length;
    run.length += count;
    run.footprintBytes += footprintBytes;
  }

  private reserve(run: StoredRun, bytes: number): void {
    if (this.used + bytes <= this.arena.length) return;
    const { arena } = this;
    const runBytes = this.used - run.start;
    this.arena = Buffer.allocUnsafeSlow(Math.max(ARENA_BYTES, (runBytes + bytes) * 2));
    arena.copy(this.arena, 0, run.start, this.used);
    this.used = runBytes;
    run.moveTo(this.arena, 0);
  }
}
