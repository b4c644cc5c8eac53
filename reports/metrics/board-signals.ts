import { type BoardEvent, type HarnessEvent, US_PER_MS } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { Histogram } from "../ledger/histogram.js";
import type { DistributionRecord, MarkerRecord, ReactionRecord } from "../record/board-records.js";
import type { TrackerContext } from "./connection-tracker.js";
import { Gauge } from "./gauge.js";
import type { MetricSource } from "./measure.js";
import { LabelledCounts, LabelledTimes } from "./tallies.js";

/**
 * What firmware signals by name: *markers*, and changes of outputs, which are named `gpio4.high` and `gpio4.low`. A *reaction* is the
 * time from an action of the scenario that was about the board to the first signal of each name after it.
 */
type Signal = Extract<BoardEvent, { type: "board.marker" | "board.gpio" }>;
type Marker = Extract<BoardEvent, { type: "board.marker" }>;
type ActionStart = Extract<HarnessEvent, { type: "action.started" }>;

/** Names and actions that are told apart per board; what comes beyond that is counted together, or not as a reaction. */
const MAX_NAMES = 200;
const MAX_ACTIONS = 64;
const OTHERS = "others";

interface MarkerCells {
  count: number;
  readonly took: Histogram;
  value: { min: number; max: number; sum: number; count: number; last: number } | undefined;
}

interface BoardSignals {
  readonly markers: Map<string, MarkerCells>;
  /** By action and name. */
  readonly reactions: Map<
    string,
    { readonly action: string; readonly name: string; readonly took: Histogram }
  >;
  /** When an action last began, and which names have followed it. */
  readonly actions: Map<string, { readonly atUs: number; readonly heard: Set<string> }>;
}

/** Markers and outputs of boards, and how soon they followed what the scenario did. */
export class SignalTracker {
  private readonly boards = new Map<string, BoardSignals>();
  private readonly markers: LabelledCounts;
  private readonly times: LabelledTimes;
  private readonly values = new Gauge();
  private readonly outputs: LabelledCounts;
  private readonly reactions: LabelledTimes;

  constructor(context: TrackerContext) {
    this.markers = new LabelledCounts(context);
    this.times = new LabelledTimes(context);
    this.outputs = new LabelledCounts(context);
    this.reactions = new LabelledTimes(context);
  }

  get metrics(): readonly (readonly [name: string, source: MetricSource])[] {
    return [
      ["board.marker", (labels) => this.times.measure(labels)],
      ["board.markers", (labels) => this.markers.measure(labels)],
      ["board.marker_value", (labels) => this.values.source(labels)],
      ["board.gpio", (labels) => this.outputs.measure(labels)],
      ["board.reaction", (labels) => this.reactions.measure(labels)],
    ];
  }

  acted({ action, atUs, things }: ActionStart): void {
    for (const thing of things) {
      const { actions } = this.of(thing);
      if (actions.has(action) || actions.size < MAX_ACTIONS) actions.set(action, { atUs, heard: new Set() });
    }
  }

  signalled(event: Signal, common: Labels): void {
    if (event.type === "board.marker") {
      const { markers } = this.of(event.thing);
      const name = markers.has(event.name) || markers.size < MAX_NAMES ? event.name : OTHERS;
      this.marked({ ...event, name }, { ...common, name });
      this.reacted(event, name, common);
      return;
    }
    const level = event.isHigh ? "high" : "low";
    this.outputs.add(event.atUs, { ...common, pin: String(event.pin), level });
    this.reacted(event, `gpio${event.pin}.${level}`, common);
  }

  /** In the order in which they were first heard of. */
  markersOf(thing: string): MarkerRecord[] {
    return [...this.of(thing).markers].map(([name, { count, took, value }]) => ({
      name,
      count,
      took: distributionOf(took),
      value:
        value === undefined
          ? null
          : { min: value.min, mean: value.sum / value.count, max: value.max, last: value.last },
    }));
  }

  reactionsOf(thing: string): ReactionRecord[] {
    return [...this.of(thing).reactions.values()].flatMap(({ action, name, took }) => {
      const distribution = distributionOf(took);
      return distribution === null ? [] : [{ action, name, took: distribution }];
    });
  }

  private of(thing: string): BoardSignals {
    const signals = this.boards.get(thing) ?? {
      markers: new Map(),
      reactions: new Map(),
      actions: new Map(),
    };
    this.boards.set(thing, signals);
    return signals;
  }

  private marked({ thing, atUs, name, value, tookUs }: Marker, labels: Labels): void {
    const { markers } = this.of(thing);
    const cells = markers.get(name) ?? { count: 0, took: new Histogram(), value: undefined };
    markers.set(name, cells);
    cells.count += 1;
    this.markers.add(atUs, labels);
    if (tookUs !== undefined) {
      cells.took.record(tookUs);
      this.times.record(atUs, labels, tookUs);
    }
    if (value === undefined) return;
    const { min, max, sum, count } = cells.value ?? { min: value, max: value, sum: 0, count: 0 };
    cells.value = {
      min: Math.min(min, value),
      max: Math.max(max, value),
      sum: sum + value,
      count: count + 1,
      last: value,
    };
    this.values.sample(value, labels);
  }

  private reacted({ thing, atUs }: Signal, name: string, common: Labels): void {
    const { actions, reactions } = this.of(thing);
    for (const [action, { atUs: beganUs, heard }] of actions) {
      if (atUs < beganUs || heard.has(name)) continue;
      heard.add(name);
      const key = JSON.stringify([action, name]);
      const reaction = reactions.get(key) ?? { action, name, took: new Histogram() };
      reactions.set(key, reaction);
      reaction.took.record(atUs - beganUs);
      this.reactions.record(atUs, { ...common, action, name }, atUs - beganUs);
    }
  }
}

function distributionOf(histogram: Histogram): DistributionRecord | null {
  const { count, min, max } = histogram;
  if (count === 0) return null;
  const at = (percent: number): number => histogram.percentile(percent) / US_PER_MS;
  return { count, min: min / US_PER_MS, p50: at(50), p95: at(95), max: max / US_PER_MS };
}
