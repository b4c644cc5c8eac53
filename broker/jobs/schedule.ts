/** When a job starts and ends (REF §6.1): UTC wall-clock times in text, and their limits. */

const TIME = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|\+00:00)?$/;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);

/** Days from 1970-01-01 to the first of January of `year`, 1970 or later. */
export function daysBeforeYear(year: number): number {
  const y = year - 1;
  const leapDays = (n: number): number => Math.floor(n / 4) - Math.floor(n / 100) + Math.floor(n / 400);
  return (year - 1970) * 365 + leapDays(y) - leapDays(1969);
}

/** Milliseconds since 1970 of a UTC time in text, or undefined when it is none. */
export function parseUtcTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  let days = daysBeforeYear(year) + day - 1;
  for (let before = 1; before < month; before += 1) days += daysInMonth(year, before);
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

export const MS_PER_MINUTE = 60_000;
const MS_PER_YEAR = 366 * 24 * 60 * MS_PER_MINUTE;
const LEAD_MS = 30 * MS_PER_MINUTE;

export interface Schedule {
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly targetSelection: "SNAPSHOT" | "CONTINUOUS";
  readonly windows: readonly unknown[];
}

/** The first limit that a schedule breaks, in words; undefined when it keeps them all. */
export function scheduleFault(schedule: Schedule, nowMs: number): string | undefined {
  const { startMs, endMs, targetSelection, windows } = schedule;
  if (windows.length > 0 && targetSelection !== "CONTINUOUS")
    return "maintenanceWindows need targetSelection CONTINUOUS";
  if (startMs !== undefined && startMs < nowMs + LEAD_MS)
    return "startTime must be at least 30 minutes from now";
  if (startMs !== undefined && startMs > nowMs + MS_PER_YEAR) return "startTime must be within a year";
  if (endMs !== undefined && endMs < (startMs ?? nowMs) + LEAD_MS)
    return "endTime must be at least 30 minutes after the start";
  if (endMs !== undefined && endMs > nowMs + 2 * MS_PER_YEAR) return "endTime must be within two years";
  return undefined;
}
