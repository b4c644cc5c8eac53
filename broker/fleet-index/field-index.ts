import {
  type FieldValue,
  numericValue,
  type Reading,
  scalarsOf,
  termsOf,
  wordPasses,
} from "./field-value.js";
import { NumberColumn } from "./number-column.js";
import type { Range, ValueTest } from "./query.js";
import { type Slot, type SlotBits, SlotSet } from "./slot-set.js";
import { WordDictionary } from "./word-dictionary.js";

/** How a field takes part in queries. */
export interface FieldTraits {
  readonly reading: Reading;
  /** Versions are shown and aggregated, but not searched (REF §13.3). */
  readonly isSearchable: boolean;
  /** Found by terms that name no field. */
  readonly isEverywhere: boolean;
}

/** One field of all documents: who has it, by which words, and with which numbers. */
export class FieldIndex {
  private readonly present = new SlotSet();
  private words: WordDictionary | undefined;
  private numbers: NumberColumn | undefined;

  constructor(
    readonly name: string,
    readonly traits: FieldTraits,
  ) {}

  get isEmpty(): boolean {
    return this.present.size === 0;
  }

  /** @param slots How many slots there are, occupied or not. */
  add(slot: Slot, value: FieldValue, slots: number): void {
    this.present.add(slot, slots);
    if (!this.traits.isSearchable) return;
    const numbers: number[] = [];
    for (const scalar of scalarsOf(value)) {
      const number = numericValue(scalar, this.traits.reading);
      if (number !== undefined) numbers.push(number);
      for (const word of termsOf(scalar)) (this.words ??= new WordDictionary()).add(word, slot, slots);
    }
    if (numbers.length > 0) (this.numbers ??= new NumberColumn()).set(slot, numbers, slots);
  }

  /** @param value What was added. */
  remove(slot: Slot, value: FieldValue): void {
    this.present.delete(slot);
    if (!this.traits.isSearchable) return;
    this.numbers?.delete(slot);
    for (const scalar of scalarsOf(value)) for (const word of termsOf(scalar)) this.words?.remove(word, slot);
  }

  /**
   * Adds the slots to `result` that pass a test. Of a phrase it adds those that have one of its words: they remain to
   * be looked at.
   */
  select(test: ValueTest, result: SlotBits): void {
    if (!this.traits.isSearchable) return;
    const { words, numbers } = this;
    switch (test.kind) {
      case "exists":
        return this.present.joinInto(result);
      case "phrase":
        return words?.select(longest(test.words), result);
      case "exact":
        words?.select(test.text, result);
        if (test.number !== undefined) numbers?.select(only(test.number), result);
        return;
      case "numbers":
        return numbers?.select(test.range, result);
      case "texts": {
        const { from = "", to } = test.range;
        // The least text after `to` is `to` and a NUL.
        const bounds = { from, before: to === undefined ? undefined : `${to}\0` };
        return words?.selectBetween(bounds, (word) => wordPasses(word, test), result);
      }
      case "glob": {
        const { glob } = test;
        const passes = (word: string): boolean => glob.matches(word);
        if (glob.prefix === "") return words?.selectWhere(passes, result);
        return words?.selectBetween({ from: glob.prefix, before: afterPrefix(glob.prefix) }, passes, result);
      }
    }
  }
}

/** The least text after all that begin with this one; undefined where there is none. */
function afterPrefix(prefix: string): string | undefined {
  const last = prefix.charCodeAt(prefix.length - 1);
  return last === 0xffff ? undefined : prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

/** The longest word of a phrase is likely to be the rarest. */
const longest = (words: readonly string[]): string => words.reduce((a, b) => (b.length > a.length ? b : a));

const only = (value: number): Range<number> => ({
  from: value,
  to: value,
  isFromExcluded: false,
  isToExcluded: false,
});
