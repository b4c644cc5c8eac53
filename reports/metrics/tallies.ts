import type { Labels } from "../expectations/expectation.js";
import { Histogram } from "../ledger/histogram.js";
import type { TrackerContext } from "./connection-tracker.js";
import { type LabelName, LABELS } from "./definition.js";
import { counted, type Measure, noData } from "./measure.js";

/**
 * Counts and times by labels and stage: what most trackers keep of events that are rare. A question selects every cell
 * that carries its labels.
 */
interface Cell<T> {
  readonly labels: Labels;
  readonly stage: number;
  readonly value: T;
}

const LABEL_NAMES = Object.keys(LABELS);

class Cells<T> {
  private readonly cells = new Map<string, Cell<T>>();

  constructor(
    readonly context: TrackerContext,
    private readonly empty: () => T,
  ) {}

  at(atUs: number, labels: Labels): T {
    const stage = this.context.stages.indexAt(atUs);
    const key = `${stage} ${JSON.stringify(labels, LABEL_NAMES)}`;
    const cell = this.cells.get(key) ?? { labels, stage, value: this.empty() };
    this.cells.set(key, cell);
    return cell.value;
  }

  /** Undefined when the stage that is asked for did not run. */
  select(wanted: Labels): T[] | undefined {
    const { stages } = this.context;
    const { stage, ...rest } = wanted;
    if (stage !== undefined && !stages.has(stage)) return undefined;
    const names = Object.keys(rest) as LabelName[];
    return [...this.cells.values()]
      .filter((cell) => names.every((name) => cell.labels[name] === wanted[name]))
      .filter((cell) => stages.selects(cell.stage, stage))
      .map(({ value }) => value);
  }

  seconds({ stage }: Labels): number {
    return this.context.stages.seconds(stage, this.context.nowUs());
  }
}

const notRun = ({ stage }: Labels): Measure => noData(`the stage "${stage}" did not run`);

/** How often something happened. */
export class LabelledCounts {
  private readonly cells: Cells<{ count: number }>;

  constructor(private readonly context: TrackerContext) {
    this.cells = new Cells(context, () => ({ count: 0 }));
  }

  add(atUs: number, labels: Labels, count = 1): void {
    this.cells.at(atUs, labels).count += count;
  }

  measure(wanted: Labels): Measure {
    const selected = this.cells.select(wanted);
    if (selected === undefined) return notRun(wanted);
    const count = selected.reduce((total, cell) => total + cell.count, 0);
    return counted(count, this.context.directory.size(wanted.group), this.cells.seconds(wanted));
  }
}

/** How long something took. */
export class LabelledTimes {
  private readonly cells: Cells<Histogram>;

  constructor(context: TrackerContext) {
    this.cells = new Cells(context, () => new Histogram());
  }

  record(atUs: number, labels: Labels, tookUs: number): void {
    this.cells.at(atUs, labels).record(tookUs);
  }

  measure(wanted: Labels): Measure {
    const selected = this.cells.select(wanted);
    if (selected === undefined) return notRun(wanted);
    return { kind: "histogram", histogram: Histogram.merged(selected), seconds: this.cells.seconds(wanted) };
  }
}
