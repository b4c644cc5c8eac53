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
/** Counted repetitions are written out, and nested ones multiply: this bounds what a pattern becomes, and so the time per character. */
const MAX_COPIES = 1000;

/** @throws FleetrigError `BOARD_LOG_PATTERN` (exit 2) */
export function compileLinePattern(text: string): LinePattern {
  if (text.length === 0) throw refused(text, "it is empty and would match every line");
  if (text.length > MAX_PATTERN_CHARS) {
    throw refused(text, `it is longer than ${MAX_PATTERN_CHARS} characters`);
  }
  if (copies(text) > MAX_COPIES) {
    throw refused(text, `its repetitions come to more than ${MAX_COPIES} characters`);
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

/** How many characters and classes there are when every counted repetition is written out. */
function copies(text: string): number {
  const open: number[] = [];
  let total = 0;
  let last = 0;
  for (const [token, least, most] of text.matchAll(TOKEN)) {
    if (token === "(") {
      open.push(total);
      total = 0;
      last = 0;
    } else if (token === ")") {
      last = total;
      total += open.pop() ?? 0;
    } else if (least !== undefined) {
      const times = Math.max(1, Number(least), Number(most ?? 0));
      total += last * (times - 1);
      last *= times;
    } else {
      last = 1;
      total += 1;
    }
  }
  return open.reduce((sum, part) => sum + part, total);
}

/** A count with its bounds, an escape, a class, or one character. */
const TOKEN = /\{(\d{1,6})(?:,(\d{0,6}))?\}|\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|[^]/g;

const refused = (text: string, why: string): FleetrigError =>
  new FleetrigError("BOARD_LOG_PATTERN", `The pattern "${text.slice(0, 80)}" cannot be used: ${why}.`, {
    hint: "Patterns are regular expressions in RE2's syntax: no look-around and no back references.",
    exitCode: EXIT.usage,
  });
