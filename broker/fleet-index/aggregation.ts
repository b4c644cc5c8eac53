import type { FieldType } from "./configuration.js";
import { numericValue, type Reading, type Scalar } from "./field-value.js";

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

/** The value as what a field is aggregated as; undefined when it does not fit, which AWS ignores. */
export function typedValue(value: Scalar, type: FieldType, reading: Reading): Scalar | undefined {
  if (type === "String") return typeof value === "string" ? value : undefined;
  if (type === "Number") return numericValue(value, reading);
  if (typeof value === "boolean") return value;
  const isText = reading === "numeric text" && (value === "true" || value === "false");
  return isText ? value === "true" : undefined;
}

/** Gathers statistics value by value. Booleans count as 0 and 1; texts are only counted. */
export class StatisticsGatherer {
  private count = 0;
  private numbers = 0;
  private sum = 0;
  private sumOfSquares = 0;
  private minimum = Number.POSITIVE_INFINITY;
  private maximum = Number.NEGATIVE_INFINITY;

  add(scalar: Scalar): void {
    this.count += 1;
    if (typeof scalar === "string") return;
    const value = Number(scalar);
    this.numbers += 1;
    this.sum += value;
    this.sumOfSquares += value * value;
    if (value < this.minimum) this.minimum = value;
    if (value > this.maximum) this.maximum = value;
  }

  statistics(): Statistics {
    const { count, numbers, sum, sumOfSquares, minimum, maximum } = this;
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
}

/** Interpolates between the two nearest values, which gives the figures of AWS's examples. Empty without values. */
export function percentilesOf(
  values: readonly number[],
  percents: readonly number[],
): readonly PercentPair[] {
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
export const rankedBuckets = (counts: ReadonlyMap<string, number>, maxBuckets: number): readonly Bucket[] =>
  Array.from(counts, ([keyValue, count]) => ({ keyValue, count }))
    .sort((a, b) => b.count - a.count || (a.keyValue < b.keyValue ? -1 : 1))
    .slice(0, maxBuckets);
