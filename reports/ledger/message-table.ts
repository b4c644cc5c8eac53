/**
 * The messages on their way: an open-addressing hash table in typed arrays, keyed by (slot, sequence), where a
 * slot is one stream of one thing. It holds a message from its sending until it is settled and allocates
 * nothing per message. An entry index is valid until the next insert or remove.
 */
const INITIAL_CAPACITY = 1 << 12;

/** States of an entry, as bits. */
const IN_USE = 1;
export const ACKED = 2;
export const RECEIVED = 4;

export class MessageTable {
  private capacity = INITIAL_CAPACITY;
  private mask = INITIAL_CAPACITY - 1;
  private used = 0;
  private slots = new Int32Array(INITIAL_CAPACITY);
  private sequences = new Int32Array(INITIAL_CAPACITY);
  private scheduled = new Float64Array(INITIAL_CAPACITY);
  private sent = new Float64Array(INITIAL_CAPACITY);
  private states = new Uint8Array(INITIAL_CAPACITY);

  get size(): number {
    return this.used;
  }

  insert(slot: number, sequence: number, scheduledUs: number, sentUs: number): void {
    if (this.used * 2 >= this.capacity) this.grow();
    let i = hash(slot, sequence) & this.mask;
    while (this.states[i] !== 0) i = (i + 1) & this.mask;
    this.slots[i] = slot;
    this.sequences[i] = sequence;
    this.scheduled[i] = scheduledUs;
    this.sent[i] = sentUs;
    this.states[i] = IN_USE;
    this.used += 1;
  }

  /** Index of the entry, or -1. */
  find(slot: number, sequence: number): number {
    let i = hash(slot, sequence) & this.mask;
    while (this.states[i] !== 0) {
      if (this.sequences[i] === sequence && this.slots[i] === slot) return i;
      i = (i + 1) & this.mask;
    }
    return -1;
  }

  scheduledUs(entry: number): number {
    return this.scheduled[entry]!;
  }

  sentUs(entry: number): number {
    return this.sent[entry]!;
  }

  has(entry: number, state: number): boolean {
    return (this.states[entry]! & state) !== 0;
  }

  mark(entry: number, state: number): void {
    this.states[entry] = this.states[entry]! | state;
  }

  /** Closes the hole by shifting back, so that no tombstones pile up. */
  remove(entry: number): void {
    let hole = entry;
    let i = hole;
    for (;;) {
      i = (i + 1) & this.mask;
      if (this.states[i] === 0) break;
      const home = hash(this.slots[i]!, this.sequences[i]!) & this.mask;
      const isBetween = hole <= i ? hole < home && home <= i : hole < home || home <= i;
      if (isBetween) continue;
      this.move(i, hole);
      hole = i;
    }
    this.states[hole] = 0;
    this.used -= 1;
  }

  private move(from: number, to: number): void {
    this.slots[to] = this.slots[from]!;
    this.sequences[to] = this.sequences[from]!;
    this.scheduled[to] = this.scheduled[from]!;
    this.sent[to] = this.sent[from]!;
    this.states[to] = this.states[from]!;
  }

  private grow(): void {
    const [slots, sequences, scheduled, sent, states] = [
      this.slots,
      this.sequences,
      this.scheduled,
      this.sent,
      this.states,
    ];
    this.capacity *= 2;
    this.mask = this.capacity - 1;
    this.slots = new Int32Array(this.capacity);
    this.sequences = new Int32Array(this.capacity);
    this.scheduled = new Float64Array(this.capacity);
    this.sent = new Float64Array(this.capacity);
    this.states = new Uint8Array(this.capacity);
    for (let old = 0; old < states.length; old += 1) {
      if (states[old] === 0) continue;
      let i = hash(slots[old]!, sequences[old]!) & this.mask;
      while (this.states[i] !== 0) i = (i + 1) & this.mask;
      this.slots[i] = slots[old]!;
      this.sequences[i] = sequences[old]!;
      this.scheduled[i] = scheduled[old]!;
      this.sent[i] = sent[old]!;
      this.states[i] = states[old]!;
    }
  }
}

const hash = (slot: number, sequence: number): number => {
  const mixed = Math.imul(slot, 0x9e3779b1) ^ Math.imul(sequence, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};
