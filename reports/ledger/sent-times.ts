/** The scheduled times of each slot's last few messages, so that a late rule output can be timed. */
export class SentTimes {
  private readonly scheduled: Float64Array;
  private readonly sequences: Int32Array;

  constructor(
    slots: number,
    readonly perSlot: number,
  ) {
    this.scheduled = new Float64Array(slots * perSlot);
    this.sequences = new Int32Array(slots * perSlot).fill(-1);
  }

  note(slot: number, sequence: number, scheduledUs: number): void {
    if (this.perSlot === 0) return;
    const at = slot * this.perSlot + (sequence % this.perSlot);
    this.scheduled[at] = scheduledUs;
    this.sequences[at] = sequence;
  }

  scheduledUs(slot: number, sequence: number): number | undefined {
    if (this.perSlot === 0) return undefined;
    const at = slot * this.perSlot + (sequence % this.perSlot);
    return this.sequences[at] === sequence ? this.scheduled[at] : undefined;
  }
}
