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

export class Outage {
  readonly losses: Loss[] = [];
  #endedUs: number | undefined;

  /**
   * @param action id of the action, or "" for losses nobody asked for
   * @param expectedRestoreUs when the link should work again, as far as the action says
   */
  constructor(
    readonly action: string,
    readonly startUs: number,
    readonly expectedRestoreUs: number,
  ) {}

  /** The action is over: the link works again. */
  end(atUs: number): void {
    this.#endedUs = atUs;
  }

  /** t_restore of a loss. Without an action the link is taken to work again at once. */
  restoreUs(loss: Loss): number {
    if (this.action === "") return loss.downUs;
    return Math.max(this.#endedUs ?? 0, this.expectedRestoreUs, loss.downUs);
  }

  /** t_restore of the whole action. */
  get restoredUs(): number {
    const first = this.losses[0];
    return first === undefined ? this.expectedRestoreUs : this.restoreUs(first);
  }

  /** Whether anybody has said when the link works again. */
  get isRestoreKnown(): boolean {
    return this.#endedUs !== undefined || this.expectedRestoreUs > this.startUs;
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
