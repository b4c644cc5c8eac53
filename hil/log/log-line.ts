/**
 * What firmware writes in front of its log lines. ESP-IDF: `I (1234) tag: text`, with a date or time of day in the brackets where it
 * is set up so; Arduino: `[  1234][I][main.cpp:12] setup(): text`; Zephyr: `[00:00:01.234,000] <inf> tag: text`. Everything else is a plain line.
 */
export type LogLevel = "error" | "warn" | "info" | "debug" | "verbose";

/** One line of a board's log. */
export interface LogLine extends LinePrefix {
  /** Counts the lines of the board from 0, over restarts. */
  readonly position: number;
  /** When its first byte came, in µs of the run. */
  readonly atUs: number;
  /** The whole line. */
  readonly text: string;
}

export interface LinePrefix {
  /** Undefined for plain lines. */
  readonly level: LogLevel | undefined;
  readonly tag: string | undefined;
  /** The board's time since its start. */
  readonly boardMs: number | undefined;
  /** The board's wall time as written, where it writes that instead. */
  readonly boardTime: string | undefined;
  /** What stands behind the prefix. */
  readonly message: string;
}

const LETTERS: Readonly<Record<string, LogLevel>> = {
  E: "error",
  W: "warn",
  I: "info",
  D: "debug",
  V: "verbose",
  N: "info",
  err: "error",
  wrn: "warn",
  inf: "info",
  dbg: "debug",
};

interface PrefixForm {
  readonly pattern: RegExp;
  readonly level: number;
  readonly stamp: number;
  readonly tag: number;
  readonly message: number;
}

const FORMS: readonly PrefixForm[] = [
  { pattern: /^([EWIDV]) \(([\d :.-]{1,32})\) ([^:]{1,64}): ?(.*)$/, level: 1, stamp: 2, tag: 3, message: 4 },
  {
    pattern: /^\[ *(\d{1,10})\]\[([EWIDVN])\]\[([^\]]{1,128})\] ?(.*)$/,
    level: 2,
    stamp: 1,
    tag: 3,
    message: 4,
  },
  {
    pattern: /^\[([\d:.,]{8,24})\] <(err|wrn|inf|dbg)> ([^:]{1,64}): ?(.*)$/,
    level: 2,
    stamp: 1,
    tag: 3,
    message: 4,
  },
];

/** Splits a line; never fails. */
export function parsePrefix(text: string): LinePrefix {
  for (const form of FORMS) {
    const match = form.pattern.exec(text);
    if (match === null) continue;
    const stamp = match[form.stamp]!.trim();
    const boardMs = uptimeMs(stamp);
    return {
      level: LETTERS[match[form.level]!],
      tag: match[form.tag]!,
      boardMs,
      boardTime: boardMs === undefined ? stamp : undefined,
      message: match[form.message]!,
    };
  }
  return { level: undefined, tag: undefined, boardMs: undefined, boardTime: undefined, message: text };
}

const ZEPHYR_UPTIME = /^(\d{2,6}):(\d{2}):(\d{2})\.(\d{3}),(\d{3})$/;

/** ESP-IDF's plain number and Zephyr's `hours:minutes:seconds.ms,µs` count from the start; other forms are wall time. */
function uptimeMs(stamp: string): number | undefined {
  if (/^\d{1,15}$/.test(stamp)) return Number(stamp);
  const match = ZEPHYR_UPTIME.exec(stamp);
  if (match === null) return undefined;
  const [hours, minutes, seconds, ms, us] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms + us / 1000;
}
