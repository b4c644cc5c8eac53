import type { OutboundMessage } from "../client/outgoing.js";
import type { BufferPlan } from "../plan.js";

/** Compacting waits until so many slots at the front are free, so that dropping the oldest stays cheap. */
const COMPACT_AFTER = 1_024;

/** What a device keeps while it is offline, oldest first. */
export class OfflineBuffer {
  private messages: (OutboundMessage | undefined)[] = [];
  private first = 0;

  constructor(private readonly plan: BufferPlan) {}

  get size(): number {
    return this.messages.length - this.first;
  }

  /** @returns the message that had to be given up for it, which may be itself. */
  push(message: OutboundMessage): OutboundMessage | undefined {
    if (this.size < this.plan.capacity) {
      this.messages.push(message);
      return undefined;
    }
    if (this.plan.capacity === 0 || this.plan.overflow === "drop-newest") return message;
    const oldest = this.shift();
    this.messages.push(message);
    return oldest;
  }

  shift(): OutboundMessage | undefined {
    if (this.size === 0) return undefined;
    const message = this.messages[this.first];
    this.messages[this.first] = undefined;
    this.first += 1;
    if (this.size === 0 || this.first >= COMPACT_AFTER) {
      this.messages = this.messages.slice(this.first);
      this.first = 0;
    }
    return message;
  }
}
