import type { RunEvent } from "fleetrig/kernel";
import { Histogram } from "../ledger/histogram.js";
import type { StageTimeline } from "../ledger/stage-timeline.js";
import { CountCurve, LevelCurve, TimeBins } from "../ledger/time-bins.js";
import { counted, type Measure, type MetricSource, type MetricSources, noData, shareOf } from "./measure.js";
import type { ThingDirectory } from "./thing-directory.js";

export interface TrackerContext {
  readonly directory: ThingDirectory;
  readonly stages: StageTimeline;
  readonly nowUs: () => number;
  /** Undefined for a name that no stream has. */
  readonly groupsOfStream?: (stream: string) => readonly string[] | undefined;
}

/** Counts and connect times per group and stage, as with the ledger's cells. */
interface ConnectionCell {
  readonly group: string;
  readonly stage: number;
  dropped: number;
  readonly connectTime: Histogram;
}

/** Who is connected, how long connecting took, and which connections broke without being told to. */
export class ConnectionTracker {
  readonly bins = new TimeBins();
  readonly onlineCurve = new LevelCurve(this.bins);
  readonly attemptCurve = new CountCurve(this.bins);
  private readonly cells = new Map<string, ConnectionCell>();
  private readonly online = new Map<string, Set<string>>();
  private onlineCount = 0;

  constructor(readonly context: TrackerContext) {}

  on(event: RunEvent): void {
    switch (event.type) {
      case "connection.attempt":
        this.attemptCurve.add(event.atUs);
        return;
      case "connection.open":
        this.cell(event.thing, event.atUs).connectTime.record(event.connectUs);
        this.setOnline(event.thing, true, event.atUs);
        return;
      case "connection.lost":
        if (event.action === undefined) this.cell(event.thing, event.atUs).dropped += 1;
        this.setOnline(event.thing, false, event.atUs);
        return;
      case "connection.closed":
        this.setOnline(event.thing, false, event.atUs);
        return;
      default:
    }
  }

  isOnline(thing: string): boolean {
    const group = this.context.directory.groupOf(thing);
    return group !== undefined && this.online.get(group)?.has(thing) === true;
  }

  private setOnline(thing: string, isOnline: boolean, atUs: number): void {
    const group = this.context.directory.groupOf(thing);
    if (group === undefined) return;
    const online = this.online.get(group) ?? new Set();
    this.online.set(group, online);
    this.onlineCount -= online.size;
    if (isOnline) online.add(thing);
    else online.delete(thing);
    this.onlineCount += online.size;
    this.onlineCurve.set(atUs, this.onlineCount);
  }

  private cell(thing: string, atUs: number): ConnectionCell {
    const group = this.context.directory.groupOf(thing) ?? "";
    const stage = this.context.stages.indexAt(atUs);
    const key = `${stage}/${group}`;
    const cell = this.cells.get(key) ?? { group, stage, dropped: 0, connectTime: new Histogram() };
    this.cells.set(key, cell);
    return cell;
  }

  get metrics(): MetricSources {
    return {
      "connections.online": ({ group }) => this.onlineShare(group),
      "connections.dropped": this.overCells((cells, seconds) =>
        counted(
          cells.reduce((sum, cell) => sum + cell.dropped, 0),
          this.context.directory.things.length,
          seconds,
        ),
      ),
      "connect.time": this.overCells((cells, seconds) => ({
        kind: "histogram",
        histogram: Histogram.merged(cells.map((cell) => cell.connectTime)),
        seconds,
      })),
    };
  }

  private onlineShare(group: string | undefined): Measure {
    const { directory } = this.context;
    const online = group === undefined ? this.onlineCount : (this.online.get(group)?.size ?? 0);
    return shareOf(
      online,
      directory.size(group),
      `the run has no things${group === undefined ? "" : ` in "${group}"`}`,
    );
  }

  private overCells(measure: (cells: readonly ConnectionCell[], seconds: number) => Measure): MetricSource {
    const { stages, directory, nowUs } = this.context;
    return ({ stage, group }) => {
      if (stage !== undefined && !stages.has(stage)) return noData(`the stage "${stage}" did not run`);
      if (group !== undefined && !directory.hasGroup(group))
        return noData(`the run has no things in "${group}"`);
      const cells = [...this.cells.values()].filter(
        (cell) => (group === undefined || cell.group === group) && stages.selects(cell.stage, stage),
      );
      return measure(cells, stages.seconds(stage, nowUs()));
    };
  }
}
