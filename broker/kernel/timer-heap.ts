import type { Timer } from "./clock.js";

/** Where a timer belongs: the lane that set it, and through it the heap. */
export interface TimerLane {
  readonly ordinal: number;
  readonly heap: TimerHeap;
  /** Makes the entry pending, due `delayUs` from now. */
  schedule(entry: TimerEntry, delayUs: number): void;
}

/** A call that can be scheduled, by itself or again and again. */
export class TimerEntry implements Timer {
  dueUs = 0;
  /** Place in the heap's tables; -1 while the timer is not pending. */
  slot = -1;

  constructor(
    private readonly lane: TimerLane,
    private readonly task: (arg: unknown) => void,
    private readonly arg: unknown,
  ) {}

  cancel(): void {
    if (this.slot >= 0) this.lane.heap.cancel(this);
  }

  again(delayUs: number): void {
    this.cancel();
    this.lane.schedule(this, delayUs);
  }

  run(): void {
    this.task(this.arg);
  }
}

/** Children per node: four due times lie in one or two cache lines, and the heap is half as deep as a binary one. */
const ARITY = 4;
const INITIAL_CAPACITY = 64;

/**
 * Heap of timers, ordered by (due, lane, sequence within the lane).
 *
 * The heap itself consists of numbers: due times, and beside each a *slot*, the timer's place in the tables that
 * hold everything else. A run has tens of thousands of timers; comparing and moving the timers themselves would
 * cost a cache miss and a write barrier each.
 * A cancelled timer leaves its slot at once, and its place in the heap when it surfaces or when such places
 * outnumber the live ones and one sweep rebuilds the heap: cancelling is O(1), memory within twice the live timers.
 */
export class TimerHeap {
  private length = 0;
  private cancelled = 0;
  private dues = new Float64Array(INITIAL_CAPACITY);
  private slots = new Int32Array(INITIAL_CAPACITY);
  /** By slot. A slot without an entry was cancelled, or is among the free ones. */
  private entries: (TimerEntry | undefined)[] = [];
  private lanes = new Int32Array(INITIAL_CAPACITY);
  private sequences = new Float64Array(INITIAL_CAPACITY);
  private freeSlots = new Int32Array(INITIAL_CAPACITY);
  private freeCount = 0;

  /** Live timers. */
  get size(): number {
    return this.length - this.cancelled;
  }

  /** @param sequence Grows within the entry's lane. */
  push(entry: TimerEntry, lane: number, sequence: number): void {
    if (this.length >= this.dues.length) this.grow();
    const slot = this.freeCount > 0 ? this.freeSlots[(this.freeCount -= 1)]! : this.entries.length;
    this.entries[slot] = entry;
    this.lanes[slot] = lane;
    this.sequences[slot] = sequence;
    entry.slot = slot;
    this.rise(this.length++, entry.dueUs, slot);
  }

  /** Due time of the next live timer, or `Infinity`. */
  nextDueUs(): number {
    this.dropCancelledHead();
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.dues[0]!;
  }

  /** Removes and returns the next live timer that falls due at or before `untilUs`. */
  popDue(untilUs: number): TimerEntry | undefined {
    this.dropCancelledHead();
    if (this.length === 0 || this.dues[0]! > untilUs) return undefined;
    const entry = this.entries[this.slots[0]!]!;
    this.removeHead();
    entry.slot = -1;
    return entry;
  }

  /** Only for a timer that is pending. */
  cancel(entry: TimerEntry): void {
    this.entries[entry.slot] = undefined;
    entry.slot = -1;
    this.cancelled += 1;
    if (this.cancelled > 64 && this.cancelled * 2 > this.length) this.rebuild();
  }

  clear(): void {
    for (const entry of this.entries) if (entry !== undefined) entry.slot = -1;
    this.entries = [];
    this.length = 0;
    this.cancelled = 0;
    this.freeCount = 0;
  }

  private grow(): void {
    const capacity = this.dues.length * 2;
    this.dues = grown(this.dues, new Float64Array(capacity));
    this.sequences = grown(this.sequences, new Float64Array(capacity));
    this.slots = grown(this.slots, new Int32Array(capacity));
    this.lanes = grown(this.lanes, new Int32Array(capacity));
    this.freeSlots = grown(this.freeSlots, new Int32Array(capacity));
  }

  private dropCancelledHead(): void {
    while (this.length > 0 && this.entries[this.slots[0]!] === undefined) {
      this.removeHead();
      this.cancelled -= 1;
    }
  }

  private removeHead(): void {
    this.free(this.slots[0]!);
    const last = (this.length -= 1);
    if (last > 0) this.sink(0, this.dues[last]!, this.slots[last]!);
  }

  private free(slot: number): void {
    this.entries[slot] = undefined;
    this.freeSlots[this.freeCount++] = slot;
  }

  /** Among timers due in the same microsecond: by lane, then by the order in which the lane set them. */
  private precedes(slot: number, other: number): boolean {
    const { lanes, sequences } = this;
    return lanes[slot] === lanes[other] ? sequences[slot]! < sequences[other]! : lanes[slot]! < lanes[other]!;
  }

  private rise(from: number, dueUs: number, slot: number): void {
    const { dues, slots } = this;
    let hole = from;
    while (hole > 0) {
      const parent = ((hole - 1) / ARITY) | 0;
      const aboveUs = dues[parent]!;
      if (aboveUs < dueUs || (aboveUs === dueUs && !this.precedes(slot, slots[parent]!))) break;
      dues[hole] = aboveUs;
      slots[hole] = slots[parent]!;
      hole = parent;
    }
    dues[hole] = dueUs;
    slots[hole] = slot;
  }

  private sink(from: number, dueUs: number, slot: number): void {
    const { dues, slots, length } = this;
    let hole = from;
    for (;;) {
      const first = hole * ARITY + 1;
      if (first >= length) break;
      let child = first;
      let childUs = dues[first]!;
      const end = first + ARITY < length ? first + ARITY : length;
      for (let other = first + 1; other < end; other += 1) {
        const otherUs = dues[other]!;
        if (otherUs > childUs || (otherUs === childUs && this.precedes(slots[child]!, slots[other]!)))
          continue;
        child = other;
        childUs = otherUs;
      }
      if (childUs > dueUs || (childUs === dueUs && this.precedes(slot, slots[child]!))) break;
      dues[hole] = childUs;
      slots[hole] = slots[child]!;
      hole = child;
    }
    dues[hole] = dueUs;
    slots[hole] = slot;
  }

  private rebuild(): void {
    const { dues, slots } = this;
    let kept = 0;
    for (let i = 0; i < this.length; i += 1) {
      const slot = slots[i]!;
      if (this.entries[slot] === undefined) {
        this.free(slot);
        continue;
      }
      dues[kept] = dues[i]!;
      slots[kept] = slot;
      kept += 1;
    }
    this.length = kept;
    this.cancelled = 0;
    for (let i = ((kept - 2) / ARITY) | 0; i >= 0; i -= 1) this.sink(i, dues[i]!, slots[i]!);
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
