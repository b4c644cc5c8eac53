import type { Labels } from "../expectations/expectation.js";
import type { TrackerContext } from "./connection-tracker.js";

/**
 * How well the clocks of boards are known. A time that begins on a board and ends on the host, or the other way round, is off by up
 * to the *uncertainty* u of that board's clock; so is every percentile, mean or extreme of such times. For a selection u is that
 * of its worst board, at its worst while a measured stage ran: what was measured at that moment is in the figure.
 */
export class ClockUncertainty {
  private readonly things = new Map<
    string,
    { group: string; last: number; readonly worst: Map<number, number> }
  >();

  constructor(private readonly context: TrackerContext) {}

  told(thing: string, atUs: number, uncertaintyUs: number): void {
    const group = this.context.directory.groupOf(thing) ?? "";
    const clock = this.things.get(thing) ?? { group, last: uncertaintyUs, worst: new Map<number, number>() };
    const stage = this.context.stages.indexAt(atUs);
    // The value before held until now, in this stage too.
    clock.worst.set(stage, Math.max(clock.worst.get(stage) ?? clock.last, uncertaintyUs));
    clock.last = uncertaintyUs;
    this.things.set(thing, clock);
  }

  /** Undefined when no board of the selection has told anything: all of them are virtual, then there is one clock. */
  worstUs({ stage, group, stream, thing }: Labels): number | undefined {
    const isIn = this.groupsOf(group, stream);
    const values = [...this.things]
      .filter(([name, clock]) => isIn(clock.group) && (thing === undefined || name === thing))
      .map(([, clock]) => {
        const measured = [...clock.worst].filter(([at]) => this.context.stages.selects(at, stage));
        return measured.length === 0 ? clock.last : Math.max(...measured.map(([, worst]) => worst));
      });
    return values.length === 0 ? undefined : Math.max(...values);
  }

  private groupsOf(group: string | undefined, stream: string | undefined): (one: string) => boolean {
    if (group !== undefined) return (one) => one === group;
    if (stream === undefined) return () => true;
    const groups = this.context.groupsOfStream?.(stream);
    return (one) => groups === undefined || groups.includes(one);
  }
}
