/** The losses of connection that belong together: one disconnect action, or all losses without an action. */
export interface Loss {
  readonly thing: string;
  readonly downUs: number;
  /** Stage in which the connection was lost. */
  readonly stage: number;
  /** Undefined while the thing is still away. */
  backUs: number | undefined;
  /** When each connection attempt started. */
  readonly attemptsUs: number[];
  readonly refusals: { readonly atUs: number; readonly reason: string }[];
  sessionExpected: boolean;
  sessionResumed: boolean;
}

/** What an action says about its outage; undefined where it says nothing. */
export interface OutagePlan {
  /** The losses are spread over this long. */
  readonly overUs: number;
  /** The link of each thing stays down for this long. */
  readonly holdUs: number | undefined;
}

export class Outage {
  readonly losses: Loss[] = [];
  private endedUs: number | undefined;

  /** @param action id of the action, or "" for losses nobody asked for */
  constructor(
    readonly action: string,
    readonly startUs: number,
    readonly plan: OutagePlan,
  ) {}

  /** The action is over: every link works again. */
  end(atUs: number): void {
    this.endedUs = atUs;
  }

  /**
   * t_restore of a loss: when its own link came back, or when the action ended for a thing that noticed its
   * loss late. Without an action the link is taken to work again at once.
   */
  restoreUs({ downUs }: Loss): number {
    const { holdUs } = this.plan;
    const endedUs = this.endedUs ?? Number.POSITIVE_INFINITY;
    const heldUs = holdUs === undefined ? endedUs : Math.min(downUs + holdUs, endedUs);
    return Number.isFinite(heldUs) ? Math.max(downUs, heldUs) : downUs;
  }

  /** When every link of the action works again, or undefined while nobody has said. */
  get restoredUs(): number | undefined {
    const { overUs, holdUs } = this.plan;
    return this.endedUs ?? (holdUs === undefined ? undefined : this.startUs + overUs + holdUs);
  }

  /** Losses of a group; all without a group. */
  lossesOf(isIn: (thing: string) => boolean): readonly Loss[] {
    return this.losses.filter((loss) => isIn(loss.thing));
  }
}

/** Highest number of instants in any half-open window of the given length. */
export function peakInWindow(sortedUs: readonly number[], windowUs: number): number {
  let peak = 0;
  let start = 0;
  for (let end = 0; end < sortedUs.length; end += 1) {
    while (sortedUs[end]! - sortedUs[start]! >= windowUs) start += 1;
    peak = Math.max(peak, end - start + 1);
  }
  return peak;
}

/** Largest share of the instants in one bin, the bins counted from `originUs`. */
export function largestBinShare(instantsUs: readonly number[], binUs: number, originUs: number): number {
  const bins = new Map<number, number>();
  let largest = 0;
  for (const us of instantsUs) {
    const bin = Math.floor((us - originUs) / binUs);
    const count = (bins.get(bin) ?? 0) + 1;
    bins.set(bin, count);
    largest = Math.max(largest, count);
  }
  return instantsUs.length === 0 ? 0 : largest / instantsUs.length;
}
