import { isInRange, type ValueTest } from "./query.js";
import { numberOf, wordsOf } from "./words.js";

/** A value that can be searched for. Nulls, and lists with anything else inside, are not indexed (REF §13.3). */
export type Scalar = string | number | boolean;

/** What a field of a document holds: a list stands for each of its elements. */
export type FieldValue = Scalar | readonly Scalar[];

/** Attributes are text, but those that are number literals are numbers, too. */
export type Reading = "text" | "numeric text";

export const scalarsOf = (value: FieldValue): readonly Scalar[] =>
  typeof value === "object" ? value : [value];

/** The number that a value is compared as, if it has one. */
export function numericValue(value: Scalar, reading: Reading): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && reading === "numeric text" ? numberOf(value) : undefined;
}

/** Words by which a value is found. Numbers of JSON have none: they are found as numbers, and not by wildcards. */
export const termsOf = (value: Scalar): readonly string[] => {
  if (typeof value === "number") return [];
  return typeof value === "boolean" ? [String(value)] : wordsOf(value);
};

/** Whether a number passes a test other than by its words. */
function numberPasses(value: number, test: ValueTest): boolean {
  switch (test.kind) {
    case "exact":
      return value === test.number;
    case "numbers":
      return isInRange(value, test.range);
    case "exists":
      return true;
    default:
      return false;
  }
}

/** Whether one word of a value passes a test. */
export function wordPasses(word: string, test: ValueTest): boolean {
  switch (test.kind) {
    case "exact":
      return word === test.text;
    case "glob":
      return test.glob.matches(word);
    case "texts":
      return isInRange(word, test.range);
    case "exists":
      return true;
    default:
      return false;
  }
}

/** Whether the words of a phrase stand next to each other in a text. */
export function hasPhrase(text: string, phrase: readonly string[]): boolean {
  const words = wordsOf(text);
  if (words.length < phrase.length) return false;
  return words.some((_, at) => phrase.every((word, offset) => words[at + offset] === word));
}

/** Whether a value passes a test: the definition that the index follows. */
export function valuePasses(value: FieldValue, test: ValueTest, reading: Reading): boolean {
  return scalarsOf(value).some((scalar) => {
    if (test.kind === "phrase") return typeof scalar === "string" && hasPhrase(scalar, test.words);
    const number = numericValue(scalar, reading);
    if (number !== undefined && numberPasses(number, test)) return true;
    return termsOf(scalar).some((word) => wordPasses(word, test));
  });
}
