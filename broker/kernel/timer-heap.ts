import type { Timer } from "./clock.js";

/** A scheduled call, ordered by (due, lane, sequence within the lane). */
export class TimerEntry implements Timer {
  task: ((arg: unknown) => void) | undefined;
  constructor(
    readonly dueUs: number,
    readonly lane: number,
    readonly sequence: number,
    task: (arg: unknown) => void,
    public arg: unknown,
    private readonly owner: TimerHeap,
  ) {
    this.task = task;
  }

  cancel(): void {
    if (this.task === undefined) return;
    this.task = undefined;
    this.arg = undefined;
    this.owner.noteCancelled();
  }
}

/** Among timers due in the same microsecond: by lane, then by the order in which the lane set them. */
const precedes = (a: TimerEntry, b: TimerEntry): boolean =>
  a.lane !== b.lane ? a.lane < b.lane : a.sequence < b.sequence;

/** Children per node: four due times lie in one or two cache lines, and the heap is half as deep as a binary one. */
const ARITY = 4;
const INITIAL_CAPACITY = 64;

/**
 * Heap of timers. Due times stand beside the entries in an array of numbers: a run has tens of thousands of
 * timers, and comparing through the entries would cost a cache miss each.
 * Cancelled entries stay until they surface or until they outnumber the live ones, when one sweep rebuilds the
 * heap: cancelling is O(1) and memory stays within twice the live timers.
 */
export class TimerHeap {
  private entries: TimerEntry[] = [];
  private dues = new Float64Array(INITIAL_CAPACITY);
  private cancelled = 0;

  /** Live timers. */
  get size(): number {
    return this.entries.length - this.cancelled;
  }

  push(entry: TimerEntry): void {
    const at = this.entries.length;
    this.entries.push(entry);
    if (at >= this.dues.length) this.grow();
    this.rise(at, entry);
  }

  /** Due time of the next live timer, or `Infinity`. */
  nextDueUs(): number {
    this.dropCancelledHead();
    return this.entries.length === 0 ? Number.POSITIVE_INFINITY : this.dues[0]!;
  }

  /** Removes and returns the next live timer that falls due at or before `untilUs`. */
  popDue(untilUs: number): TimerEntry | undefined {
    this.dropCancelledHead();
    if (this.entries.length === 0 || this.dues[0]! > untilUs) return undefined;
    const head = this.entries[0]!;
    this.removeHead();
    return head;
  }

  noteCancelled(): void {
    this.cancelled += 1;
    if (this.cancelled > 64 && this.cancelled * 2 > this.entries.length) this.rebuild();
  }

  clear(): void {
    this.entries = [];
    this.cancelled = 0;
  }

  private grow(): void {
    const dues = new Float64Array(this.dues.length * 2);
    dues.set(this.dues);
    this.dues = dues;
  }

  private dropCancelledHead(): void {
    while (this.entries.length > 0 && this.entries[0]!.task === undefined) {
      this.removeHead();
      this.cancelled -= 1;
    }
  }

  private removeHead(): void {
    const last = this.entries.pop()!;
    if (this.entries.length > 0) this.sink(0, last);
  }

  private rise(from: number, entry: TimerEntry): void {
    const { entries, dues } = this;
    const { dueUs } = entry;
    let hole = from;
    while (hole > 0) {
      const parent = ((hole - 1) / ARITY) | 0;
      const aboveUs = dues[parent]!;
      if (aboveUs < dueUs || (aboveUs === dueUs && !precedes(entry, entries[parent]!))) break;
      entries[hole] = entries[parent]!;
      dues[hole] = aboveUs;
      hole = parent;
    }
    entries[hole] = entry;
    dues[hole] = dueUs;
  }

  private sink(from: number, entry: TimerEntry): void {
    const { entries, dues } = this;
    const { length } = entries;
    const { dueUs } = entry;
    let hole = from;
    for (;;) {
      const first = hole * ARITY + 1;
      if (first >= length) break;
      let child = first;
      let childUs = dues[first]!;
      const end = first + ARITY < length ? first + ARITY : length;
      for (let other = first + 1; other < end; other += 1) {
        const otherUs = dues[other]!;
        if (otherUs > childUs || (otherUs === childUs && precedes(entries[child]!, entries[other]!)))
          continue;
        child = other;
        childUs = otherUs;
      }
      if (childUs > dueUs || (childUs === dueUs && precedes(entry, entries[child]!))) break;
      entries[hole] = entries[child]!;
      dues[hole] = childUs;
      hole = child;
    }
    entries[hole] = entry;
    dues[hole] = dueUs;
  }

  private rebuild(): void {
    this.entries = this.entries.filter((entry) => entry.task !== undefined);
    this.cancelled = 0;
    const { length } = this.entries;
    for (let i = 0; i < length; i += 1) this.dues[i] = this.entries[i]!.dueUs;
    for (let i = ((length - 2) / ARITY) | 0; i >= 0; i -= 1) this.sink(i, this.entries[i]!);
  }
}
