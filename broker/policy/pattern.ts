import type { PolicyVersion } from "./document.js";

/**
 * Texts of a policy as patterns. `*` stands for any characters including none and `/`, `?` for exactly one (a code
 * point); `${key}` for the value of a context key; `${*}`, `${?}` and `${$}` for those characters themselves. MQTT's
 * `+` and `#` are characters like others (REF §10.2). Wildcards are found BEFORE variables get their values, so a
 * value is always matched letter by letter, whatever is in it.
 */
export type PatternPiece = string | typeof ANY_RUN | typeof ANY_ONE | PatternVariable;

export const ANY_RUN: unique symbol = Symbol("*");
export const ANY_ONE: unique symbol = Symbol("?");

/** Stands for the value of a context key. */
interface PatternVariable {
  readonly key: string;
}

export interface PatternSyntax {
  readonly version: PolicyVersion;
  /** Are `*` and `?` wildcards? */
  readonly hasWildcards: boolean;
  /** The name under which contexts know a key. */
  readonly canonicalKey: (key: string) => string;
}

const ESCAPES = new Set(["*", "?", "$"]);

/** Splits a text; neighbouring literal texts are one piece. `${` without end is plain text. */
export function parsePattern(text: string, syntax: PatternSyntax): readonly PatternPiece[] {
  const pieces: PatternPiece[] = [];
  // Literals are cut out whole: matching against a string that was put together letter by letter is slow.
  let literalStart = 0;
  for (let at = 0; at < text.length; ) {
    const found = specialAt(text, at, syntax);
    if (found === undefined) {
      at += 1;
      continue;
    }
    if (at > literalStart) addPiece(pieces, text.slice(literalStart, at));
    addPiece(pieces, found.piece);
    at = found.end;
    literalStart = at;
  }
  if (literalStart < text.length) addPiece(pieces, text.slice(literalStart));
  return pieces;
}

/** The piece that begins at a place, if it is no plain letter, and the place behind it. */
function specialAt(
  text: string,
  at: number,
  { version, hasWildcards, canonicalKey }: PatternSyntax,
): { readonly piece: PatternPiece; readonly end: number } | undefined {
  const char = text[at];
  if (hasWildcards && char === "*") return { piece: ANY_RUN, end: at + 1 };
  if (hasWildcards && char === "?") return { piece: ANY_ONE, end: at + 1 };
  if (char !== "$" || text[at + 1] !== "{" || version !== "2012-10-17") return undefined;
  const end = text.indexOf("}", at);
  if (end === -1) return undefined;
  const inside = text.slice(at + 2, end);
  return { piece: ESCAPES.has(inside) ? inside : { key: canonicalKey(inside) }, end: end + 1 };
}

function addPiece(pieces: PatternPiece[], piece: PatternPiece): void {
  const last = pieces.length - 1;
  const previous = pieces[last];
  if (typeof piece === "string" && typeof previous === "string") pieces[last] = previous + piece;
  // Two runs match what one matches.
  else if (piece !== ANY_RUN || previous !== ANY_RUN) pieces.push(piece);
}

/** The same pattern with no two literals and no two runs side by side. */
export function mergePieces(pieces: readonly PatternPiece[]): readonly PatternPiece[] {
  const merged: PatternPiece[] = [];
  for (const piece of pieces) addPiece(merged, piece);
  return merged;
}

/** Keys of the variables in a pattern, each once. */
export const variablesOf = (pieces: readonly PatternPiece[]): readonly string[] => [
  ...new Set(pieces.flatMap((piece) => (typeof piece === "object" ? [piece.key] : []))),
];

/**
 * The pattern with values in place of its variables, or undefined when one has none.
 * @param valueOf the text that a key stands for
 */
export function substitute(
  pieces: readonly PatternPiece[],
  valueOf: (key: string) => string | undefined,
): readonly PatternPiece[] | undefined {
  const substituted: PatternPiece[] = [];
  for (const piece of pieces) {
    const literal = typeof piece === "object" ? valueOf(piece.key) : piece;
    if (literal === undefined) return undefined;
    addPiece(substituted, literal);
  }
  return substituted;
}

/** A pattern for people: `${key}` for variables that have no value. */
export const patternText = (pieces: readonly PatternPiece[]): string =>
  pieces
    .map((piece) => {
      if (piece === ANY_RUN) return "*";
      if (piece === ANY_ONE) return "?";
      return typeof piece === "string" ? piece : `\${${piece.key}}`;
    })
    .join("");
