import { type LabelName, LABELS } from "./definition.js";
import { type Measure, type MetricSource, noData } from "./measure.js";
import type { Labels } from "../expectations/expectation.js";

/** Values sampled over the run: last, least, greatest and mean, per set of labels. */
interface Samples {
  readonly labels: Labels;
  last: number;
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** The order in which keys write labels. */
const LABEL_NAMES = Object.keys(LABELS);

const NO_LABELS: Labels = {};

export class Gauge {
  private readonly samples = new Map<string, Samples>();

  sample(value: number, labels: Labels = NO_LABELS): void {
    const key = labels === NO_LABELS ? "{}" : JSON.stringify(labels, LABEL_NAMES);
    const samples = this.samples.get(key) ?? {
      labels,
      last: value,
      min: value,
      max: value,
      sum: 0,
      count: 0,
    };
    samples.last = value;
    samples.min = Math.min(samples.min, value);
    samples.max = Math.max(samples.max, value);
    samples.sum += value;
    samples.count += 1;
    this.samples.set(key, samples);
  }

  /** Samples that carry every wanted label; `last` is the greatest of their last values. */
  readonly source: MetricSource = (wanted): Measure => {
    const names = Object.keys(wanted) as LabelName[];
    const selected = [...this.samples.values()].filter(({ labels }) =>
      names.every((name) => labels[name] === wanted[name]),
    );
    const samples = selected.reduce((total, one) => total + one.count, 0);
    if (samples === 0) return noData("it was never sampled");
    return {
      kind: "gauge",
      last: Math.max(...selected.map((one) => one.last)),
      min: Math.min(...selected.map((one) => one.min)),
      max: Math.max(...selected.map((one) => one.max)),
      mean: selected.reduce((total, one) => total + one.sum, 0) / samples,
      samples,
    };
  };
}
