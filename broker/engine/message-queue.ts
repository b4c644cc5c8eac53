import type { Delivery } from "./delivery.js";

/** First in, first out, with the memory it holds. Removing from the front costs O(1) on average. */
export class MessageQueue {
  private items: (Delivery | undefined)[] = [];
  private head = 0;
  private heldBytes = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** Footprint of everything queued. */
  get bytes(): number {
    return this.heldBytes;
  }

  push(delivery: Delivery): void {
    this.items.push(delivery);
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
      this.head = 0;
    } else if (this.head >= 64 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return delivery;
  }

  /** Keeps what `isKept` says, in order. @returns how many were removed. */
  filter(isKept: (delivery: Delivery) => boolean): number {
    const before = this.length;
    const kept = (this.items.slice(this.head) as Delivery[]).filter(isKept);
    this.items = kept;
    this.head = 0;
    this.heldBytes = kept.reduce((sum, delivery) => sum + delivery.footprintBytes, 0);
    return before - kept.length;
  }
}
