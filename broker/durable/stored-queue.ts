import type { Delivery } from "../engine/delivery.js";
import type { Body } from "./body-table.js";

/** What one record of a queue holds: messages with sequences from `first` to `last`, `live` of which still wait. */
export interface Segment {
  readonly first: number;
  readonly last: number;
  live: number;
  /** Bodies its entries refer to, by sequence; just the body when only the first entry refers to one. */
  bodies: Body | Map<number, Body> | undefined;
}

/** What became of a removed message: nothing to do, something to note, or a segment to delete. */
export type Removal = "elided" | "marked" | Segment;

/**
 * The messages of one session, as the journal sees them: those that no commit has taken yet, and the segments of
 * earlier commits. Sequences grow; both lists are ordered by them.
 */
export class StoredQueue {
  lastSequence = 0;
  private sequences: number[] = [];
  /** Parallel to `sequences`; undefined for what was removed before it was written. */
  private deliveries: (Delivery | undefined)[] = [];
  /** A number stands for a segment of one message, itself: most are, where many sessions share the traffic. */
  private segments: (Segment | number)[] = [];
  /** Sequences that are gone from segments that are not. */
  private gone: Set<number> | undefined;

  get hasPending(): boolean {
    return this.sequences.length > 0;
  }

  /** Sequences that are gone from live segments, ascending. */
  get removed(): number[] {
    return this.gone === undefined ? [] : Array.from(this.gone).sort((a, b) => a - b);
  }

  get liveSegments(): readonly Segment[] {
    return this.segments.map(toSegment);
  }

  push(sequence: number, delivery: Delivery): void {
    this.sequences.push(sequence);
    this.deliveries.push(delivery);
    this.lastSequence = sequence;
  }

  /** Hands over what waits for a commit, oldest first; `take` is not called for what was removed meanwhile. */
  takePending(take: (sequence: number, delivery: Delivery) => void): void {
    const { sequences, deliveries } = this;
    this.sequences = [];
    this.deliveries = [];
    for (let i = 0; i < sequences.length; i += 1) {
      const delivery = deliveries[i];
      if (delivery !== undefined) take(sequences[i]!, delivery);
    }
  }

  add(segment: Segment): void {
    const { first, last, live, bodies } = segment;
    this.segments.push(live === 1 && first === last && bodies === undefined ? first : segment);
    if (segment.last > this.lastSequence) this.lastSequence = segment.last;
  }

  /** Takes over what an earlier process marked. */
  restoreRemoved(sequences: readonly number[]): void {
    for (const sequence of sequences) this.mark(sequence);
  }

  remove(sequence: number): Removal {
    if (this.sequences.length > 0 && sequence >= this.sequences[0]!) {
      const index = this.pendingIndex(sequence);
      if (index >= 0) this.deliveries[index] = undefined;
      return "elided";
    }
    const at = this.segmentOf(sequence);
    if (at < 0) return "elided";
    const segment = toSegment(this.segments[at]!);
    segment.live -= 1;
    release(segment, sequence);
    if (segment.live > 0) {
      this.mark(sequence);
      return "marked";
    }
    if (at === 0) this.segments.shift();
    else this.segments.splice(at, 1);
    this.unmark(segment);
    return segment;
  }

  private mark(sequence: number): void {
    this.gone ??= new Set();
    this.gone.add(sequence);
  }

  private unmark({ first, last }: Segment): void {
    const { gone } = this;
    if (gone === undefined) return;
    if (last - first < gone.size)
      for (let sequence = first; sequence <= last; sequence += 1) gone.delete(sequence);
    else for (const sequence of gone) if (sequence >= first && sequence <= last) gone.delete(sequence);
    if (gone.size === 0) this.gone = undefined;
  }

  private pendingIndex(sequence: number): number {
    const index = lastAtMost(this.sequences.length, (i) => this.sequences[i]! <= sequence);
    return index >= 0 && this.sequences[index] === sequence ? index : -1;
  }

  private segmentOf(sequence: number): number {
    const { segments } = this;
    const oldest = segments[0];
    if (oldest === undefined || sequence < firstOf(oldest)) return -1;
    if (sequence <= lastOf(oldest)) return 0;
    const index = lastAtMost(segments.length, (i) => firstOf(segments[i]!) <= sequence);
    return sequence <= lastOf(segments[index]!) ? index : -1;
  }
}

const firstOf = (segment: Segment | number): number =>
  typeof segment === "number" ? segment : segment.first;

const lastOf = (segment: Segment | number): number => (typeof segment === "number" ? segment : segment.last);

const toSegment = (segment: Segment | number): Segment =>
  typeof segment === "number" ? { first: segment, last: segment, live: 1, bodies: undefined } : segment;

function release(segment: Segment, sequence: number): void {
  const { bodies } = segment;
  if (bodies === undefined) return;
  if (bodies instanceof Map) {
    bodies.get(sequence)?.release();
    bodies.delete(sequence);
  } else if (sequence === segment.first) {
    bodies.release();
    segment.bodies = undefined;
  }
}

/** Notes that an entry refers to a body. */
export function addBody(segment: Segment, sequence: number, body: Body): void {
  if (sequence === segment.first) {
    segment.bodies = body;
    return;
  }
  if (!(segment.bodies instanceof Map))
    segment.bodies = new Map(segment.bodies === undefined ? [] : [[segment.first, segment.bodies]]);
  segment.bodies.set(sequence, body);
}

/** The segment goes with everything in it. */
export function releaseAll({ bodies }: Segment): void {
  if (bodies instanceof Map) for (const body of bodies.values()) body.release();
  else bodies?.release();
}

/** The last index for which `isAtMost` holds, which holds up to some index and not beyond; -1 for none. */
function lastAtMost(length: number, isAtMost: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAtMost(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
