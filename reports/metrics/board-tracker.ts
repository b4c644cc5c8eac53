import type { BoardEvent, RunEvent } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import type { BoardRecord, SkippedActionRecord } from "../record/board-records.js";
import { BoardHistory } from "./board-record.js";
import { ClockUncertainty } from "./clock-uncertainty.js";
import type { TrackerContext } from "./connection-tracker.js";
import { SignalTracker } from "./board-signals.js";
import { Gauge } from "./gauge.js";
import { type Measure, type MetricSource, type MetricSources, noData } from "./measure.js";
import { LabelledCounts, LabelledTimes } from "./tallies.js";

const MAX_NAMED_THINGS = 50;
const NO_BOARD = "no board took part in this run";

/** Real boards: starts, panics, losses and recoveries, waits for log lines, their clocks and their links. */
export class BoardTracker {
  readonly clocks: ClockUncertainty;
  /** In the order in which they were first heard of. */
  private readonly boards = new Map<string, BoardHistory>();
  private readonly skipped: SkippedActionRecord[] = [];
  private readonly signals: SignalTracker;
  /** Boards in deep sleep, and what they said about it. */
  private readonly asleep = new Map<string, SleepEvent>();
  private readonly uncertainty = new Gauge();
  private readonly heapFree = new Gauge();
  private readonly longestLoop = new Gauge();
  private readonly counts: Readonly<Record<CountName, LabelledCounts>>;
  private readonly times: Readonly<Record<TimeName, LabelledTimes>>;

  constructor(private readonly context: TrackerContext) {
    this.clocks = new ClockUncertainty(context);
    this.signals = new SignalTracker(context);
    this.counts = eachOf(COUNTS, () => new LabelledCounts(context));
    this.times = eachOf(TIMES, () => new LabelledTimes(context));
  }

  on(event: RunEvent): void {
    if (event.type === "action.skipped") {
      const { atUs, action, things, reason } = event;
      this.skipped.push({
        atMs: atUs / 1000,
        action,
        reason,
        count: things.length,
        things: things.slice(0, MAX_NAMED_THINGS),
      });
    } else if (event.type === "action.started") {
      this.signals.acted(event);
    } else if (isBoardEvent(event)) {
      this.historyOf(event.thing).on(event);
      this.measure(event);
    }
  }

  get records(): readonly BoardRecord[] {
    const place = ({ thing }: BoardRecord): number =>
      this.context.directory.indexOf(thing) ?? Number.MAX_SAFE_INTEGER;
    return [...this.boards.values()]
      .map(({ record }) => this.withSignals(record))
      .sort((a, b) => place(a) - place(b));
  }

  get skippedActions(): readonly SkippedActionRecord[] {
    return this.skipped;
  }

  get metrics(): MetricSources {
    const of =
      (source: MetricSource): MetricSource =>
      (labels) =>
        this.boards.size === 0 ? noData(NO_BOARD) : source(labels);
    const sources: [string, MetricSource][] = [
      ...COUNTS.map((name): [string, MetricSource] => [
        name,
        of((labels) => this.counts[name].measure(labels)),
      ]),
      ...TIMES.map((name): [string, MetricSource] => [
        name,
        of((labels) => this.times[name].measure(labels)),
      ]),
      ...this.signals.metrics.map(([name, source]): [string, MetricSource] => [name, of(source)]),
      ["board.heap_free", of((labels) => this.heapFree.source(labels))],
      ["board.longest_loop", of((labels) => this.longestLoop.source(labels))],
      ["bridge.clock_uncertainty", (labels): Measure => this.uncertainty.source(labels)],
    ];
    return Object.fromEntries(sources);
  }

  private withSignals(record: BoardRecord): BoardRecord {
    const markers = this.signals.markersOf(record.thing);
    const reactions = this.signals.reactionsOf(record.thing);
    return {
      ...record,
      ...(markers.length > 0 && { markers }),
      ...(reactions.length > 0 && { reactions }),
    };
  }

  private historyOf(thing: string): BoardHistory {
    const history =
      this.boards.get(thing) ?? new BoardHistory(thing, this.context.directory.groupOf(thing) ?? "");
    this.boards.set(thing, history);
    return history;
  }

  private measure(event: BoardEvent): void {
    const { atUs, thing } = event;
    const common: Labels = { thing, group: this.context.directory.groupOf(thing) ?? "" };
    switch (event.type) {
      case "board.detached":
        return this.counts["board.detached"].add(atUs, common);
      case "board.booted":
        return this.booted(event, common);
      case "board.panicked": {
        const labels: Labels = { ...common, kind: event.kind, expected: String(event.isExpected) };
        this.counts["board.panics"].add(atUs, labels);
        return this.times["board.panic_notice"].record(atUs, labels, event.noticedUs);
      }
      case "board.recovered":
        return this.times["board.recovery_time"].record(atUs, { ...common, rung: event.rung }, event.tookUs);
      case "board.given-up":
        return this.counts["board.given_up"].add(atUs, common);
      case "board.clock":
        this.clocks.told(thing, atUs, event.uncertaintyUs);
        return this.uncertainty.sample(event.uncertaintyUs, { bridge: thing, group: common.group! });
      case "board.link":
        this.counts["link.retransmissions"].add(atUs, common, event.retransmissions);
        this.counts["link.bad_frames"].add(atUs, common, event.badFrames);
        this.counts["link.dropped_logs"].add(atUs, common, event.droppedLogs);
        return this.counts["link.dropped_events"].add(atUs, common, event.droppedEvents);
      case "board.stats":
        return this.told(event, { thing, group: common.group! });
      case "board.log-awaited":
        return this.awaited(event, common);
      case "board.marker":
      case "board.gpio":
        return this.signals.signalled(event, common);
      case "board.sleeping":
        this.asleep.set(thing, event);
        return this.counts["board.sleeps"].add(atUs, common);
      default:
    }
  }

  private booted(event: BootEvent, common: Labels): void {
    const { atUs, resetReason, isExpected, bootUs } = event;
    const labels: Labels = { ...common, reason: resetReason, expected: String(isExpected) };
    this.counts["board.resets"].add(atUs, labels);
    this.counts["board.reset_reason"].add(atUs, labels);
    if (bootUs !== undefined) this.times["board.boot_time"].record(atUs, common, bootUs);
    this.woke(event, common);
  }

  private woke({ thing, atUs, resetReason }: BootEvent, common: Labels): void {
    const sleep = this.asleep.get(thing);
    this.asleep.delete(thing);
    if (sleep === undefined || resetReason !== DEEP_SLEEP) return;
    const asleepUs = atUs - sleep.atUs;
    this.historyOf(thing).woke(asleepUs);
    this.times["board.sleep_time"].record(atUs, common, asleepUs);
    this.times["board.oversleep"].record(atUs, common, asleepUs - sleep.forUs);
  }

  private told({ heapFreeBytes, longestLoopUs }: StatsEvent, labels: Labels): void {
    if (heapFreeBytes !== undefined) this.heapFree.sample(heapFreeBytes, labels);
    if (longestLoopUs !== undefined) this.longestLoop.sample(longestLoopUs, labels);
  }

  private awaited(event: Extract<BoardEvent, { type: "board.log-awaited" }>, common: Labels): void {
    const { atUs, action, failure, waitedUs } = event;
    const labels: Labels = { ...common, action };
    // `panic: ...` with its cause would be as many outcomes as there are causes.
    const outcome = failure === undefined ? "came" : failure.split(":")[0]!;
    this.counts["board.log_waits"].add(atUs, { ...labels, outcome });
    if (failure === undefined) this.times["board.log_wait"].record(atUs, labels, waitedUs);
  }
}

type BootEvent = Extract<BoardEvent, { type: "board.booted" }>;
type StatsEvent = Extract<BoardEvent, { type: "board.stats" }>;
type SleepEvent = Extract<BoardEvent, { type: "board.sleeping" }>;

/** The ROM's word for the start after a deep sleep. */
const DEEP_SLEEP = "DEEPSLEEP";

const COUNTS = [
  "board.sleeps",
  "board.panics",
  "board.resets",
  "board.reset_reason",
  "board.detached",
  "board.given_up",
  "board.log_waits",
  "link.retransmissions",
  "link.bad_frames",
  "link.dropped_logs",
  "link.dropped_events",
] as const;
type CountName = (typeof COUNTS)[number];

const TIMES = [
  "board.boot_time",
  "board.recovery_time",
  "board.panic_notice",
  "board.log_wait",
  "board.sleep_time",
  "board.oversleep",
] as const;
type TimeName = (typeof TIMES)[number];

const eachOf = <Name extends string, T>(names: readonly Name[], make: () => T): Readonly<Record<Name, T>> =>
  Object.fromEntries(names.map((name) => [name, make()])) as Readonly<Record<Name, T>>;

const isBoardEvent = (event: RunEvent): event is BoardEvent => event.type.startsWith("board.");
