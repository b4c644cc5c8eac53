/**
 * Sets of sequence numbers per slot, kept as ranges: messages withdrawn by the sender or refused by the broker.
 * They come in runs, so a broker that refuses everything costs two numbers per slot, not two per message.
 */
export class SequenceRanges {
  /** Per slot: first, last, first, last … ascending and disjoint. */
  private readonly ranges = new Map<number, number[]>();

  add(slot: number, sequence: number): void {
    const ranges = this.ranges.get(slot);
    if (ranges === undefined) {
      this.ranges.set(slot, [sequence, sequence]);
      return;
    }
    const at = firstEndingAtOrAfter(ranges, sequence - 1);
    if (at === ranges.length || sequence + 1 < ranges[at]!) {
      ranges.splice(at, 0, sequence, sequence);
      return;
    }
    ranges[at] = Math.min(ranges[at]!, sequence);
    ranges[at + 1] = Math.max(ranges[at + 1]!, sequence);
    const next = ranges[at + 2];
    if (next !== undefined && next <= ranges[at + 1]! + 1) {
      const last = ranges[at + 3]!;
      ranges.splice(at + 1, 3, last);
    }
  }

  has(slot: number, sequence: number): boolean {
    const ranges = this.ranges.get(slot);
    if (ranges === undefined) return false;
    const at = firstEndingAtOrAfter(ranges, sequence);
    return at < ranges.length && ranges[at]! <= sequence;
  }
}

/** Even index of the first range whose last number is at least `sequence`; by bisection. */
function firstEndingAtOrAfter(ranges: readonly number[], sequence: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle * 2 + 1]! < sequence) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
