/** Axes: where the round numbers are, and where a value stands between two ends. */

/** Numbers 1, 2, 2.5 or 5 times a power of ten from 0 to at least `max`, about `count` of them. */
export function niceTicks(max: number, count: number): readonly number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const last = Math.ceil(max / step - 1e-9);
  return Array.from({ length: last + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Powers of ten that enclose the values, for a logarithmic axis. */
export function decadeTicks(min: number, max: number): readonly number[] {
  const first = Math.floor(Math.log10(min) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(max) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((step) => step * MINUTE),
  ...[1, 2, 3, 6, 12].map((step) => step * HOUR),
];

/** Instants on whole seconds, minutes, hours or days, at most `count` steps of them. */
export function timeTicks(fromMs: number, toMs: number, count: number): readonly number[] {
  const span = Math.max(1, toMs - fromMs);
  const days = Math.ceil(span / DAY / count) * DAY;
  const step = TIME_STEPS.find((size) => span / size <= count) ?? days;
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) ticks.push(at);
  return ticks;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `0:30`, `12:05`, `1:30:00`, `2d 6:00:00`. */
export function formatClock(ms: number): string {
  const total = Math.round(ms / SECOND);
  const [days, hours, minutes, seconds] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3600) % 24,
    Math.floor(total / 60) % 60,
    total % 60,
  ];
  const day = days === 0 ? "" : `${days}d `;
  return hours + days === 0 ? `${minutes}:${two(seconds)}` : `${day}${hours}:${two(minutes)}:${two(seconds)}`;
}

/** Maps a value into the height of a plot, top to bottom. */
export type YScale = (value: number) => number;

export const linearScale =
  (max: number, height: number): YScale =>
  (value) =>
    height - (Math.min(value, max) / max) * height;

export const logScale = (min: number, max: number, height: number): YScale => {
  const low = Math.log10(min);
  const span = Math.log10(max) - low;
  return (value) => height - ((Math.log10(Math.max(value, min)) - low) / span) * height;
};
