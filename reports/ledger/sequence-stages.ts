/**
 * In which stage a message was scheduled, long after it was settled: per slot only the first sequence number of
 * each stage is kept, because sequence numbers of a slot are given out in the order of the schedule.
 */
export class SequenceStages {
  /** Per stage, per slot: the first sequence number, plus one; 0 means none. */
  private readonly firsts: Int32Array[] = [];
  private readonly latest: Int16Array;

  constructor(readonly slots: number) {
    this.latest = new Int16Array(slots).fill(-1);
  }

  note(slot: number, sequence: number, stage: number): void {
    if (stage === this.latest[slot]) return;
    while (this.firsts.length <= stage) this.firsts.push(new Int32Array(this.slots));
    const firsts = this.firsts[stage]!;
    if (firsts[slot] === 0 || sequence < firsts[slot]! - 1) firsts[slot] = sequence + 1;
    if (stage > this.latest[slot]!) this.latest[slot] = stage;
  }

  /** Stage of a message that was sent; undefined before the first message of the slot. */
  of(slot: number, sequence: number): number | undefined {
    for (let stage = this.latest[slot] ?? -1; stage >= 0; stage -= 1) {
      const first = this.firsts[stage]![slot]!;
      if (first > 0 && first - 1 <= sequence) return stage;
    }
    return undefined;
  }
}
