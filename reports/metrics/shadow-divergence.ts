import { US_PER_S } from "fleetrig/kernel";
import { counted, type MetricSources, ratioOf, single } from "./measure.js";
import type { TrackerContext } from "./connection-tracker.js";

interface GroupCounts {
  diverged: number;
  areaThingUs: number;
  countedToUs: number;
  updates: number;
  deltas: number;
  readonly rejected: Map<number, number>;
}

const CONFLICT = 409;

/** How many things are not in the state they should be in, for how long, and what the shadow service refused. */
export class ShadowDivergence {
  private readonly groups = new Map<string, GroupCounts>();
  /** Per thing: how many of its shadows have a delta. */
  private readonly deltas = new Map<string, number>();

  constructor(readonly context: TrackerContext) {}

  /** A shadow of the thing got a delta, or lost it. */
  deltaChanged(thing: string, hasDelta: boolean, atUs: number): void {
    const counts = this.group(thing, atUs);
    const before = this.deltas.get(thing) ?? 0;
    const after = before + (hasDelta ? 1 : -1);
    this.deltas.set(thing, after);
    if (before === 0) counts.diverged += 1;
    if (after === 0) counts.diverged -= 1;
  }

  accepted(
    thing: string,
    update: { readonly isDesired: boolean; readonly hasDelta: boolean },
    atUs: number,
  ): void {
    const counts = this.group(thing, atUs);
    if (update.isDesired) counts.updates += 1;
    if (update.hasDelta) counts.deltas += 1;
  }

  rejected(thing: string, code: number, atUs: number): void {
    const { rejected } = this.group(thing, atUs);
    rejected.set(code, (rejected.get(code) ?? 0) + 1);
  }

  /** Counts of the thing's group, with the area counted up to now. */
  private group(thing: string, atUs: number): GroupCounts {
    const name = this.context.directory.groupOf(thing) ?? "";
    const counts = this.groups.get(name) ?? {
      diverged: 0,
      areaThingUs: 0,
      countedToUs: 0,
      updates: 0,
      deltas: 0,
      rejected: new Map<number, number>(),
    };
    this.groups.set(name, counts);
    counts.areaThingUs += counts.diverged * (atUs - counts.countedToUs);
    counts.countedToUs = atUs;
    return counts;
  }

  get metrics(): MetricSources {
    const { directory, nowUs } = this.context;
    const sum = (group: string | undefined, of: (counts: GroupCounts) => number): number => {
      let total = 0;
      for (const [name, counts] of this.groups)
        if (group === undefined || name === group) total += of(counts);
      return total;
    };
    return {
      "shadow.diverged": ({ group }) =>
        counted(
          sum(group, (one) => one.diverged),
          directory.size(group),
        ),
      "shadow.divergence_area": ({ group }) => {
        const now = nowUs();
        const areaUs = sum(group, (one) => one.areaThingUs + one.diverged * (now - one.countedToUs));
        return single(areaUs / US_PER_S, directory.size(group));
      },
      "shadow.conflicts": ({ group }) =>
        counted(
          sum(group, (one) => rejections(one.rejected, CONFLICT)),
          directory.size(group),
        ),
      "shadow.rejected": ({ group, code }) =>
        counted(
          sum(group, (one) => rejections(one.rejected, code === undefined ? undefined : Number(code))),
          directory.size(group),
        ),
      "shadow.delta_messages_per_update": ({ group }) =>
        ratioOf(
          sum(group, (one) => one.deltas),
          sum(group, (one) => one.updates),
          "desired was never updated",
        ),
    };
  }
}

const rejections = (byCode: ReadonlyMap<number, number>, code: number | undefined): number =>
  code === undefined ? [...byCode.values()].reduce((sum, count) => sum + count, 0) : (byCode.get(code) ?? 0);
