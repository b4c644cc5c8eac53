import type { DeliveryProbe } from "fleetrig/kernel";

/** What one message waits with until its board has told that it was sent. */
type Waiting = (probe: DeliveryProbe) => void;

/**
 * Puts the life of boards' messages in order. A board tells of a message over its serial line, while the message itself goes another
 * way and may be there first; for whoever counts, sending comes before everything else.
 */
export class BoardProbe implements DeliveryProbe {
  private readonly sentByStream = new Map<string, Set<number>>();
  private readonly waiting = new Map<string, Waiting[]>();

  /** @param isBoard By ordinal. What virtual devices do passes as it comes. */
  constructor(
    private readonly inner: DeliveryProbe,
    private readonly isBoard: (thing: number) => boolean,
  ) {}

  sent(stream: number, thing: number, sequence: number, scheduledUs: number, sentUs: number): void {
    this.inner.sent(stream, thing, sequence, scheduledUs, sentUs);
    if (this.isBoard(thing)) this.release(stream, thing, sequence);
  }

  acked(stream: number, thing: number, sequence: number, atUs: number, reasonCode: number): void {
    if (this.isKnown(stream, thing, sequence)) this.inner.acked(stream, thing, sequence, atUs, reasonCode);
    else
      this.keep(stream, thing, sequence, (probe) => probe.acked(stream, thing, sequence, atUs, reasonCode));
  }

  retransmitted(stream: number, thing: number, sequence: number): void {
    this.inner.retransmitted(stream, thing, sequence);
  }

  discarded(stream: number, thing: number, sequence: number, scheduledUs: number): void {
    this.inner.discarded(stream, thing, sequence, scheduledUs);
    if (this.isBoard(thing)) this.release(stream, thing, sequence);
  }

  received(stream: number, thing: number, sequence: number, atUs: number, isDuplicateFlagged: boolean): void {
    if (this.isKnown(stream, thing, sequence))
      this.inner.received(stream, thing, sequence, atUs, isDuplicateFlagged);
    else
      this.keep(stream, thing, sequence, (probe) =>
        probe.received(stream, thing, sequence, atUs, isDuplicateFlagged),
      );
  }

  ruleOutput(rule: string, stream: number, thing: number, sequence: number, atUs: number): void {
    if (this.isKnown(stream, thing, sequence)) this.inner.ruleOutput(rule, stream, thing, sequence, atUs);
    else this.keep(stream, thing, sequence, (probe) => probe.ruleOutput(rule, stream, thing, sequence, atUs));
  }

  /** Passes on what still waits: its boards will not tell any more. */
  settle(): void {
    for (const calls of this.waiting.values()) for (const call of calls) call(this.inner);
    this.waiting.clear();
  }

  private isKnown(stream: number, thing: number, sequence: number): boolean {
    return !this.isBoard(thing) || this.sentByStream.get(`${stream}/${thing}`)?.has(sequence) === true;
  }

  private keep(stream: number, thing: number, sequence: number, call: Waiting): void {
    const key = `${stream}/${thing}/${sequence}`;
    const calls = this.waiting.get(key);
    if (calls === undefined) this.waiting.set(key, [call]);
    else calls.push(call);
  }

  private release(stream: number, thing: number, sequence: number): void {
    const source = `${stream}/${thing}`;
    const sent = this.sentByStream.get(source);
    if (sent === undefined) this.sentByStream.set(source, new Set([sequence]));
    else sent.add(sequence);
    const key = `${source}/${sequence}`;
    for (const call of this.waiting.get(key) ?? []) call(this.inner);
    this.waiting.delete(key);
  }
}
