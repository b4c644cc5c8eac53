import type { Delivery } from "./delivery.js";

const MAX_PACKET_ID = 65_535;

export interface InflightEntry {
  readonly packetId: number;
  /** Place among all QoS 1 and 2 messages of the session, by arrival. */
  readonly sequence: number;
  /** Undefined once the client has the message (QoS 2): only PUBREL and PUBCOMP are left. */
  delivery: Delivery | undefined;
  /** True once it was sent: the next time is a repetition [MQTT-3.3.1-1]. */
  dup: boolean;
}

/**
 * QoS 1 and 2 messages that were sent and are not done with, oldest first. Entries before the cursor were sent on
 * the current connection; those behind it wait to be sent again after a reconnect [MQTT-4.4.0-1].
 * A plain array: acknowledgements normally come in order, and identifiers are issued in order, so that the searched
 * entry is the first or as far from the first as their identifiers are.
 */
export class InflightWindow {
  private entries: InflightEntry[] = [];
  private cursor = 0;
  private bytes = 0;
  private lastPacketId = 0;
  /** How many identifiers after the last one are known to be free. */
  private freeAhead = MAX_PACKET_ID;

  get size(): number {
    return this.entries.length;
  }

  /** The message that is on its way longest. */
  get oldest(): Delivery | undefined {
    return this.entries[0]?.delivery;
  }

  /**
   * Sent on this connection and not done with: what the client's Receive Maximum counts. A repeated PUBREL counts
   * too, though MQTT 5 §4.9 would let it pass: that only makes the window open a little later.
   */
  get outstanding(): number {
    return this.cursor;
  }

  /** Memory of the messages in it. */
  get heldBytes(): number {
    return this.bytes;
  }

  get hasUnsent(): boolean {
    return this.cursor < this.entries.length;
  }

  /** The identifier given out last. */
  get lastIssued(): number {
    return this.lastPacketId;
  }

  all(): readonly InflightEntry[] {
    return this.entries;
  }

  /** Takes a packet identifier and counts the message as sent. Only when nothing waits to be sent again. */
  add(delivery: Delivery, sequence: number): InflightEntry {
    const entry = { packetId: this.nextPacketId(), sequence, delivery, dup: false };
    this.entries.push(entry);
    this.cursor += 1;
    this.bytes += delivery.footprintBytes;
    return entry;
  }

  /** The next entry to send again; counts as sent from here on. */
  takeUnsent(): InflightEntry | undefined {
    const entry = this.entries[this.cursor];
    if (entry !== undefined) this.cursor += 1;
    return entry;
  }

  /** @returns undefined for an identifier that is not in use. */
  find(packetId: number): InflightEntry | undefined {
    const { entries } = this;
    const first = entries[0];
    if (first === undefined || first.packetId === packetId) return first;
    const { packetId: lowest } = first;
    const distance = packetId > lowest ? packetId - lowest : packetId - lowest + MAX_PACKET_ID;
    const guess = Math.min(distance, entries.length - 1);
    // Gaps put it before the guess; only after a whole cycle of identifiers can it be behind.
    for (let index = guess; index > 0; index -= 1)
      if (entries[index]!.packetId === packetId) return entries[index];
    for (let index = guess + 1; index < entries.length; index += 1)
      if (entries[index]!.packetId === packetId) return entries[index];
    return undefined;
  }

  /** The client has the message: what is left is the identifier. */
  release(entry: InflightEntry): void {
    this.bytes -= footprintBytes(entry);
    entry.delivery = undefined;
  }

  /** Done with: the identifier is free. */
  remove(entry: InflightEntry): void {
    const { entries } = this;
    const index = entries[0] === entry ? 0 : entries.indexOf(entry);
    if (index < 0) return;
    this.bytes -= footprintBytes(entry);
    if (index === 0) entries.shift();
    else entries.splice(index, 1);
    if (index < this.cursor) this.cursor -= 1;
  }

  /** The connection is gone: everything has to be sent again. */
  rewind(): void {
    this.cursor = 0;
  }

  /** What an earlier process left behind; all of it has to be sent again. */
  restore(entries: readonly InflightEntry[], lastPacketId: number): void {
    this.entries = [...entries];
    this.cursor = 0;
    this.bytes = entries.reduce((sum, entry) => sum + footprintBytes(entry), 0);
    this.lastPacketId = lastPacketId;
    this.freeAhead = 0;
  }

  private nextPacketId(): number {
    while (this.freeAhead === 0) this.lookAhead();
    this.freeAhead -= 1;
    this.lastPacketId = following(this.lastPacketId);
    return this.lastPacketId;
  }

  /** One walk over the window finds out how far the numbering may go on without another look. */
  private lookAhead(): void {
    let free = MAX_PACKET_ID;
    for (const { packetId } of this.entries) {
      const between = (packetId - this.lastPacketId - 1 + MAX_PACKET_ID) % MAX_PACKET_ID;
      if (between < free) free = between;
    }
    if (free === 0) this.lastPacketId = following(this.lastPacketId);
    this.freeAhead = free;
  }
}

const footprintBytes = ({ delivery }: InflightEntry): number => delivery?.footprintBytes ?? 0;

const following = (packetId: number): number => (packetId === MAX_PACKET_ID ? 1 : packetId + 1);
