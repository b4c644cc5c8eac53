import type { Delivery } from "./delivery.js";

/**
 * First in, first out, with the memory it holds. Removing from the front costs O(1) on average.
 * Every message has a sequence number; those of QoS 0 have none that means anything.
 */
export class MessageQueue {
  private items: (Delivery | undefined)[] = [];
  /** Parallel to `items`: a number per message is all that differs between the receivers of one delivery. */
  private sequences: number[] = [];
  private head = 0;
  private heldBytes = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** Footprint of everything queued. */
  get bytes(): number {
    return this.heldBytes;
  }

  /** Sequence number of the message at the front; 0 when there is none. */
  get frontSequence(): number {
    return this.sequences[this.head] ?? 0;
  }

  push(delivery: Delivery, sequence: number): void {
    this.items.push(delivery);
    this.sequences.push(sequence);
    this.heldBytes += delivery.footprintBytes;
  }

  peek(): Delivery | undefined {
    return this.items[this.head];
  }

  shift(): Delivery | undefined {
    const delivery = this.items[this.head];
    if (delivery === undefined) return undefined;
    this.items[this.head] = undefined;
    this.head += 1;
    this.heldBytes -= delivery.footprintBytes;
    if (this.head === this.items.length) {
      this.items = [];
      this.sequences = [];
      this.head = 0;
    } else if (this.head >= 64 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.sequences = this.sequences.slice(this.head);
      this.head = 0;
    }
    return delivery;
  }

  /** What waits now, oldest first. */
  all(): Delivery[] {
    return this.items.slice(this.head) as Delivery[];
  }

  /** Keeps what `isKept` says, in order. @returns how many were removed. */
  filter(isKept: (delivery: Delivery, sequence: number) => boolean): number {
    const before = this.length;
    const { items, sequences, head } = this;
    this.items = [];
    this.sequences = [];
    this.head = 0;
    this.heldBytes = 0;
    for (let index = head; index < items.length; index += 1)
      if (isKept(items[index]!, sequences[index]!)) this.push(items[index]!, sequences[index]!);
    return before - this.length;
  }
}
