import type { FieldType } from "./configuration.js";
import { type FieldValue, numericValue, type Reading, type Scalar, scalarsOf } from "./field-value.js";

/** AWS: GetStatistics. All but the count are absent where there is nothing to calculate with. */
export interface Statistics {
  readonly count: number;
  readonly average?: number;
  readonly sum?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly sumOfSquares?: number;
  /** Of the population: divided by n (REF §13.3). */
  readonly variance?: number;
  readonly stdDeviation?: number;
}

/** AWS: one value of GetPercentiles. */
export interface PercentPair {
  readonly percent: number;
  readonly value: number;
}

/** AWS: one value of a field, and how many documents have it. */
export interface Bucket {
  readonly keyValue: string;
  readonly count: number;
}

/** AWS: what GetPercentiles is about unless told otherwise. */
export const DEFAULT_PERCENTS: readonly number[] = [1, 5, 25, 50, 75, 95, 99];

/** The values that fit the type of a field; others are ignored, as AWS does. */
export function typedValues(value: FieldValue, type: FieldType, reading: Reading): readonly Scalar[] {
  return scalarsOf(value).flatMap((scalar): readonly Scalar[] => {
    if (type === "String") return typeof scalar === "string" ? [scalar] : [];
    if (type === "Number") {
      const number = numericValue(scalar, reading);
      return number === undefined ? [] : [number];
    }
    if (typeof scalar === "boolean") return [scalar];
    const isText = reading === "numeric text" && (scalar === "true" || scalar === "false");
    return isText ? [scalar === "true"] : [];
  });
}

/** Booleans count as 0 and 1; texts are only counted. */
export function statisticsOf(values: Iterable<Scalar>): Statistics {
  let count = 0;
  let numbers = 0;
  let sum = 0;
  let sumOfSquares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const scalar of values) {
    count += 1;
    if (typeof scalar === "string") continue;
    const value = Number(scalar);
    numbers += 1;
    sum += value;
    sumOfSquares += value * value;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  // AWS: sums that exceed what a double can hold leave the statistics empty.
  if (numbers === 0 || !Number.isFinite(sum) || !Number.isFinite(sumOfSquares)) return { count };
  const variance = Math.max(0, (sumOfSquares - (sum * sum) / numbers) / numbers);
  return {
    count,
    average: sum / numbers,
    sum,
    minimum,
    maximum,
    sumOfSquares,
    variance,
    stdDeviation: Math.sqrt(variance),
  };
}

/** Interpolates between the two nearest values, which gives the figures of AWS's examples. Empty without values. */
export function percentilesOf(values: Iterable<number>, percents: readonly number[]): readonly PercentPair[] {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return [];
  return percents.map((percent) => {
    const place = (percent / 100) * (sorted.length - 1);
    const below = Math.floor(place);
    const low = sorted[below]!;
    const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
    return { percent, value: low + (high - low) * (place - below) };
  });
}

/** The most frequent values first; equally frequent ones in the order of their texts. */
export function bucketsOf(documents: Iterable<readonly Scalar[]>, maxBuckets: number): readonly Bucket[] {
  const counts = new Map<string, number>();
  for (const values of documents) {
    for (const key of new Set(values.map(String))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Array.from(counts, ([keyValue, count]) => ({ keyValue, count }))
    .sort((a, b) => b.count - a.count || (a.keyValue < b.keyValue ? -1 : 1))
    .slice(0, maxBuckets);
}
