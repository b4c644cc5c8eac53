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

const isBefore = (a: TimerEntry, b: TimerEntry): boolean =>
  a.dueUs !== b.dueUs ? a.dueUs < b.dueUs : a.lane !== b.lane ? a.lane < b.lane : a.sequence < b.sequence;

/**
 * Binary heap of timers. Cancelled entries stay until they surface or until they outnumber the live ones,
 * when one sweep rebuilds the heap: cancelling is O(1) and memory stays within twice the live timers.
 */
export class TimerHeap {
  private entries: TimerEntry[] = [];
  private cancelled = 0;

  /** Live timers. */
  get size(): number {
    return this.entries.length - this.cancelled;
  }

  push(entry: TimerEntry): void {
    const heap = this.entries;
    let child = heap.length;
    heap.push(entry);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent]!;
      if (!isBefore(entry, above)) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = entry;
  }

  /** Due time of the next live timer, or `Infinity`. */
  nextDueUs(): number {
    this.dropCancelledHead();
    return this.entries[0]?.dueUs ?? Number.POSITIVE_INFINITY;
  }

  /** Removes and returns the next live timer that falls due at or before `untilUs`. */
  popDue(untilUs: number): TimerEntry | undefined {
    this.dropCancelledHead();
    const head = this.entries[0];
    if (head === undefined || head.dueUs > untilUs) return undefined;
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

  private sink(from: number, entry: TimerEntry): void {
    const heap = this.entries;
    const length = heap.length;
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      const below = heap[child]!;
      if (!isBefore(below, entry)) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = entry;
  }

  private rebuild(): void {
    this.entries = this.entries.filter((entry) => entry.task !== undefined);
    this.cancelled = 0;
    for (let i = (this.entries.length >> 1) - 1; i >= 0; i -= 1) this.sink(i, this.entries[i]!);
  }
}
