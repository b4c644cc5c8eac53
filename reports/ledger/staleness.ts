import { Histogram } from "./histogram.js";
import type { StageTimeline } from "./stage-timeline.js";

/**
 * How old the newest sample of each thing is, looked at once per interval: the question a dashboard asks.
 * Looks are made up when the next sample arrives, so a quiet thing costs nothing until then.
 */
export class Staleness {
  private readonly newestUs: Float64Array;
  private readonly nextLookUs: Float64Array;
  private readonly histograms: Histogram[][] = [];

  constructor(
    /** Group index of each thing. */
    readonly groupOf: Int32Array,
    readonly stages: StageTimeline,
    readonly everyUs: number,
  ) {
    this.newestUs = new Float64Array(groupOf.length).fill(-1);
    this.nextLookUs = new Float64Array(groupOf.length);
  }

  /** A sample scheduled then arrives now. */
  sample(thing: number, scheduledUs: number, atUs: number): void {
    if (this.everyUs === 0) return;
    if (this.newestUs[thing]! < 0) this.nextLookUs[thing] = Math.ceil(atUs / this.everyUs) * this.everyUs;
    else if (this.nextLookUs[thing]! < atUs) this.look(thing, atUs);
    if (scheduledUs > this.newestUs[thing]!) this.newestUs[thing] = scheduledUs;
  }

  /** Makes every look that is due before `untilUs`, stage by stage. */
  private look(thing: number, untilUs: number): void {
    const { everyUs } = this;
    const newestUs = this.newestUs[thing]!;
    let lookUs = this.nextLookUs[thing]!;
    while (lookUs < untilUs) {
      const stage = this.stages.indexAt(lookUs);
      const stageEndUs = Math.min(untilUs, this.stages.spans[stage + 1]?.startUs ?? untilUs);
      const looks = Math.ceil((stageEndUs - lookUs) / everyUs);
      this.histogram(thing, stage).recordSteps(Math.max(0, lookUs - newestUs), everyUs, looks);
      lookUs += looks * everyUs;
    }
    this.nextLookUs[thing] = lookUs;
  }

  finish(atUs: number): void {
    for (let thing = 0; thing < this.newestUs.length; thing += 1) {
      if (this.newestUs[thing]! >= 0) this.look(thing, atUs);
    }
  }

  private histogram(thing: number, stage: number): Histogram {
    const group = this.groupOf[thing]!;
    const perStage = (this.histograms[group] ??= []);
    return (perStage[stage] ??= new Histogram());
  }

  /** Histograms of a group (all groups when undefined) in the stages that `selects` accepts. */
  select(group: number | undefined, selects: (stage: number) => boolean): Histogram {
    const groups = group === undefined ? this.histograms : [this.histograms[group] ?? []];
    return Histogram.merged(
      groups.flatMap((perStage) =>
        perStage.filter((histogram, stage) => histogram !== undefined && selects(stage)),
      ),
    );
  }
}
