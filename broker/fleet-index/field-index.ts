import {
  type FieldValue,
  numberPasses,
  numberText,
  numericValue,
  type Reading,
  scalarsOf,
  termsOf,
  wordPasses,
} from "./field-value.js";
import { NumberColumn } from "./number-column.js";
import type { ValueTest } from "./query.js";
import { addBit, type Slot, type SlotBits, SlotSet } from "./slot-set.js";

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
  /** Words in lower case. Most words of names and ids belong to one document, which needs no set. */
  private readonly words = new Map<string, Slot | SlotSet>();
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
      for (const word of termsOf(scalar)) this.addWord(word, slot, slots);
    }
    if (numbers.length > 0) (this.numbers ??= new NumberColumn()).set(slot, numbers, slots);
  }

  /** @param value What was added. */
  remove(slot: Slot, value: FieldValue): void {
    this.present.delete(slot);
    if (!this.traits.isSearchable) return;
    this.numbers?.delete(slot);
    for (const scalar of scalarsOf(value)) for (const word of termsOf(scalar)) this.removeWord(word, slot);
  }

  /**
   * Adds the slots to `result` that pass a test. Of a phrase it adds those that have its first word: they remain to
   * be looked at.
   */
  select(test: ValueTest, result: SlotBits): void {
    if (!this.traits.isSearchable) return;
    if (test.kind === "exists") return this.present.joinInto(result);
    if (test.kind === "phrase") return this.selectWord(test.words[0]!, result);
    if (test.kind === "exact") {
      this.selectWord(test.text, result);
      if (test.number !== undefined) this.numbers?.select((value) => value === test.number, result);
      return;
    }
    if (test.kind === "numbers") return this.numbers?.select((value) => numberPasses(value, test), result);
    for (const [word, slots] of this.words) if (wordPasses(word, test)) join(slots, result);
    // Numbers that are attributes were found by their text; it does no harm to find them again.
    if (test.kind === "glob" && this.traits.reading === "text")
      this.numbers?.select((value) => test.glob.matches(numberText(value)), result);
  }

  private selectWord(word: string, result: SlotBits): void {
    const slots = this.words.get(word);
    if (slots !== undefined) join(slots, result);
  }

  private addWord(word: string, slot: Slot, slots: number): void {
    const known = this.words.get(word);
    if (known === undefined) this.words.set(word, slot);
    else if (typeof known === "object") known.add(slot, slots);
    else if (known !== slot) {
      const both = new SlotSet();
      both.add(known, slots);
      both.add(slot, slots);
      this.words.set(word, both);
    }
  }

  private removeWord(word: string, slot: Slot): void {
    const known = this.words.get(word);
    if (known === slot) this.words.delete(word);
    if (typeof known !== "object") return;
    known.delete(slot);
    if (known.size === 0) this.words.delete(word);
  }
}

function join(slots: Slot | SlotSet, result: SlotBits): void {
  if (typeof slots === "number") addBit(result, slots);
  else slots.joinInto(result);
}
