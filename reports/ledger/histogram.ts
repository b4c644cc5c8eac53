import { FleetrigError, EXIT } from "fleetrig/kernel";
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, JsHistogram } from "hdr-histogram-js";

/**
 * A histogram of durations in whole µs with the bucket rule of HdrHistogram: 3 significant digits from 0 to
 * one hour. Values below 2,048 µs are exact, larger ones are within 0.1 %. Zero has a bucket of its own.
 * It exists beside hdr-histogram-js because the ledger records four values per message: this one takes about
 * 7 ns per value, the library about 190 ns. The library writes the interchange format.
 */
const EXACT_VALUES = 2048;
const HALF = 1024;
const INITIAL_BUCKETS = EXACT_VALUES;

const HISTOGRAM_MAX_US = 3_600_000_000;
const SIGNIFICANT_DIGITS = 3;

const bucketOf = (us: number): number => {
  if (us < EXACT_VALUES) return us;
  const shift = 21 - Math.clz32(us);
  return (shift << 10) + (us >>> shift);
};

const MAX_BUCKETS = bucketOf(HISTOGRAM_MAX_US) + 1;

/** Largest value that falls into a bucket. */
const highestOf = (bucket: number): number => {
  if (bucket < EXACT_VALUES) return bucket;
  const width = 2 ** ((bucket >> 10) - 1);
  return ((bucket & (HALF - 1)) + HALF + 1) * width - 1;
};

/** Durations in µs by bucket: see the head of this file. */
export class Histogram {
  private buckets = new Uint32Array(INITIAL_BUCKETS);
  /** Largest value recorded in each bucket: percentiles are values that occurred, not edges of buckets. */
  private largest = new Uint32Array(INITIAL_BUCKETS);
  private recorded = 0;
  private sum = 0;
  private least = Number.POSITIVE_INFINITY;
  private greatest = 0;

  /** Negative values count as 0, values above an hour as an hour. */
  record(us: number): void {
    const value = us > 0 ? (us < HISTOGRAM_MAX_US ? us >>> 0 : HISTOGRAM_MAX_US) : 0;
    const bucket = bucketOf(value);
    if (bucket >= this.buckets.length) this.grow(bucket);
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    if (value > this.largest[bucket]!) this.largest[bucket] = value;
    this.recorded += 1;
    this.sum += value;
    if (value < this.least) this.least = value;
    if (value > this.greatest) this.greatest = value;
  }

  /** Records `first`, `first + step`, `first + 2 step` …, `count` values of at most an hour. */
  recordSteps(firstUs: number, stepUs: number, count: number): void {
    if (count <= 0) return;
    const within = Math.min(count, Math.floor((HISTOGRAM_MAX_US - firstUs) / stepUs) + 1);
    for (let beyond = within; beyond < count; beyond += 1) this.record(HISTOGRAM_MAX_US);
    if (within <= 0) return;
    const lastUs = firstUs + stepUs * (within - 1);
    const lastBucket = bucketOf(lastUs);
    if (lastBucket >= this.buckets.length) this.grow(lastBucket);
    const buckets = this.buckets;
    const largest = this.largest;
    for (let i = 0, us = firstUs; i < within; i += 1, us += stepUs) {
      const bucket = bucketOf(us >>> 0);
      buckets[bucket] = buckets[bucket]! + 1;
      if (us > largest[bucket]!) largest[bucket] = us;
    }
    this.recorded += within;
    this.sum += (within * (firstUs + lastUs)) / 2;
    if (firstUs < this.least) this.least = firstUs;
    if (lastUs > this.greatest) this.greatest = lastUs;
  }

  private grow(bucket: number): void {
    let length = this.buckets.length;
    while (length <= bucket) length *= 2;
    const buckets = new Uint32Array(Math.min(length, MAX_BUCKETS));
    const largest = new Uint32Array(buckets.length);
    buckets.set(this.buckets);
    largest.set(this.largest);
    this.buckets = buckets;
    this.largest = largest;
  }

  /** Takes over everything the other one recorded; percentiles of the result are exact, never averages. */
  merge(other: Histogram): void {
    if (other.buckets.length > this.buckets.length) this.grow(other.buckets.length - 1);
    const { length } = other.buckets;
    for (let i = 0; i < length; i += 1) {
      this.buckets[i] = this.buckets[i]! + other.buckets[i]!;
      this.largest[i] = Math.max(this.largest[i]!, other.largest[i]!);
    }
    this.recorded += other.recorded;
    this.sum += other.sum;
    this.least = Math.min(this.least, other.least);
    this.greatest = Math.max(this.greatest, other.greatest);
  }

  static merged(parts: Iterable<Histogram>): Histogram {
    const whole = new Histogram();
    for (const part of parts) whole.merge(part);
    return whole;
  }

  get count(): number {
    return this.recorded;
  }

  /** 0 when nothing was recorded. */
  get min(): number {
    return this.recorded === 0 ? 0 : this.least;
  }

  get max(): number {
    return this.greatest;
  }

  get mean(): number {
    return this.recorded === 0 ? 0 : this.sum / this.recorded;
  }

  get zeros(): number {
    return this.buckets[0]!;
  }

  /**
   * Nearest rank: the smallest recorded value with at least `percent` % of the values at or below it, up to
   * the other values of its bucket. 0 when nothing was recorded.
   */
  percentile(percent: number): number {
    const rank = nearestRank(percent, this.recorded);
    let seen = 0;
    for (let bucket = 0; bucket < this.buckets.length; bucket += 1) {
      seen += this.buckets[bucket]!;
      if (seen >= rank && seen > 0) return this.largest[bucket]!;
    }
    return 0;
  }

  /** HdrHistogram V2, deflated, base64: other tools can merge and re-quantile it. */
  toHdr(): string {
    const hdr = build({
      bitBucketSize: 64,
      lowestDiscernibleValue: 1,
      highestTrackableValue: HISTOGRAM_MAX_US,
      numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    });
    this.buckets.forEach((count, bucket) => {
      if (count > 0) hdr.recordValueWithCount(this.largest[bucket]!, count);
    });
    return encodeIntoCompressedBase64(hdr);
  }

  /**
   * Reads `toHdr`'s text. Minimum, maximum and mean are then known to a bucket's width only.
   * @throws FleetrigError `HISTOGRAM_INVALID` (exit 2)
   */
  static fromHdr(text: string): Histogram {
    const hdr = decode(text);
    const histogram = new Histogram();
    const { countsArrayLength } = hdr;
    for (let bucket = 0; bucket < Math.min(countsArrayLength, MAX_BUCKETS); bucket += 1) {
      const count = hdr.getCountAtIndex(bucket);
      if (count > 0) histogram.recordMany(highestOf(bucket), count);
    }
    return histogram;
  }

  private recordMany(us: number, count: number): void {
    this.record(us);
    const bucket = bucketOf(Math.min(us, HISTOGRAM_MAX_US));
    this.buckets[bucket] = this.buckets[bucket]! + count - 1;
    this.recorded += count - 1;
    this.sum += us * (count - 1);
  }
}

function decode(text: string): JsHistogram {
  try {
    const hdr = decodeFromCompressedBase64(text, 64, false);
    if (hdr instanceof JsHistogram) return hdr;
  } catch (cause) {
    throw invalidHdr(cause);
  }
  throw invalidHdr(undefined);
}

const invalidHdr = (cause: unknown): FleetrigError =>
  new FleetrigError("HISTOGRAM_INVALID", "A histogram is not HdrHistogram V2 in base64.", {
    hint: "The run record was changed or cut off; run the scenario again.",
    exitCode: EXIT.usage,
    cause,
  });

/** Rank of a percentile among `count` values, from 1; the epsilon keeps 99.9 % of 1,000 at 999. */
export const nearestRank = (percent: number, count: number): number =>
  Math.max(1, Math.ceil((percent * count) / 100 - 1e-9));

/** A percentile needs ten values beyond it to mean something: p(99) needs 1,000. */
export const isThinPercentile = (percent: number, count: number): boolean =>
  percent < 100 && count * (1 - percent / 100) < 10 - 1e-9;
