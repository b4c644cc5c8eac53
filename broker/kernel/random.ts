import { createHash } from "node:crypto";

/**
 * Randomness as named substreams of one seed: `stream("thing/hq-1/backoff")` always draws the same numbers,
 * whatever else draws from other streams, so adding a device or a draw never shifts anybody else's.
 */
export interface RandomSource {
  readonly seed: number;
  stream(name: string): Random;
}

// Taken when the module loads, as in real-time.ts.
const hostRandomValues = globalThis.crypto.getRandomValues.bind(globalThis.crypto);

/** A seed that nobody can guess, for servers in real use. Never part of a simulation. */
export const hostSeed = (): number => {
  const [high = 0, low = 0] = hostRandomValues(new Uint32Array(2));
  return (high & 0x1f_ffff) * 2 ** 32 + low;
};

/** The streams of one seed, by name. */
export function createRandomSource(seed: number): RandomSource {
  return { seed, stream: (name) => Random.seeded(`${seed}/${name}`) };
}

/**
 * sfc32 (Chris Doty-Humphrey's Small Fast Counter, public domain algorithm): 128-bit state, passes PractRand.
 * Our own generator because `Math.random` cannot be seeded and because its output must not change with
 * a library version.
 */
export class Random {
  private constructor(
    private a: number,
    private b: number,
    private c: number,
    private counter: number,
  ) {}

  static seeded(label: string): Random {
    const digest = createHash("sha256").update(label).digest();
    return new Random(digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), 1);
  }

  /** Integer in [0, 2^32). */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** Number in [0, 1). */
  fraction(): number {
    return this.uint32() / 4_294_967_296;
  }

  /** Number in [min, max). */
  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** Integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** True with the given probability; 0 never, 1 always. Always draws once, so that streams stay aligned. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** A new array in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const result = items.slice();
    for (let i = result.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }

  /** Standard normal deviate: one draw through the inverse distribution function. */
  normal(): number {
    return inverseNormal((this.uint32() + 0.5) / 4_294_967_296);
  }

  /** Exponential deviate with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.fraction());
  }
}

// Rational approximation of the inverse normal distribution (Peter Acklam), relative error below 1.2e-9.
const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
] as const;
const B = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
] as const;
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
] as const;
const D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416] as const;
const TAIL = 0.02425;

/** Quantile of the standard normal distribution for `p` in (0, 1). */
export function inverseNormal(p: number): number {
  if (p < TAIL) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - TAIL) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q) /
    (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1)
  );
}

const tail = (q: number): number =>
  (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5]) /
  ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1);
