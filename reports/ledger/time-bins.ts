import { US_PER_S } from "fleetrig/kernel";
import { nearestRank } from "./histogram.js";

/**
 * Numbers over time in a bounded number of bins. The bins start at one second and double in width whenever the
 * run outgrows them, merging neighbours, so that a run of any length has at most `MAX_BINS` points per curve.
 */
export const MAX_BINS = 600;
const INITIAL_BIN_US = 1_000_000;

export class TimeBins {
  private binUs = INITIAL_BIN_US;
  private usedBins = 0;
  private readonly merges: (() => void)[] = [];

  get widthUs(): number {
    return this.binUs;
  }

  /** Bins up to the latest instant seen. */
  get used(): number {
    return this.usedBins;
  }

  /** Bin of an instant; makes room for it first. */
  at(us: number): number {
    let bin = Math.floor(us / this.binUs);
    while (bin >= MAX_BINS) {
      this.binUs *= 2;
      this.usedBins = Math.ceil(this.usedBins / 2);
      for (const merge of this.merges) merge();
      bin = Math.floor(us / this.binUs);
    }
    if (bin >= this.usedBins) this.usedBins = bin + 1;
    return bin < 0 ? 0 : bin;
  }

  onDouble(merge: () => void): void {
    this.merges.push(merge);
  }
}

/** Events per bin. */
export class CountCurve {
  private readonly counts = new Float64Array(MAX_BINS);

  constructor(readonly bins: TimeBins) {
    bins.onDouble(() => {
      for (let i = 0; i < MAX_BINS / 2; i += 1)
        this.counts[i] = this.counts[2 * i]! + this.counts[2 * i + 1]!;
      this.counts.fill(0, MAX_BINS / 2);
    });
  }

  add(atUs: number): void {
    const bin = this.bins.at(atUs);
    this.counts[bin] = this.counts[bin]! + 1;
  }

  /** Events per second, one value per bin. */
  perSecond(): number[] {
    const seconds = this.bins.widthUs / US_PER_S;
    return Array.from(this.counts.subarray(0, this.bins.used), (count) => count / seconds);
  }
}

/** A value that holds until it changes: the last one of each bin. */
export class LevelCurve {
  private readonly levels = new Float64Array(MAX_BINS).fill(Number.NaN);

  constructor(readonly bins: TimeBins) {
    bins.onDouble(() => {
      for (let i = 0; i < MAX_BINS / 2; i += 1) {
        const later = this.levels[2 * i + 1]!;
        this.levels[i] = Number.isNaN(later) ? this.levels[2 * i]! : later;
      }
      this.levels.fill(Number.NaN, MAX_BINS / 2);
    });
  }

  set(atUs: number, level: number): void {
    this.levels[this.bins.at(atUs)] = level;
  }

  /** One value per bin, held from the last change; null before the first one. */
  values(): (number | null)[] {
    let held: number | null = null;
    return Array.from(this.levels.subarray(0, this.bins.used), (level) => {
      if (!Number.isNaN(level)) held = level;
      return held;
    });
  }
}

/** Sixteen buckets per power of two: percentiles within about 6 %, good enough for a curve. */
const CURVE_BUCKETS = 16 * 30;

const curveBucketOf = (us: number): number => {
  if (us < 16) return us;
  const shift = 27 - Math.clz32(us);
  return Math.min(CURVE_BUCKETS - 1, shift * 16 + (us >>> shift));
};

const curveBucketMiddle = (bucket: number): number => {
  if (bucket < 32) return bucket;
  const shift = Math.floor(bucket / 16) - 1;
  return ((bucket % 16) + 16.5) * 2 ** shift;
};

/** Percentiles per bin from a coarse histogram in each. */
export class LatencyCurve {
  private readonly counts = new Uint32Array(MAX_BINS * CURVE_BUCKETS);

  constructor(readonly bins: TimeBins) {
    bins.onDouble(() => {
      for (let bin = 0; bin < MAX_BINS / 2; bin += 1) {
        for (let bucket = 0; bucket < CURVE_BUCKETS; bucket += 1) {
          const left = 2 * bin * CURVE_BUCKETS + bucket;
          this.counts[bin * CURVE_BUCKETS + bucket] = this.counts[left]! + this.counts[left + CURVE_BUCKETS]!;
        }
      }
      this.counts.fill(0, (MAX_BINS / 2) * CURVE_BUCKETS);
    });
  }

  record(atUs: number, us: number): void {
    const value = us > 0 ? Math.min(us, 0xffff_ffff) >>> 0 : 0;
    const at = this.bins.at(atUs) * CURVE_BUCKETS + curveBucketOf(value);
    this.counts[at] = this.counts[at]! + 1;
  }

  /** µs per bin; null where nothing was recorded. */
  percentiles(percent: number): (number | null)[] {
    return Array.from({ length: this.bins.used }, (_, bin) => {
      const counts = this.counts.subarray(bin * CURVE_BUCKETS, (bin + 1) * CURVE_BUCKETS);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const rank = nearestRank(percent, total);
      let seen = 0;
      const bucket = counts.findIndex((count) => (seen += count) >= rank);
      return bucket < 0 ? null : curveBucketMiddle(bucket);
    });
  }
}
