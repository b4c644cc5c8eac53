/**
 * A *slot* is the number of a document in an index: small, and given to another document once it is free.
 * Sets of slots are short lists while they are small and bitmaps when they are large.
 */
export type Slot = number;

/** A set of slots during a query, one bit each; missing words are zero. */
export type SlotBits = Uint32Array;

const BITS = 32;
/** Above one in this many, a bitmap is smaller than a list. */
const SPARSENESS = 64;
const MIN_BITMAP_COUNT = 256;
/** Lists are searched from end to end, which is why they stay short even where a bitmap is larger. */
const MAX_LIST_LENGTH = 2_048;

export const bitsFor = (slots: number): SlotBits => new Uint32Array(Math.ceil(slots / BITS));

export const addBit = (bits: SlotBits, slot: Slot): void => {
  bits[slot >>> 5]! |= 1 << (slot & 31);
};

const hasBit = (bits: SlotBits, slot: Slot): boolean => (bits[slot >>> 5]! & (1 << (slot & 31))) !== 0;

export function countBits(bits: SlotBits): number {
  let count = 0;
  for (let at = 0; at < bits.length; at += 1) {
    let word = bits[at]!;
    if (word === 0) continue;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
  }
  return count;
}

/** Calls `visit` with the slots of a set in ascending order. */
export function forEachSlot(bits: SlotBits, visit: (slot: Slot) => void): void {
  for (let at = 0; at < bits.length; at += 1) {
    let word = bits[at]!;
    while (word !== 0) {
      const lowest = word & -word;
      visit(at * BITS + (31 - Math.clz32(lowest)));
      word ^= lowest;
    }
  }
}

/** The slots of a set in ascending order, from `from` on. */
export function* slotsOf(bits: SlotBits, from: Slot = 0): Generator<Slot> {
  const first = from >>> 5;
  for (let at = first; at < bits.length; at += 1) {
    let word = bits[at]!;
    if (at === first) word &= -1 << (from & 31);
    while (word !== 0) {
      const lowest = word & -word;
      yield at * BITS + (31 - Math.clz32(lowest));
      word ^= lowest;
    }
  }
}

/** A set of slots that is kept. */
export class SlotSet {
  private list: Slot[] | undefined = [];
  private bits: SlotBits | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(slot: Slot): boolean {
    if (this.list !== undefined) return this.list.includes(slot);
    return slot >>> 5 < this.bits!.length && hasBit(this.bits!, slot);
  }

  /**
   * Adds a slot that is not in the set, or was the last to be added.
   * @param slots How many slots there are, occupied or not.
   */
  add(slot: Slot, slots: number): void {
    const { list } = this;
    if (list === undefined ? this.has(slot) : list.at(-1) === slot) return;
    this.count += 1;
    if (list !== undefined) {
      list.push(slot);
      const most = Math.max(MIN_BITMAP_COUNT, Math.min(slots / SPARSENESS, MAX_LIST_LENGTH));
      if (this.count > most) this.spread(slots);
      return;
    }
    if (slot >>> 5 >= this.bits!.length) this.widen(Math.max(slots, slot + 1));
    addBit(this.bits!, slot);
  }

  /** Removing what is not there does nothing. */
  delete(slot: Slot): void {
    if (this.list === undefined) {
      if (!this.has(slot)) return;
      this.bits![slot >>> 5]! &= ~(1 << (slot & 31));
      this.count -= 1;
      return;
    }
    const at = this.list.indexOf(slot);
    if (at < 0) return;
    this.list[at] = this.list.at(-1)!;
    this.list.pop();
    this.count -= 1;
  }

  clear(): void {
    this.list = [];
    this.bits = undefined;
    this.count = 0;
  }

  /** Adds all of it to a result. */
  joinInto(result: SlotBits): void {
    const { list, bits } = this;
    if (list !== undefined) for (const slot of list) addBit(result, slot);
    else for (let at = Math.min(bits!.length, result.length) - 1; at >= 0; at -= 1) result[at]! |= bits![at]!;
  }

  private spread(slots: number): void {
    const list = this.list!;
    this.list = undefined;
    this.bits = bitsFor(slots);
    for (const slot of list) addBit(this.bits, slot);
  }

  private widen(slots: number): void {
    const wide = bitsFor(slots + (slots >>> 2));
    wide.set(this.bits!);
    this.bits = wide;
  }
}
