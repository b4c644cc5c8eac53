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
export interface PatternVariable {
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
  const hasVariables = syntax.version === "2012-10-17";
  let at = 0;
  while (at < text.length) {
    const end = hasVariables && text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (end !== -1) {
      const inside = text.slice(at + 2, end);
      addPiece(pieces, ESCAPES.has(inside) ? inside : { key: syntax.canonicalKey(inside) });
      at = end + 1;
    } else {
      const char = text[at]!;
      addPiece(
        pieces,
        syntax.hasWildcards && char === "*" ? ANY_RUN : syntax.hasWildcards && char === "?" ? ANY_ONE : char,
      );
      at += 1;
    }
  }
  return pieces;
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
