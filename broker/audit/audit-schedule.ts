import { formatWallTime } from "fleetrig/kernel";
import { daysInMonth } from "../jobs/schedule.js";
import { MS_PER_DAY } from "./audit-check.js";

/** AWS: the days of a week, from Sunday. */
const WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;

/** AWS: when a scheduled audit takes place; the time of day is the system's: midnight UTC here. */
export interface AuditSchedule {
  readonly frequency: "DAILY" | "WEEKLY" | "BIWEEKLY" | "MONTHLY";
  /** 1 to 31 or LAST; needed for MONTHLY. A month without that day has its last day instead. */
  readonly dayOfMonth?: string;
  /** Needed for WEEKLY and BIWEEKLY. */
  readonly dayOfWeek?: (typeof WEEK)[number];
}

/** 1970 began on a Thursday. */
const EPOCH_WEEKDAY = 4;

function isDue({ frequency, dayOfMonth, dayOfWeek }: AuditSchedule, day: number): boolean {
  if (frequency === "DAILY") return true;
  if (frequency !== "MONTHLY") return WEEK[(day + EPOCH_WEEKDAY) % WEEK.length] === dayOfWeek;
  const [year = 0, month = 0, date = 0] = formatWallTime(day * MS_PER_DAY)
    .slice(0, 10)
    .split("-")
    .map(Number);
  const last = daysInMonth(year, month);
  return date === (dayOfMonth === "LAST" ? last : Math.min(Number(dayOfMonth), last));
}

/** Beyond any month or fortnight. */
const MAX_DAYS = 62;

/**
 * When the audit takes place next, in wall-clock milliseconds.
 * @param afterMs Later than this.
 * @param lastMs When it took place last; a biweekly one leaves out the week after.
 */
export function nextAuditMs(schedule: AuditSchedule, afterMs: number, lastMs?: number): number {
  const first = Math.floor(afterMs / MS_PER_DAY) + 1;
  const isSkipped = (day: number): boolean =>
    schedule.frequency === "BIWEEKLY" && lastMs !== undefined && day * MS_PER_DAY - lastMs < 8 * MS_PER_DAY;
  for (let day = first; day < first + MAX_DAYS; day += 1) {
    if (isDue(schedule, day) && !isSkipped(day)) return day * MS_PER_DAY;
  }
  return (first + MAX_DAYS) * MS_PER_DAY;
}
