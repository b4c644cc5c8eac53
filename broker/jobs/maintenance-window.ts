import { daysBeforeYear, daysInMonth, MS_PER_MINUTE } from "./schedule.js";

/**
 * Recurring windows in which a CONTINUOUS job may reach new things (REF §6.1): a cron expression in UTC for the
 * start, and a length. Six fields: minute, hour, day of month, month, day of week (1 is Sunday), year; each is `*`,
 * `?`, or a list of numbers, names, ranges `a-b` and steps `a/n`. AWS's L, W and # are not known here.
 */
export interface MaintenanceWindow {
  /** `cron(0 18 * * ? *)`, or the six fields alone. */
  readonly startTime: string;
  /** 1 to 1,430. */
  readonly durationInMinutes: number;
}

/** A window that has been read. */
export interface WindowSchedule {
  readonly minutesOfDay: readonly number[];
  readonly opensOn: (day: CivilDay) => boolean;
  readonly durationMinutes: number;
}

export interface WindowState {
  readonly isOpen: boolean;
  /** When that may change; undefined when no window ever opens again. */
  readonly untilMs: number | undefined;
}

interface CivilDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 1 is Sunday. */
  readonly weekday: number;
}

interface Field {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: readonly Field[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 1, most: 7, names: WEEKDAYS },
  { least: 1970, most: 2199, names: [] },
];

const MINUTES_PER_DAY = 1_440;
const MS_PER_DAY = MINUTES_PER_DAY * MS_PER_MINUTE;
const MAX_CRON_CHARS = 256;
/** Four years and a bit: finds a 29 February. */
const LOOK_AHEAD_DAYS = 1_500;

/** @returns undefined when the expression is not one this service can follow. */
export function readWindow({ startTime, durationInMinutes }: MaintenanceWindow): WindowSchedule | undefined {
  const text = startTime.length > MAX_CRON_CHARS ? "" : startTime.trim();
  const fields = (/^cron\((.*)\)$/.exec(text)?.[1] ?? text).trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return undefined;
  const sets = fields.map((field, i) => readField(field, FIELDS[i]!));
  if (!sets.every((set) => set !== undefined)) return undefined;
  const [minutes, hours, days, months, weekdays, years] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const minutesOfDay = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute));
  return {
    minutesOfDay: minutesOfDay.sort((a, b) => a - b),
    opensOn: ({ year, month, day, weekday }) =>
      days.has(day) && months.has(month) && weekdays.has(weekday) && years.has(year),
    durationMinutes: durationInMinutes,
  };
}

const RANGE = /^(\*|[A-Z\d]{1,4})(?:-([A-Z\d]{1,4}))?(?:\/(\d{1,2}))?$/;

function readField(text: string, field: Field): Set<number> | undefined {
  if (text === "*" || text === "?") return new Set(numbers(field.least, field.most, 1));
  const found = new Set<number>();
  for (const part of text.toUpperCase().split(",")) {
    const match = RANGE.exec(part);
    if (match === null) return undefined;
    const step = match[3] === undefined ? 1 : Number(match[3]);
    const from = match[1] === "*" ? field.least : numberOf(match[1]!, field);
    const to = endOf(match, from, field);
    if (from === undefined || to === undefined || from > to || step < 1) return undefined;
    for (const number of numbers(from, to, step)) found.add(number);
  }
  return found;
}

/** `a/n` and `*` run to the end of the field, `a` alone is one number. */
function endOf(match: RegExpExecArray, from: number | undefined, field: Field): number | undefined {
  if (match[2] !== undefined) return numberOf(match[2], field);
  return match[3] !== undefined || match[1] === "*" ? field.most : from;
}

function numberOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text);
  const number = named === -1 ? Number(text) : least + named;
  return number >= least && number <= most ? number : undefined;
}

const numbers = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

/** Is any of the windows open at this wall-clock time, and until when does that hold at least? */
export function windowState(windows: readonly WindowSchedule[], nowMs: number): WindowState {
  const today = Math.floor(nowMs / MS_PER_DAY);
  let openUntil: number | undefined;
  let nextStart: number | undefined;
  for (const window of windows) {
    const latest = startUpTo(window, nowMs, today);
    const end = latest === undefined ? nowMs : latest + window.durationMinutes * MS_PER_MINUTE;
    if (end > nowMs) openUntil = Math.max(end, openUntil ?? end);
    else if (openUntil === undefined) {
      const start = startAfter(window, nowMs, today);
      if (start !== undefined) nextStart = Math.min(start, nextStart ?? start);
    }
  }
  return openUntil === undefined
    ? { isOpen: false, untilMs: nextStart }
    : { isOpen: true, untilMs: openUntil };
}

/** The latest start at or before now; one from the day before yesterday would be over. */
function startUpTo(window: WindowSchedule, nowMs: number, today: number): number | undefined {
  for (const day of [today, today - 1]) {
    const start = startsOn(window, day).findLast((ms) => ms <= nowMs);
    if (start !== undefined) return start;
  }
  return undefined;
}

function startAfter(window: WindowSchedule, nowMs: number, today: number): number | undefined {
  for (let day = today; day < today + LOOK_AHEAD_DAYS; day += 1) {
    const start = startsOn(window, day).find((ms) => ms > nowMs);
    if (start !== undefined) return start;
  }
  return undefined;
}

const startsOn = (window: WindowSchedule, day: number): readonly number[] =>
  window.opensOn(civilDay(day))
    ? window.minutesOfDay.map((minute) => (day * MINUTES_PER_DAY + minute) * MS_PER_MINUTE)
    : [];

/** The calendar day that is `days` after 1970-01-01, which was a Thursday. */
function civilDay(days: number): CivilDay {
  let year = 1970 + Math.floor(days / 366);
  while (daysBeforeYear(year + 1) <= days) year += 1;
  let left = days - daysBeforeYear(year);
  let month = 1;
  for (let length = daysInMonth(year, 1); left >= length; length = daysInMonth(year, month)) {
    left -= length;
    month += 1;
  }
  return { year, month, day: left + 1, weekday: ((days + 4) % 7) + 1 };
}
