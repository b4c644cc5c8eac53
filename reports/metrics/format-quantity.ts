import { formatDurationUs } from "fleetrig/kernel";
import type { MetricUnit } from "./definition.js";

/** A value with its unit for people: `212 ms`, `99.97 %`, `148/s`, `150,000`. Independent of the locale. */
export function formatQuantity(value: number | boolean | string, unit: MetricUnit): string {
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "–";
  return value < 0 ? `-${FORMATS[unit](-value)}` : FORMATS[unit](value);
}

const FORMATS: Readonly<Record<MetricUnit, (value: number) => string>> = {
  us: (value) => formatDurationUs(value),
  count: (value) => separated(value, 1),
  ratio: formatPercent,
  number: (value) => separated(value, 2),
  "per-second": (value) => `${separated(value, value < 10 ? 2 : 1)}/s`,
  "per-minute": (value) => `${separated(value, 1)}/min`,
  bytes: formatBytes,
  "thing-seconds": (value) => `${separated(value, 1)} thing·s`,
  usd: (value) => `$${separated(value, value < 1 ? 6 : 2)}`,
  none: (value) => separated(value, 3),
};

/** At most so many decimals, thousands separated by commas. */
const separated = (value: number, decimals: number): string => grouped(Number(value.toFixed(decimals)));

/** Thousands separated by commas, independent of the locale. */
export function grouped(value: number): string {
  const [whole, fraction] = String(value).split(".");
  const thousands = whole!.includes("e") ? whole! : whole!.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? thousands : `${thousands}.${fraction}`;
}

/** Nearly everything never reads as 100 %, hardly anything never as 0 %. */
function formatPercent(ratio: number): string {
  const percent = ratio * 100;
  for (const decimals of [2, 4, 6]) {
    const rounded = Number(percent.toFixed(decimals));
    const isHonest = (rounded !== 100 || ratio === 1) && (rounded !== 0 || ratio === 0);
    if (isHonest) return `${separated(percent, decimals)} %`;
  }
  return ratio < 0.5 ? "< 0.000001 %" : "> 99.999999 %";
}

function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = bytes;
  let at = 0;
  while (scaled >= 1024 && at < units.length - 1) {
    scaled /= 1024;
    at += 1;
  }
  return `${separated(scaled, 1)} ${units[at]}`;
}
