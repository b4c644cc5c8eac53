/**
 * Text of values and queries is compared word by word, without regard to case. Words are what whitespace separates,
 * where whitespace is that of Java: no-break spaces belong to their word (AWS: query syntax, REF §13.3).
 */
const JAVA_WHITESPACE = "\\t-\\r\\x1c-\\x20\\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000";
const WHITESPACE = new RegExp(`[${JAVA_WHITESPACE}]+`);

/** Whether this one character separates words. */
export const isWhitespace = (character: string): boolean => WHITESPACE.test(character);

/** The words of a text in lower case; text without any is one empty word, so that it can be found as `""`. */
export function wordsOf(text: string): readonly string[] {
  const lower = text.toLowerCase();
  if (!WHITESPACE.test(lower)) return [lower];
  const words = lower.split(WHITESPACE).filter((word) => word !== "");
  return words.length === 0 ? [""] : words;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Longer texts are no numbers; it also bounds what the pattern is tried on. */
const MAX_NUMBER_LENGTH = 64;

/** The number that a text is, when it is a number literal of JSON; otherwise undefined. */
export function numberOf(text: string): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH || !NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
