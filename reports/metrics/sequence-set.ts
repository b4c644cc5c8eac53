/** A growing set of sequence numbers, one bit each. */
export class SequenceSet {
  private words = new Uint32Array(4);

  has(sequence: number): boolean {
    return ((this.words[sequence >>> 5] ?? 0) & (1 << (sequence & 31))) !== 0;
  }

  /** True when it was not in the set before. */
  add(sequence: number): boolean {
    if (this.has(sequence)) return false;
    const at = sequence >>> 5;
    if (at >= this.words.length) {
      const grown = new Uint32Array(Math.max(at + 1, this.words.length * 2));
      grown.set(this.words);
      this.words = grown;
    }
    this.words[at] = this.words[at]! | (1 << (sequence & 31));
    return true;
  }
}
