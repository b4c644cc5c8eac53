/** Instants of Date conditions: ISO 8601 with a date and perhaps a time and a zone, or seconds since 1970. */

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?$/;

/** Milliseconds since 1970; undefined when the text is no instant. Without zone it is UTC. */
export function parseInstantMs(text: string): number | undefined {
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text) && !/^\d{4}$/.test(text)) return Number(text) * 1000;
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? "0"));
  const isDay = month! >= 1 && month! <= 12 && day! >= 1 && day! <= daysIn(year!, month!);
  // A leap second is the first of the next minute.
  if (!isDay || hour! > 23 || minute! > 59 || second! > 60) return undefined;
  const zoneMinutes = Number(match[9] ?? "0") * 60 + Number(match[10] ?? "0");
  const offset = match[8] === "-" ? -zoneMinutes : zoneMinutes;
  const minutes = (daysSinceEpoch(year!, month!, day!) * 24 + hour!) * 60 + minute! - offset;
  return (minutes * 60 + second!) * 1000 + Number(`0.${match[7] ?? "0"}`) * 1000;
}

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const daysIn = (year: number, month: number): number =>
  month === 2 && isLeapYear(year) ? 29 : MONTH_DAYS[month - 1]!;

/** In the proleptic Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  let days = day - 1;
  for (let before = 1; before < month; before += 1) days += daysIn(year, before);
  const past = year - 1;
  return days + past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 719_162;
}
