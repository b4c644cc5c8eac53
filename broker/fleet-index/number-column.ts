import type { Range } from "./query.js";
import { addBit, type Slot, type SlotBits } from "./slot-set.js";

const MIN_DENSE_COUNT = 1_024;
/** Above one number in this many slots, an array is smaller and faster than a map. */
const SPARSENESS = 8;

/**
 * The numbers of one field by slot. Ranges look at all of them: for a hundred thousand that takes less than a
 * millisecond, and nothing has to be kept in order while devices report.
 */
export class NumberColumn {
  private sparse: Map<Slot, number> | undefined = new Map();
  /** NaN where there is none. */
  private dense = new Float64Array(0);
  /** Lists of two numbers and more; the first is in the column, too. */
  private lists: Map<Slot, readonly number[]> | undefined;

  /** @param slots How many slots there are, occupied or not. */
  set(slot: Slot, numbers: readonly number[], slots: number): void {
    const [first] = numbers;
    if (first === undefined) return;
    if (numbers.length > 1) (this.lists ??= new Map()).set(slot, numbers);
    if (this.sparse !== undefined) {
      this.sparse.set(slot, first);
      if (this.sparse.size > Math.max(MIN_DENSE_COUNT, slots / SPARSENESS)) this.condense(slots);
      return;
    }
    if (slot >= this.dense.length) this.widen(Math.max(slots, slot + 1));
    this.dense[slot] = first;
  }

  delete(slot: Slot): void {
    this.lists?.delete(slot);
    if (this.sparse !== undefined) this.sparse.delete(slot);
    else if (slot < this.dense.length) this.dense[slot] = Number.NaN;
  }

  /** Adds the slots to `result` that have a number in this range. */
  select({ from, to, isFromExcluded, isToExcluded }: Range<number>, result: SlotBits): void {
    const low = from ?? Number.NEGATIVE_INFINITY;
    const high = to ?? Number.POSITIVE_INFINITY;
    // NaN, which stands for no number, passes no comparison.
    const passes = (value: number): boolean =>
      value >= low &&
      value <= high &&
      !(isFromExcluded && value === low) &&
      !(isToExcluded && value === high);
    if (this.sparse !== undefined) {
      for (const [slot, value] of this.sparse) if (passes(value)) addBit(result, slot);
    } else {
      const { dense } = this;
      for (let slot = 0; slot < dense.length; slot += 1) if (passes(dense[slot]!)) addBit(result, slot);
    }
    if (this.lists === undefined) return;
    for (const [slot, values] of this.lists) if (values.some(passes)) addBit(result, slot);
  }

  private condense(slots: number): void {
    const { sparse } = this;
    this.sparse = undefined;
    this.widen(slots);
    for (const [slot, value] of sparse!) this.dense[slot] = value;
  }

  private widen(slots: number): void {
    const wide = new Float64Array(slots + (slots >>> 2)).fill(Number.NaN);
    wide.set(this.dense);
    this.dense = wide;
  }
}
