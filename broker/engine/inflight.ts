import type { Delivery } from "./delivery.js";

const MAX_PACKET_ID = 65_535;

export interface InflightEntry {
  readonly packetId: number;
  readonly delivery: Delivery;
  /** True once it had to be sent again [MQTT-3.3.1-1]. */
  dup: boolean;
}

/**
 * QoS 1 messages that were sent and not yet acknowledged, oldest first. Entries before the cursor were sent on the
 * current connection; those behind it wait to be sent again after a reconnect [MQTT-4.4.0-1].
 * A plain array: acknowledgements normally come in order, so that the searched entry is the first.
 */
export class InflightWindow {
  private readonly entries: InflightEntry[] = [];
  private cursor = 0;
  private lastPacketId = 0;
  private issuedSinceEmpty = 0;

  get size(): number {
    return this.entries.length;
  }

  get oldest(): Delivery | undefined {
    return this.entries[0]?.delivery;
  }

  /** Sent on this connection and unacknowledged: what the client's Receive Maximum counts. */
  get outstanding(): number {
    return this.cursor;
  }

  get hasUnsent(): boolean {
    return this.cursor < this.entries.length;
  }

  /** Takes a packet identifier and counts the message as sent. Only when nothing waits to be sent again. */
  add(delivery: Delivery): InflightEntry {
    if (this.entries.length === 0) this.issuedSinceEmpty = 0;
    const entry = { packetId: this.nextPacketId(), delivery, dup: false };
    this.entries.push(entry);
    this.cursor += 1;
    return entry;
  }

  /** The next message to send again; counts as sent from here on. */
  takeUnsent(): InflightEntry | undefined {
    const entry = this.entries[this.cursor];
    if (entry === undefined) return undefined;
    this.cursor += 1;
    entry.dup = true;
    return entry;
  }

  /** @returns false for an identifier that is not in use. */
  acknowledge(packetId: number): boolean {
    const { entries } = this;
    if (entries.length > 0 && entries[0]!.packetId === packetId) {
      entries.shift();
      if (this.cursor > 0) this.cursor -= 1;
      return true;
    }
    const index = entries.findIndex((entry) => entry.packetId === packetId);
    if (index < 0) return false;
    entries.splice(index, 1);
    if (index < this.cursor) this.cursor -= 1;
    return true;
  }

  /** The connection is gone: everything has to be sent again. */
  rewind(): void {
    this.cursor = 0;
  }

  /** A collision is possible only after all identifiers were issued without the window running empty. */
  private nextPacketId(): number {
    this.issuedSinceEmpty += 1;
    let candidate = this.lastPacketId;
    do candidate = candidate === MAX_PACKET_ID ? 1 : candidate + 1;
    while (this.issuedSinceEmpty > MAX_PACKET_ID && this.isInUse(candidate));
    this.lastPacketId = candidate;
    return candidate;
  }

  private isInUse(packetId: number): boolean {
    return this.entries.some((entry) => entry.packetId === packetId);
  }
}
