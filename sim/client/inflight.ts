import { OutgoingList, OutgoingPublish, type OutboundMessage } from "./outgoing.js";

const PACKET_ID_MAX = 65_535;
/** The window is never all identifiers, so that SUBSCRIBE always finds a free one. */
export const WINDOW_MAX = 65_000;
/** QoS 1 publishes that may wait for the window to open; beyond that the newest is given up. */
const WINDOW_QUEUE_MAX = 65_535;

/**
 * The QoS 1 sender of a session: what is unacknowledged, what waits for the send window (Receive Maximum), and
 * which packet identifiers are free. Both outlive connections; only the session's end renumbers them.
 */
export class Inflight {
  private readonly unacknowledged = new OutgoingList();
  private readonly waiting = new OutgoingList();
  private lastPacketId = 0;
  private serial = 0;
  /** Set from CONNACK. */
  window = WINDOW_MAX;

  get size(): number {
    return this.unacknowledged.size + this.waiting.size;
  }

  /** Takes over a message. @returns false when the queue is full and it was not taken. */
  add(message: OutboundMessage): boolean {
    if (this.waiting.size >= WINDOW_QUEUE_MAX) return false;
    this.waiting.push(new OutgoingPublish(message));
    return true;
  }

  /** The next publish the window lets through, with its packet identifier; undefined when none may go. */
  nextToSend(isTaken: (packetId: number) => boolean): OutgoingPublish | undefined {
    if (this.unacknowledged.size >= this.window) return undefined;
    const publish = this.waiting.shift();
    if (publish === undefined) return undefined;
    publish.isRepeat = publish.packetId !== 0;
    if (!publish.isRepeat) {
      publish.packetId = this.allocate(isTaken);
      publish.serial = this.serial;
    }
    this.unacknowledged.push(publish);
    return publish;
  }

  /** What waits for its PUBACK, in the order in which it first went. */
  get oldest(): OutgoingPublish | undefined {
    return this.unacknowledged.head;
  }

  /** Since when something waits for its PUBACK; undefined when nothing does. */
  waitingSinceUs(): number | undefined {
    let sinceUs: number | undefined;
    for (let publish = this.oldest; publish !== undefined; publish = publish.next)
      sinceUs = Math.min(sinceUs ?? publish.sentUs, publish.sentUs);
    return sinceUs;
  }

  /** PUBACK. @returns undefined for an identifier that is not in use. */
  acknowledge(packetId: number): OutgoingPublish | undefined {
    return this.unacknowledged.take(packetId);
  }

  /**
   * A new connection: everything unacknowledged goes again, before what never went, in the original order
   * [MQTT-4.4.0-1, 4.6.0-1]. With the session present it keeps its packet identifiers.
   */
  rewind(sessionPresent: boolean): void {
    const { unacknowledged, waiting } = this;
    if (unacknowledged.size === 0) return;
    const later = new OutgoingList();
    later.append(waiting);
    waiting.append(unacknowledged);
    waiting.append(later);
    if (sessionPresent) return;
    for (let publish = waiting.head; publish !== undefined; publish = publish.next) publish.packetId = 0;
  }

  /** Forgets everything: the device lost its memory. @returns what was never sent. */
  *clear(): Generator<OutboundMessage> {
    while (this.unacknowledged.shift() !== undefined);
    for (let publish = this.waiting.shift(); publish !== undefined; publish = this.waiting.shift()) {
      if (!publish.wasSent) yield publish.message;
    }
  }

  /**
   * Identifiers are handed out in turn, so one can only still be in use when the oldest publish is a whole
   * cycle old: until then no search is needed.
   */
  allocate(isTaken: (packetId: number) => boolean): number {
    for (;;) {
      this.serial += 1;
      this.lastPacketId = this.lastPacketId === PACKET_ID_MAX ? 1 : this.lastPacketId + 1;
      const candidate = this.lastPacketId;
      if (isTaken(candidate)) continue;
      const oldest = this.unacknowledged.head ?? this.waiting.head;
      const isFree =
        oldest === undefined || oldest.packetId === 0 || this.serial - oldest.serial < PACKET_ID_MAX;
      if (isFree || !(this.unacknowledged.has(candidate) || this.waiting.has(candidate))) return candidate;
    }
  }
}
