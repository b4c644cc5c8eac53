import {
  isJsonObject,
  jsonEqual,
  type JsonObject,
  type JsonValue,
  type RunEvent,
  type ShadowEvent,
} from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { Histogram } from "../ledger/histogram.js";
import type { TrackerContext } from "./connection-tracker.js";
import { counted, type Measure, type MetricSources, noData, shareOf } from "./measure.js";
import { ShadowDivergence } from "./shadow-divergence.js";
import { leavesOf, overlaps } from "./shadow-leaves.js";
import { ShadowUpdate } from "./shadow-update.js";

export const STABLE_US = 1_000_000;

/** What is known of one shadow of one thing. */
interface ShadowState {
  readonly thing: string;
  reported: JsonObject;
  device: JsonObject | undefined;
  hasDelta: boolean;
  /** Updates that may still converge. */
  pending: ShadowUpdate[];
}

/** An `updateShadow` action; its details say `shadowName` and `desired`. */
interface UpdateAction {
  readonly id: string;
  readonly atUs: number;
  readonly things: ReadonlySet<string>;
  readonly shadowName: string | undefined;
  readonly desired: JsonValue | undefined;
}

const NO_STATE: JsonObject = {};

/**
 * Shadow convergence. An accepted update of `desired` belongs to the `updateShadow` action whose id is its
 * clientToken, or else to the latest one for that thing and shadow that asked for the same state.
 */
export class ShadowTracker {
  private readonly shadows = new Map<string, Map<string, ShadowState>>();
  private readonly updates: ShadowUpdate[] = [];
  private readonly actionList: UpdateAction[] = [];
  private readonly onlineSinceUs = new Map<string, number>();
  readonly divergence: ShadowDivergence;

  constructor(
    readonly context: TrackerContext,
    readonly stableUs: number = STABLE_US,
  ) {
    this.divergence = new ShadowDivergence(context);
  }

  on(event: RunEvent): void {
    switch (event.type) {
      case "action.started":
        if (event.verb === "updateShadow") this.actionList.push(updateAction(event));
        return;
      case "connection.open":
        this.onlineSinceUs.set(event.thing, event.atUs);
        return;
      case "connection.lost":
      case "connection.closed":
        this.onlineSinceUs.delete(event.thing);
        return;
      case "device.config": {
        const shadow = this.shadow(event.thing, event.shadowName);
        shadow.device = event.state;
        this.observe(shadow, event.atUs);
        return;
      }
      case "shadow.accepted":
        this.accept(event);
        return;
      case "shadow.rejected":
        this.divergence.rejected(event.thing, event.code, event.atUs);
        return;
      case "shadow.deleted": {
        const shadow = this.shadow(event.thing, event.shadowName);
        shadow.reported = NO_STATE;
        this.setDelta(shadow, false, event.atUs);
        this.observe(shadow, event.atUs);
        return;
      }
      default:
    }
  }

  private accept(event: Extract<ShadowEvent, { type: "shadow.accepted" }>): void {
    const { atUs, thing, requested, hasDelta } = event;
    const shadow = this.shadow(thing, event.shadowName);
    const { desired } = requested;
    this.divergence.accepted(thing, { isDesired: desired !== undefined, hasDelta }, atUs);
    if (desired !== undefined) this.begin(shadow, event, desired);
    shadow.reported = event.reported;
    this.setDelta(shadow, hasDelta, atUs);
    this.observe(shadow, atUs);
  }

  private begin(
    shadow: ShadowState,
    event: Extract<ShadowEvent, { type: "shadow.accepted" }>,
    desired: JsonValue,
  ): void {
    const leaves = isJsonObject(desired) ? leavesOf(desired) : [];
    for (const earlier of shadow.pending) {
      if (desired === null || overlaps(earlier.start.leaves, leaves)) earlier.supersede(event.atUs);
    }
    if (leaves.length === 0) return;
    const update = new ShadowUpdate({
      update: this.actionOf(event, desired),
      thing: event.thing,
      acceptedUs: event.atUs,
      leaves,
      wasOnline: this.onlineSinceUs.has(event.thing),
      stableUs: this.stableUs,
    });
    shadow.pending.push(update);
    this.updates.push(update);
  }

  private actionOf(event: Extract<ShadowEvent, { type: "shadow.accepted" }>, desired: JsonValue): string {
    const { clientToken, thing, shadowName } = event;
    const candidates = this.actionList.filter((action) => action.things.has(thing));
    const named = candidates.find((action) => action.id === clientToken);
    const alike = candidates.findLast(
      (action) => action.shadowName === shadowName && jsonEqual(action.desired, desired),
    );
    return (named ?? alike)?.id ?? clientToken ?? "";
  }

  private observe(shadow: ShadowState, atUs: number): void {
    const states = {
      reported: shadow.reported,
      device: shadow.device,
      onlineSinceUs: this.onlineSinceUs.get(shadow.thing),
    };
    for (const update of shadow.pending) update.observe(atUs, states);
    if (shadow.pending.some((update) => !update.isPending)) {
      shadow.pending = shadow.pending.filter((update) => update.isPending);
    }
  }

  private shadow(thing: string, shadowName: string | undefined): ShadowState {
    const ofThing = this.shadows.get(thing) ?? new Map<string, ShadowState>();
    this.shadows.set(thing, ofThing);
    const shadow = ofThing.get(shadowName ?? "") ?? {
      thing,
      reported: NO_STATE,
      device: undefined,
      hasDelta: false,
      pending: [],
    };
    ofThing.set(shadowName ?? "", shadow);
    return shadow;
  }

  private setDelta(shadow: ShadowState, hasDelta: boolean, atUs: number): void {
    if (shadow.hasDelta === hasDelta) return;
    shadow.hasDelta = hasDelta;
    this.divergence.deltaChanged(shadow.thing, hasDelta, atUs);
  }

  /** Updates that belong to a selector, with everything that time alone has decided. */
  select({ update, group }: Labels): readonly ShadowUpdate[] {
    const nowUs = this.context.nowUs();
    const selected = this.updates.filter(
      (one) =>
        (update === undefined || one.update === update) && this.context.directory.isIn(one.thing, group),
    );
    for (const one of selected) one.settle(nowUs);
    return selected;
  }

  /** The `updateShadow` actions so far, by id. */
  get actions(): readonly {
    readonly id: string;
    readonly atUs: number;
    readonly things: ReadonlySet<string>;
  }[] {
    return this.actionList;
  }

  get metrics(): MetricSources {
    return {
      ...this.divergence.metrics,
      "shadow.convergence_time": (labels) => this.convergenceTime(labels),
      "shadow.converged": (labels) => this.converged(labels),
      "shadow.superseded": (labels) => this.count(labels, (update) => update.isSuperseded),
      "shadow.false_convergence": (labels) => this.count(labels, (update) => update.hasLied),
    };
  }

  private count(labels: Labels, predicate: (update: ShadowUpdate) => boolean): Measure {
    const updates = this.select(labels);
    if (updates.length === 0) return noData(noUpdate(labels));
    return counted(updates.filter(predicate).length, updates.length);
  }

  /** Things targeted by an action count as not converged before their update is even accepted. */
  private converged(labels: Labels): Measure {
    const updates = this.select(labels);
    const { directory } = this.context;
    const accepted = new Set(updates.map((update) => update.thing));
    const waiting = this.actionList
      .filter((action) => labels.update === undefined || action.id === labels.update)
      .flatMap((action) => [...action.things])
      .filter((thing) => directory.isIn(thing, labels.group) && !accepted.has(thing)).length;
    const relevant = updates.filter((update) => !update.isSuperseded);
    const converged = relevant.filter((update) => update.convergedUs !== undefined).length;
    return shareOf(converged, relevant.length + waiting, noUpdate(labels));
  }

  /** What has not converged counts with the time it has taken so far; what was superseded does not count. */
  private convergenceTime(labels: Labels): Measure {
    const histogram = new Histogram();
    for (const update of this.select(labels)) {
      if (
        update.isSuperseded ||
        (labels.online !== undefined && String(update.start.wasOnline) !== labels.online)
      )
        continue;
      const onlineUs = update.isPending ? this.onlineSinceUs.get(update.thing) : update.onlineSinceUs;
      const isAway = update.isPending && onlineUs === undefined;
      if (labels.since === "reconnect" && isAway) continue;
      const fromUs =
        labels.since === "reconnect"
          ? Math.max(update.start.acceptedUs, onlineUs ?? 0)
          : update.start.acceptedUs;
      histogram.record((update.convergedUs ?? this.context.nowUs()) - fromUs);
    }
    return { kind: "histogram", histogram, seconds: 0 };
  }
}

const noUpdate = ({ update }: Labels): string =>
  update === undefined ? "no desired state was updated" : `no update "${update}" was accepted`;

function updateAction(event: Extract<RunEvent, { type: "action.started" }>): UpdateAction {
  const { shadowName, desired } = event.detail;
  return {
    id: event.action,
    atUs: event.atUs,
    things: new Set(event.things),
    shadowName: typeof shadowName === "string" ? shadowName : undefined,
    desired,
  };
}
