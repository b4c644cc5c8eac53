/**
 * The shape of a device's backoff, read from the gaps between its connection attempts. Worst first:
 * - constant: all gaps alike (coefficient of variation below 2.5 %)
 * - linear: each gap longer by the same amount
 * - exponential: each gap longer by the same factor
 * - jittered: none of these, so devices that fail together do not return together
 * Gaps may end in a plateau, where a cap stops the growth.
 */
const BACKOFF_GRADES = ["constant", "linear", "exponential", "jittered"] as const;
/** One of `BACKOFF_GRADES`. */
export type BackoffGrade = (typeof BACKOFF_GRADES)[number];

/** Fewer gaps than this say nothing. */
const MIN_GAPS = 5;
const MAX_VARIATION = 0.025;
/** A line fits short random sequences by chance more easily than the other shapes, so it must fit better. */
const MAX_LINEAR_VARIATION = 0.02;
/** Gaps of a plateau are those of a cap, long ones, and so differ little; random ones below a cap are seldom so close. */
const MAX_PLATEAU_DEVIATION = 0.01;
/** Gaps that must still grow before a plateau for the growth to have a shape. */
const MIN_GROWING = 4;
/** Equal gaps that make a schedule constant whatever came before them. */
const MIN_PLATEAU = 3;

/** Grade of one device, or undefined with fewer than five gaps. Gaps in any unit, all positive. */
export function gradeBackoff(gaps: readonly number[]): BackoffGrade | undefined {
  if (gaps.length < MIN_GAPS) return undefined;
  if (variation(gaps) < MAX_VARIATION) return "constant";
  const growing = withoutPlateau(gaps);
  if (growing.length < MIN_GROWING)
    return gaps.length - growing.length >= MIN_PLATEAU ? "constant" : "jittered";
  if (variation(normalised(growing, line(growing))) < MAX_LINEAR_VARIATION) return "linear";
  if (variation(normalised(growing, power(growing))) < MAX_VARIATION) return "exponential";
  return "jittered";
}

/**
 * Grade of a group: the worst grade that more than 2 % of its devices show, and at least two of twenty or
 * more devices: among thousands of random sequences a few look regular.
 */
export function gradeGroup(grades: readonly BackoffGrade[]): BackoffGrade | undefined {
  const needed = Math.max(grades.length < 20 ? 1 : 2, Math.floor(grades.length / 50) + 1);
  let seen = 0;
  for (const grade of BACKOFF_GRADES) {
    seen += grades.filter((one) => one === grade).length;
    if (seen > 0 && seen >= Math.min(needed, grades.length)) return grade;
  }
  return undefined;
}

/** Standard deviation / mean. */
function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (mean <= 0) return Number.POSITIVE_INFINITY;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length) / mean;
}

/** Drops the equal gaps at the end, except the first of them, if there are at least two. */
function withoutPlateau(gaps: readonly number[]): readonly number[] {
  const last = gaps.at(-1)!;
  let start = gaps.length - 1;
  while (start > 0 && Math.abs(gaps[start - 1]! - last) <= MAX_PLATEAU_DEVIATION * last) start -= 1;
  return gaps.length - start < 2 ? gaps : gaps.slice(0, start);
}

const normalised = (gaps: readonly number[], model: (i: number) => number): number[] =>
  gaps.map((gap, i) => {
    const expected = model(i);
    return expected > 0 ? gap / expected : Number.NaN;
  });

/** Straight line by least squares; only growth counts as linear backoff. */
function line(values: readonly number[]): (i: number) => number {
  const n = values.length;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const slope =
    values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0) /
    values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return slope <= 0 ? () => Number.NaN : (i) => mean + slope * (i - middle);
}

/** Exponential growth: a straight line through the logarithms. */
function power(values: readonly number[]): (i: number) => number {
  const logs = values.map((value) => Math.log(Math.max(value, Number.MIN_VALUE)));
  const fitted = line(logs.map((value) => value - logs[0]! + 1));
  return (i) => Math.exp(fitted(i) - 1 + logs[0]!);
}
