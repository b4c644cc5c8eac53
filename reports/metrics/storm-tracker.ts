import { parseDurationUs, type RunEvent, US_PER_S } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { Histogram } from "../ledger/histogram.js";
import { type BackoffGrade, gradeBackoff, gradeGroup } from "./backoff-grade.js";
import type { TrackerContext } from "./connection-tracker.js";
import {
  counted,
  type Measure,
  type MetricSource,
  type MetricSources,
  noData,
  ratioOf,
  single,
  word,
} from "./measure.js";
import { largestBinShare, type Loss, Outage, type OutagePlan, peakInWindow } from "./outage.js";

const SYNCHRONY_BIN_US = 100_000;
const NO_PLAN: OutagePlan = { overUs: 0, holdUs: undefined };

/** A loss with the outage it belongs to: what a selector of `reconnect.*` picks. */
interface Selected {
  readonly outage: Outage;
  readonly loss: Loss;
}

/**
 * Reconnect storms. An action of the verb `disconnect` opens an outage; its details may say `holdUs` and
 * `overUs`, and `action.ended` says that the link works again. Losses without an action form one outage of their own.
 */
export class StormTracker {
  /** Outages of actions, in the order in which they began. */
  readonly outages: Outage[] = [];
  private readonly outageByAction = new Map<string, Outage>([["", new Outage("", 0, NO_PLAN)]]);
  /** The latest loss of each thing, with its outage. */
  private readonly latest = new Map<string, Selected>();
  private readonly wills = new Map<string, { published: number; suppressed: number }>();

  constructor(readonly context: TrackerContext) {}

  on(event: RunEvent): void {
    switch (event.type) {
      case "action.started":
        if (event.verb === "disconnect") this.open(event.action, event.atUs, event.detail);
        return;
      case "action.ended":
        this.outageByAction.get(event.action)?.end(event.atUs);
        return;
      case "connection.lost":
        this.lose(event.thing, event.atUs, event.action ?? "");
        return;
      case "connection.closed":
        if (event.action !== undefined) this.lose(event.thing, event.atUs, event.action);
        return;
      case "connection.attempt":
        this.pending(event.thing)?.attemptsUs.push(event.atUs);
        return;
      case "connection.refused":
        this.pending(event.thing)?.refusals.push({ atUs: event.atUs, reason: event.reason });
        return;
      case "connection.open":
        this.return(event.thing, event.atUs, event);
        return;
      case "will.published":
      case "will.suppressed":
        this.countWill(event.clientId, event.type === "will.published");
        return;
      default:
    }
  }

  private open(action: string, atUs: number, detail: Readonly<Record<string, unknown>>): void {
    const { overUs, holdUs } = detail;
    this.add(
      new Outage(action, atUs, {
        overUs: typeof overUs === "number" ? overUs : 0,
        holdUs: typeof holdUs === "number" ? holdUs : undefined,
      }),
    );
  }

  private add(outage: Outage): Outage {
    this.outageByAction.set(outage.action, outage);
    this.outages.push(outage);
    return outage;
  }

  private lose(thing: string, atUs: number, action: string): void {
    const outage = this.outageByAction.get(action) ?? this.add(new Outage(action, atUs, NO_PLAN));
    const loss: Loss = {
      thing,
      downUs: atUs,
      stage: this.context.stages.indexAt(atUs),
      backUs: undefined,
      attemptsUs: [],
      refusals: [],
      sessionExpected: false,
      sessionResumed: false,
    };
    outage.losses.push(loss);
    this.latest.set(thing, { outage, loss });
  }

  /** The loss a thing is still recovering from. */
  private pending(thing: string): Loss | undefined {
    const loss = this.latest.get(thing)?.loss;
    return loss?.backUs === undefined ? loss : undefined;
  }

  private return(
    thing: string,
    atUs: number,
    open: { resumeExpected: boolean; sessionPresent: boolean },
  ): void {
    const loss = this.pending(thing);
    if (loss === undefined) return;
    loss.backUs = atUs;
    loss.sessionExpected = open.resumeExpected;
    loss.sessionResumed = open.sessionPresent;
  }

  /** A will belongs to the outage its client fell into last. */
  private countWill(clientId: string, isPublished: boolean): void {
    const action = this.latest.get(clientId)?.outage.action ?? "";
    const key = JSON.stringify([action, this.context.directory.groupOf(clientId) ?? ""]);
    const counts = this.wills.get(key) ?? { published: 0, suppressed: 0 };
    counts[isPublished ? "published" : "suppressed"] += 1;
    this.wills.set(key, counts);
  }

  get metrics(): MetricSources {
    return {
      "connections.lost": (labels) => this.lost(labels),
      "sessions.resumed_ratio": this.over((selected) => {
        const expected = selected.filter(({ loss }) => loss.sessionExpected);
        const resumed = expected.filter(({ loss }) => loss.sessionResumed).length;
        return ratioOf(resumed, expected.length, "no reconnect expected its session back");
      }),
      "wills.published": (labels) => this.willCount(labels, "published"),
      "wills.suppressed": (labels) => this.willCount(labels, "suppressed"),
      "reconnect.time": this.over((selected, { since }) => this.reconnectTime(selected, since)),
      "reconnect.attempts": this.over((selected) => counted(attempts(selected), selected.length)),
      "reconnect.amplification": this.over((selected) =>
        ratioOf(attempts(selected), distinctThings(selected), "nothing was lost"),
      ),
      "reconnect.peak_rate": this.over((selected, { window }) => {
        const windowUs = (window === undefined ? undefined : parseDurationUs(window)) ?? US_PER_S;
        const instants = attemptsAfterRestore(selected);
        return single(peakInWindow(instants, windowUs) / (windowUs / US_PER_S), instants.length);
      }),
      "reconnect.peak_to_mean": this.over((selected) => this.peakToMean(selected)),
      "reconnect.synchrony": this.over(synchrony),
      "reconnect.refused_ratio": this.over(refusedRatio),
      "reconnect.backoff_grade": this.over((selected) => {
        const grades = selected.flatMap(({ loss }) => gradeBackoff(gapsOf(loss)) ?? []);
        const grade = gradeGroup(grades);
        return grade === undefined
          ? noData("no device made six attempts in a row")
          : word(grade, grades.length);
      }),
    };
  }

  /** Answers for the losses that the labels select; without any there is no data. */
  private over(measure: (selected: readonly Selected[], labels: Labels) => Measure): MetricSource {
    return (labels) => {
      const selected = this.select(labels);
      return selected.length === 0 ? noData(nothingLost(labels)) : measure(selected, labels);
    };
  }

  select({ action, group, stage }: Labels): readonly Selected[] {
    const { directory, stages } = this.context;
    const outages = [...this.outageByAction.values()].filter(
      (outage) => action === undefined || outage.action === action,
    );
    return outages.flatMap((outage) =>
      outage
        .lossesOf((thing) => directory.isIn(thing, group))
        .filter((loss) => stage === undefined || stages.selects(loss.stage, stage))
        .map((loss) => ({ outage, loss })),
    );
  }

  private lost(labels: Labels): Measure {
    if (labels.action !== undefined && !this.outageByAction.has(labels.action))
      return noData(nothingLost(labels));
    return counted(distinctThings(this.select(labels)), this.context.directory.size(labels.group));
  }

  private willCount({ action, group }: Labels, which: "published" | "suppressed"): Measure {
    if (action !== undefined && !this.outageByAction.has(action)) return noData(nothingLost({ action }));
    let count = 0;
    for (const [key, counts] of this.wills) {
      const [ofAction, ofGroup] = JSON.parse(key) as [string, string];
      const isSelected = (action ?? ofAction) === ofAction && (group ?? ofGroup) === ofGroup;
      if (isSelected) count += counts[which];
    }
    return counted(count, this.context.directory.size(group));
  }

  /** A thing that is not back counts with the time it has been away so far: leaving it out would flatter. */
  private reconnectTime(selected: readonly Selected[], since: string | undefined): Measure {
    const histogram = new Histogram();
    for (const { outage, loss } of selected) {
      const fromUs = since === "down" ? loss.downUs : outage.restoreUs(loss);
      histogram.record((loss.backUs ?? this.context.nowUs()) - fromUs);
    }
    return { kind: "histogram", histogram, seconds: 0 };
  }

  private peakToMean(selected: readonly Selected[]): Measure {
    const instants = attemptsAfterRestore(selected);
    if (instants.length === 0) return noData("nobody tried to reconnect after the link was restored");
    const peak = peakInWindow(instants, US_PER_S);
    return {
      kind: "ratio",
      value: peak / (instants.length / this.stormSeconds(selected)),
      samples: instants.length,
    };
  }

  /** Time from each restored link to the last thing's return, summed over outages; at least a second. */
  private stormSeconds(selected: readonly Selected[]): number {
    const endUs = new Map<Outage, { startUs: number; endUs: number }>();
    for (const { outage, loss } of selected) {
      const span = endUs.get(outage) ?? { startUs: outage.restoreUs(loss), endUs: 0 };
      span.startUs = Math.min(span.startUs, outage.restoreUs(loss));
      span.endUs = Math.max(span.endUs, loss.backUs ?? this.context.nowUs());
      endUs.set(outage, span);
    }
    let us = 0;
    for (const span of endUs.values()) us += Math.max(0, span.endUs - span.startUs);
    return Math.max(US_PER_S, us) / US_PER_S;
  }

  /** Grade of the selected devices, for the storm's record. */
  grade(labels: Labels): BackoffGrade | undefined {
    return gradeGroup(this.select(labels).flatMap(({ loss }) => gradeBackoff(gapsOf(loss)) ?? []));
  }
}

const nothingLost = ({ action }: Labels): string =>
  action === undefined ? "no connection was lost" : `the action "${action}" cost no connection`;

const attempts = (selected: readonly Selected[]): number =>
  selected.reduce((sum, { loss }) => sum + loss.attemptsUs.length, 0);

const distinctThings = (selected: readonly Selected[]): number =>
  new Set(selected.map(({ loss }) => loss.thing)).size;

export const attemptsAfterRestore = (selected: readonly Selected[]): number[] =>
  selected
    .flatMap(({ outage, loss }) => loss.attemptsUs.filter((us) => us >= outage.restoreUs(loss)))
    .sort((a, b) => a - b);

const gapsOf = ({ attemptsUs }: Loss): number[] => attemptsUs.slice(1).map((us, i) => us - attemptsUs[i]!);

/** Refusals that came after the restore, over attempts made after it. */
function refusedRatio(selected: readonly Selected[], { reason }: Labels): Measure {
  const refused = selected.reduce((sum, { outage, loss }) => {
    const late = loss.refusals.filter((one) => one.atUs > outage.restoreUs(loss));
    return sum + late.filter((one) => reason === undefined || one.reason === reason).length;
  }, 0);
  return ratioOf(
    refused,
    attemptsAfterRestore(selected).length,
    "nobody tried to reconnect after the link was restored",
  );
}

/** The worst outage counts. */
function synchrony(selected: readonly Selected[]): Measure {
  const byOutage = new Map<Outage, Selected[]>();
  for (const one of selected) {
    const ofOutage = byOutage.get(one.outage);
    if (ofOutage === undefined) byOutage.set(one.outage, [one]);
    else ofOutage.push(one);
  }
  let worst = 0;
  let samples = 0;
  for (const [outage, ofOutage] of byOutage) {
    const instants = attemptsAfterRestore(ofOutage);
    const originUs = outage.restoredUs ?? 0;
    worst = Math.max(worst, largestBinShare(instants, SYNCHRONY_BIN_US, originUs));
    samples += instants.length;
  }
  return samples === 0
    ? noData("nobody tried to reconnect after the link was restored")
    : { kind: "ratio", value: worst, samples };
}
