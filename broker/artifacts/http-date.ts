import { formatWallTime } from "fleetrig/kernel";
import { parseUtcTime } from "../jobs/schedule.js";

/** Dates of HTTP (RFC 9110 §5.6.7, IMF-fixdate): `Thu, 01 Jan 2026 00:00:00 GMT`. */
const WEEKDAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MS_PER_DAY = 86_400_000;

export function formatHttpDate(wallMs: number): string {
  const [year = "", month = "", day = ""] = formatWallTime(wallMs).slice(0, 10).split("-");
  const weekday = WEEKDAYS[Math.floor(wallMs / MS_PER_DAY) % 7]!;
  const time = formatWallTime(wallMs).slice(11, 19);
  return `${weekday}, ${day} ${MONTHS[Number(month) - 1]!} ${year} ${time} GMT`;
}

const DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;

/** Milliseconds since 1970; undefined for what is no date. */
export function parseHttpDate(text: string | undefined): number | undefined {
  const [, day, month = "", year, time] = DATE.exec(text ?? "") ?? [];
  const number = MONTHS.indexOf(month) + 1;
  return parseUtcTime(`${year}-${String(number).padStart(2, "0")}-${day} ${time}`);
}
