import type { Delivery } from "./delivery.js";
import type { StoredMessages } from "./stored-messages.js";

type IsKept = (delivery: Delivery, sequence: number) => boolean;

/** Messages in order, each with its sequence number: a number per message is all that differs between receivers. */
class Row {
  readonly items: (Delivery | undefined)[] = [];
  readonly sequences: number[] = [];

  push(delivery: Delivery, sequence: number): void {
    this.items.push(delivery);
    this.sequences.push(sequence);
  }

  /** What is left of it from `head` on, and of that what `isKept` says. */
  rest(head: number, isKept: IsKept = () => true): Row {
    const rest = new Row();
    for (let at = head; at < this.items.length; at += 1)
      if (isKept(this.items[at]!, this.sequences[at]!)) rest.push(this.items[at]!, this.sequences[at]!);
    return rest;
  }
}

/**
 * First in, first out, with the memory it holds. Removing from the front costs O(1) on average.
 * Every message has a sequence number; those of QoS 0 have none that means anything.
 * After a restart the front of it is unread: see StoredMessages.
 */
export class MessageQueue {
  private row = new Row();
  private head = 0;
  private heldBytes = 0;
  /** Comes after `row` and before `later`. */
  private unread: StoredMessages | undefined;
  /** What came while there was something unread. */
  private later: Row | undefined;

  get length(): number {
    const read = this.row.items.length - this.head;
    return this.unread === undefined ? read : read + this.unread.length + (this.later?.items.length ?? 0);
  }

  /** Footprint of everything queued. */
  get bytes(): number {
    return this.heldBytes;
  }

  /** Sequence number of the message at the front; 0 when there is none. */
  get frontSequence(): number {
    this.read();
    return this.row.sequences[this.head] ?? 0;
  }

  /** When the message at the front came in, in µs of the broker's clock; -1 when there is none. */
  get oldestAtUs(): number {
    return this.row.items[this.head]?.message.receivedAtUs ?? this.unread?.oldestAtUs ?? -1;
  }

  push(delivery: Delivery, sequence: number): void {
    if (this.unread === undefined) this.row.push(delivery, sequence);
    else (this.later ??= new Row()).push(delivery, sequence);
    this.heldBytes += delivery.footprintBytes;
  }

  /** Takes over what an earlier process left; only while nothing is queued. */
  restore(unread: StoredMessages): void {
    if (unread.length === 0) return;
    this.unread = unread;
    this.heldBytes += unread.footprintBytes;
  }

  peek(): Delivery | undefined {
    this.read();
    return this.row.items[this.head];
  }

  shift(): Delivery | undefined {
    const delivery = this.peek();
    if (delivery === undefined) return undefined;
    const { items } = this.row;
    items[this.head] = undefined;
    this.head += 1;
    this.heldBytes -= delivery.footprintBytes;
    if (this.head === items.length) {
      this.row = new Row();
      this.head = 0;
    } else if (this.head >= 64 && this.head * 2 > items.length) {
      this.row = this.row.rest(this.head);
      this.head = 0;
    }
    return delivery;
  }

  /** What waits now, oldest first; nothing is unread afterwards. */
  all(): Delivery[] {
    while (this.unread !== undefined) this.readNext(this.unread);
    return this.row.items.slice(this.head) as Delivery[];
  }

  /** Keeps what `isKept` says, in order, and what is unread. @returns how many were removed. */
  filter(isKept: IsKept): number {
    const before = this.length;
    this.row = this.row.rest(this.head, isKept);
    this.head = 0;
    this.later = this.later?.rest(0, isKept);
    const kept = [...this.row.items, ...(this.later?.items ?? [])];
    this.heldBytes = kept.reduce(
      (bytes, delivery) => bytes + delivery!.footprintBytes,
      this.unread?.footprintBytes ?? 0,
    );
    return before - this.length;
  }

  /** Gives up everything. */
  clear(): void {
    this.row = new Row();
    this.head = 0;
    this.heldBytes = 0;
    this.unread = undefined;
    this.later = undefined;
  }

  /** Sees to it that the front can be looked at. */
  private read(): void {
    const { unread } = this;
    if (unread !== undefined && this.head === this.row.items.length) this.readNext(unread);
  }

  private readNext(unread: StoredMessages): void {
    for (const { delivery, sequence } of unread.take()) this.row.push(delivery, sequence);
    if (unread.length > 0) return;
    const { items = [], sequences = [] } = this.later ?? {};
    for (let at = 0; at < items.length; at += 1) this.row.push(items[at]!, sequences[at]!);
    this.unread = undefined;
    this.later = undefined;
  }
}
