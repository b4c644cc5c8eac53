import type { Glob } from "./glob.js";

/** What a value must be like; texts are in lower case. A value with several words matches when one of them does. */
export type ValueTest =
  | { readonly kind: "exists" }
  /** `number` when the text is a number literal: numbers are then compared as numbers. */
  | { readonly kind: "exact"; readonly text: string; readonly number: number | undefined }
  /** These words, next to each other. */
  | { readonly kind: "phrase"; readonly words: readonly string[] }
  | { readonly kind: "glob"; readonly glob: Glob }
  | { readonly kind: "numbers"; readonly range: Range<number> }
  /** By code units: "2.10.0" comes before "2.9.0" (REF §13.3). */
  | { readonly kind: "texts"; readonly range: Range<string> };

/** An end that is missing is open. */
export interface Range<T> {
  readonly from?: T;
  readonly to?: T;
  readonly isFromExcluded: boolean;
  readonly isToExcluded: boolean;
}

/** A query of the language `2017-09-30`, parsed. */
export type Query =
  | { readonly kind: "all" }
  | { readonly kind: "and" | "or"; readonly parts: readonly Query[] }
  | { readonly kind: "not"; readonly part: Query }
  | Term;

/** A test of one field, or of every field when none is named. */
export interface Term {
  readonly kind: "term";
  readonly field: string | undefined;
  readonly test: ValueTest;
}

export function isInRange<T extends number | string>(value: T, range: Range<T>): boolean {
  const { from, to, isFromExcluded, isToExcluded } = range;
  if (from !== undefined && (value < from || (isFromExcluded && value === from))) return false;
  return to === undefined || value < to || (!isToExcluded && value === to);
}
