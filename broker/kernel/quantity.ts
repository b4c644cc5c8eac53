/**
 * Quantities with units, as scenarios write them. A bare number is never a duration: the tools of this field
 * disagree whether it means seconds or milliseconds.
 */
const US: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3_600e6,
  d: 86_400e6,
};

const DURATION = /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g;
const ISO_DURATION =
  /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const MAX_QUANTITY_CHARS = 64;

/** `250ms`, `1h30m`, `PT5M` to microseconds; `undefined` when it is not a duration. */
export function parseDurationUs(text: string): number | undefined {
  if (text.length > MAX_QUANTITY_CHARS) return undefined;
  if (DURATION.test(text)) {
    let total = 0;
    for (const [, amount, unit] of text.matchAll(DURATION_PART)) total += Number(amount) * US[unit!]!;
    return Math.round(total);
  }
  const iso = ISO_DURATION.exec(text);
  if (iso === null || text === "P" || text.endsWith("T")) return undefined;
  const [, days, hours, minutes, seconds] = iso;
  const parts = [days, hours, minutes, seconds].map((part) => Number(part ?? 0));
  return Math.round(
    parts[0]! * US["d"]! + parts[1]! * US["h"]! + parts[2]! * US["m"]! + parts[3]! * US["s"]!,
  );
}

/** `100/s`, `30/m` to events per second. */
export function parseRatePerSecond(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)\/(s|m|h)$/.exec(text);
  return match === null ? undefined : Number(match[1]) / (US[match[2]!]! / US["s"]!);
}

/** `40%` to 0.4. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)%$/.exec(text);
  return match === null ? undefined : Number(match[1]) / 100;
}

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `1GiB`, `512KB` to bytes. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)(B|kB|KB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * BYTES[match[2]!]!;
}

/** `256kbit/s`, `1Mbit/s` to bits per second. */
export function parseBitsPerSecond(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)(bit|kbit|Mbit|Gbit)\/s$/.exec(text);
  if (match === null) return undefined;
  const factor = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 }[match[2] as "bit"];
  return Number(match[1]) * factor;
}

/** Microseconds for people: `850 µs`, `4.2 ms`, `12.5 s`, `26m 30s`. */
export function formatDurationUs(us: number): string {
  if (us < 1e3) return `${trim(us, 0)} µs`;
  if (us < 1e6) return `${trim(us / 1e3, 1)} ms`;
  if (us < 60e6) return `${trim(us / 1e6, 2)} s`;
  const totalSeconds = Math.round(us / 1e6);
  const parts = [
    [Math.floor(totalSeconds / 86_400), "d"],
    [Math.floor(totalSeconds / 3600) % 24, "h"],
    [Math.floor(totalSeconds / 60) % 60, "m"],
    [totalSeconds % 60, "s"],
  ] as const;
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(" ");
}

const trim = (value: number, decimals: number): string => String(Number(value.toFixed(decimals)));
