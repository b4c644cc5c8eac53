/**
 * Does a series of samples grow? Memory goes up and down in waves that are longer than the time between two samples,
 * so that neighbours say much the same; a regression over them would be far too sure of itself. The samples are
 * therefore averaged in *batches* longer than those waves, and the regression is over the batches.
 */
export interface Trend {
  /** Units of the values per unit of the positions. */
  readonly slope: number;
  /** Half the width of the 95 % confidence interval of the slope. */
  readonly margin: number;
  readonly batches: number;
  readonly mean: number;
  /** How far the positions reach. */
  readonly span: number;
  /** Correlation of neighbouring batches' residuals: near 0 when the batches are long enough. */
  readonly autocorrelation: number;
}

export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** Two-sided 95 % quantiles of Student's t; index is the degrees of freedom. */
const T_95 = [
  Number.POSITIVE_INFINITY,
  12.706,
  4.303,
  3.182,
  2.776,
  2.571,
  2.447,
  2.365,
  2.306,
  2.262,
  2.228,
  2.201,
  2.179,
  2.16,
  2.145,
  2.131,
  2.12,
  2.11,
  2.101,
  2.093,
  2.086,
];
const T_95_MANY = 2.086;

/** @param batches How many averages the regression is over; at least 3. */
export function trendOf(samples: readonly Sample[], batches: number): Trend {
  const means = batchMeans(samples, batches);
  const count = means.length;
  const at = average(means.map((batch) => batch.at));
  const mean = average(means.map((batch) => batch.value));
  let sxx = 0;
  let sxy = 0;
  for (const batch of means) {
    sxx += (batch.at - at) ** 2;
    sxy += (batch.at - at) * (batch.value - mean);
  }
  const slope = sxy / sxx;
  const residuals = means.map((batch) => batch.value - mean - slope * (batch.at - at));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const neighbours = residuals.slice(1).reduce((sum, residual, i) => sum + residual * residuals[i]!, 0);
  const margin = (T_95[count - 2] ?? T_95_MANY) * Math.sqrt(squares / (count - 2) / sxx);
  const span = samples.at(-1)!.at - samples[0]!.at;
  const autocorrelation = squares === 0 ? 0 : neighbours / squares;
  return { slope, margin, batches: count, mean, span, autocorrelation };
}

/** A growth by this share of the mean over the whole span has to be noticeable, or the series tells nothing. */
const NOTICEABLE_SHARE = 0.1;

/**
 * `level`: indistinguishable from zero, or smaller than `most`, so that it does not matter whether it is zero.
 * `unclear`: so noisy that considerable growth would have gone unnoticed.
 */
export function verdictOf({ slope, margin, mean, span }: Trend, most: number): "level" | "grows" | "unclear" {
  if (slope - margin > 0 && slope >= most) return "grows";
  return margin * span > NOTICEABLE_SHARE * mean ? "unclear" : "level";
}

/** Samples of the same number in each batch; those at the beginning that are left over are left out. */
function batchMeans(samples: readonly Sample[], batches: number): Sample[] {
  const size = Math.max(1, Math.floor(samples.length / batches));
  const used = samples.slice(Math.max(0, samples.length - size * batches));
  const means: Sample[] = [];
  for (let from = 0; from < used.length; from += size) {
    const batch = used.slice(from, from + size);
    means.push({ at: average(batch.map(({ at }) => at)), value: average(batch.map(({ value }) => value)) });
  }
  return means;
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
