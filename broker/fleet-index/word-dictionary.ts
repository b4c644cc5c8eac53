import { addBit, type Slot, type SlotBits, SlotSet } from "./slot-set.js";

/** So many words are looked through rather than sorted; later a share of those that are sorted already. */
const MIN_RECENT = 256;
const RECENT_SHARE = 1 / 4;

/**
 * The words of one field and the slots that have them. Words are kept in the order of their code units as well, so
 * that prefixes and ranges need not look at all of them; new words wait in a list that is merged in now and then.
 */
export class WordDictionary {
  /** Most words of names and ids belong to one document, which needs no set. */
  private readonly words = new Map<string, Slot | SlotSet>();
  /** In order; some may be gone since. */
  private sorted: string[] = [];
  private recent: string[] = [];

  /** @param slots How many slots there are, occupied or not. */
  add(word: string, slot: Slot, slots: number): void {
    const known = this.words.get(word);
    if (known === undefined) {
      this.words.set(word, slot);
      this.recent.push(word);
      if (this.recent.length > Math.max(MIN_RECENT, this.sorted.length * RECENT_SHARE)) this.merge();
    } else if (typeof known === "object") known.add(slot, slots);
    else if (known !== slot) {
      const both = new SlotSet();
      both.add(known, slots);
      both.add(slot, slots);
      this.words.set(word, both);
    }
  }

  remove(word: string, slot: Slot): void {
    const known = this.words.get(word);
    if (known === slot) this.words.delete(word);
    if (typeof known !== "object") return;
    known.delete(slot);
    if (known.size === 0) this.words.delete(word);
  }

  /** Adds the slots to `result` that have this word. */
  select(word: string, result: SlotBits): void {
    const slots = this.words.get(word);
    if (slots === undefined) return;
    if (typeof slots === "number") addBit(result, slots);
    else slots.joinInto(result);
  }

  /** Adds the slots to `result` that have a word with this property. */
  selectWhere(passes: (word: string) => boolean, result: SlotBits): void {
    for (const word of this.sorted) if (passes(word)) this.select(word, result);
    for (const word of this.recent) if (passes(word)) this.select(word, result);
  }

  /** As `selectWhere`, for words none of which comes before `from`, nor at or after `before`. */
  selectBetween(
    { from, before }: { readonly from: string; readonly before: string | undefined },
    passes: (word: string) => boolean,
    result: SlotBits,
  ): void {
    const { sorted } = this;
    const end = before === undefined ? sorted.length : this.placeOf(before);
    for (let at = this.placeOf(from); at < end; at += 1) {
      if (passes(sorted[at]!)) this.select(sorted[at]!, result);
    }
    for (const word of this.recent) if (passes(word)) this.select(word, result);
  }

  /** Where a word stands among the sorted ones, or would. */
  private placeOf(word: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]! < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private merge(): void {
    const { sorted } = this;
    const recent = this.recent.sort();
    const merged: string[] = [];
    let old = 0;
    let young = 0;
    while (old < sorted.length || young < recent.length) {
      const isOld = young === recent.length || (old < sorted.length && sorted[old]! <= recent[young]!);
      const word = isOld ? sorted[old]! : recent[young]!;
      if (isOld) old += 1;
      else young += 1;
      if (this.words.has(word) && merged.at(-1) !== word) merged.push(word);
    }
    this.sorted = merged;
    this.recent = [];
  }
}
