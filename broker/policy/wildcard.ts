import { ANY_ONE, ANY_RUN, type PatternPiece } from "./pattern.js";

/** Does a text match? Never longer than (pattern × text) steps, whatever the two are. */
export type TextMatcher = (text: string) => boolean;

/** The quickest matcher for pieces without variables: equality, prefix and searches before the general one. */
export function compileMatcher(pieces: readonly PatternPiece[]): TextMatcher {
  if (pieces.length === 0) return (text) => text === "";
  if (pieces.includes(ANY_ONE)) return matcherByCodePoint(pieces);
  const [first, second] = pieces;
  if (pieces.length === 1) return first === ANY_RUN ? () => true : (text) => text === first;
  if (pieces.length === 2 && second === ANY_RUN) {
    const prefix = first as string;
    return (text) => standsAt(text, prefix, 0);
  }
  return (text) => matchesRuns(pieces, text);
}

/** `startsWith`, a multiple as fast: V8 10 to 12 has no quick way for it, but one for searches. */
export const standsAt = (text: string, literal: string, at: number): boolean =>
  at === 0 ? text.lastIndexOf(literal, 0) === 0 : text.indexOf(literal, at) === at;

/**
 * Literals with runs between them: the first and the last stand at the ends, the others are found one after the
 * other, each as early as possible; a later place could only leave less for what follows.
 */
function matchesRuns(pieces: readonly PatternPiece[], text: string): boolean {
  const first = pieces[0];
  let from = 0;
  let index = 0;
  if (typeof first === "string") {
    if (!standsAt(text, first, 0)) return false;
    if (pieces.length === 1) return text.length === first.length;
    from = first.length;
    index = 1;
  }
  const last = pieces.length - 1;
  for (; index <= last; index += 1) {
    const literal = pieces[index];
    if (typeof literal !== "string") continue;
    if (index === last) return text.length - literal.length >= from && text.endsWith(literal);
    const found = text.indexOf(literal, from);
    if (found === -1) return false;
    from = found + literal.length;
  }
  return true;
}

/** With `?`: characters are code points, and only the latest run is ever tried again. */
function matcherByCodePoint(pieces: readonly PatternPiece[]): TextMatcher {
  const tokens = pieces.flatMap((piece): PatternPiece[] =>
    typeof piece === "string" ? Array.from(piece) : [piece],
  );
  return (text) => {
    const chars = Array.from(text);
    let token = 0;
    let char = 0;
    let runToken = -1;
    let runChar = 0;
    while (char < chars.length) {
      const expected = tokens[token];
      if (expected === ANY_RUN) {
        runToken = token;
        runChar = char;
        token += 1;
      } else if (expected !== undefined && (expected === ANY_ONE || expected === chars[char])) {
        token += 1;
        char += 1;
      } else if (runToken !== -1) {
        token = runToken + 1;
        runChar += 1;
        char = runChar;
      } else {
        return false;
      }
    }
    while (tokens[token] === ANY_RUN) token += 1;
    return token === tokens.length;
  };
}

/** Matches pieces whose variables got their values just now. */
export function matchesPieces(pieces: readonly PatternPiece[], text: string): boolean {
  if (pieces.length === 0) return text === "";
  return pieces.includes(ANY_ONE) ? matcherByCodePoint(pieces)(text) : matchesRuns(pieces, text);
}
