import { FleetrigError, EXIT } from "fleetrig/kernel";
import { RE2JS } from "re2js";

/**
 * A user's regular expression, in RE2's syntax: it takes time linear in the line, whatever the pattern.
 */
export interface LinePattern {
  readonly text: string;
  /** Its groups, with the whole match at index 0; undefined when it occurs nowhere in the line. */
  match(line: string): readonly string[] | undefined;
}

const MAX_PATTERN_CHARS = 1000;
/** Nested repetitions multiply: this bounds the program that a pattern becomes. */
const MAX_REPETITION = 1000;

/** @throws FleetrigError `BOARD_LOG_PATTERN` (exit 2) */
export function compileLinePattern(text: string): LinePattern {
  if (text.length === 0) throw refused(text, "it is empty and would match every line");
  if (text.length > MAX_PATTERN_CHARS) {
    throw refused(text, `it is longer than ${MAX_PATTERN_CHARS} characters`);
  }
  if (repetitions(text) > MAX_REPETITION) {
    throw refused(text, `its repetitions multiply to more than ${MAX_REPETITION}`);
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    throw refused(text, error instanceof Error ? error.message : String(error));
  }
  return { text, match: (line) => matchOf(compiled, line) };
}

function matchOf(compiled: RE2JS, line: string): readonly string[] | undefined {
  const matcher = compiled.matcher(line);
  if (!matcher.find()) return undefined;
  return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? "");
}

/** Product of all counted repetitions, an upper bound of how often one piece of the pattern is copied. */
function repetitions(text: string): number {
  let product = 1;
  for (const match of text.matchAll(/\{(\d{1,6})(?:,(\d{0,6}))?\}/g)) {
    product *= Math.max(1, Number(match[1]), Number(match[2] ?? 0));
  }
  return product;
}

const refused = (text: string, why: string): FleetrigError =>
  new FleetrigError("BOARD_LOG_PATTERN", `The pattern "${text.slice(0, 80)}" cannot be used: ${why}.`, {
    hint: "Patterns are regular expressions in RE2's syntax: no look-around and no back references.",
    exitCode: EXIT.usage,
  });
