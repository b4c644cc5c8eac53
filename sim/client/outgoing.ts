import type { PublishPacket, UserProperty } from "fleetrig/protocol";

/** Identity of a simulated publish, for the delivery ledger. */
export interface PublishTrace {
  readonly stream: number;
  readonly sequence: number;
  /** When the schedule wanted it (µs of the run), which may be long before it can be sent. */
  readonly scheduledUs: number;
}

/** An application message of the device. */
export interface OutboundMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly trace?: PublishTrace;
}

/** A QoS 1 publish from the moment the session owns it until its PUBACK. */
export class OutgoingPublish {
  /** 0 until it was sent for the first time. */
  packetId = 0;
  /** Counts packet identifiers handed out, over all of the session. */
  serial = 0;
  /** Was handed to a link before. */
  wasSent = false;
  /** The next transmission repeats one of the same session [MQTT-3.3.1-1]. */
  isRepeat = false;
  /** When it was last handed to a link. */
  sentUs = 0;
  next: OutgoingPublish | undefined;

  constructor(readonly message: OutboundMessage) {}
}

/**
 * Publishes in the order of sending. A linked list, because an idle device must cost nothing, and because
 * acknowledgements come in order [MQTT-4.6.0-2]: the head is nearly always the one that is looked for.
 */
export class OutgoingList {
  head: OutgoingPublish | undefined;
  private tail: OutgoingPublish | undefined;
  size = 0;

  push(publish: OutgoingPublish): void {
    publish.next = undefined;
    if (this.tail === undefined) this.head = publish;
    else this.tail.next = publish;
    this.tail = publish;
    this.size += 1;
  }

  shift(): OutgoingPublish | undefined {
    const first = this.head;
    if (first === undefined) return undefined;
    this.head = first.next;
    if (this.head === undefined) this.tail = undefined;
    first.next = undefined;
    this.size -= 1;
    return first;
  }

  /** Removes and returns the one with that packet identifier. */
  take(packetId: number): OutgoingPublish | undefined {
    if (this.head?.packetId === packetId) return this.shift();
    for (let before = this.head; before !== undefined; before = before.next) {
      const found = before.next;
      if (found?.packetId !== packetId) continue;
      before.next = found.next;
      if (this.tail === found) this.tail = before;
      found.next = undefined;
      this.size -= 1;
      return found;
    }
    return undefined;
  }

  has(packetId: number): boolean {
    for (let publish = this.head; publish !== undefined; publish = publish.next) {
      if (publish.packetId === packetId) return true;
    }
    return false;
  }

  /** Moves everything of `other` behind what is here. */
  append(other: OutgoingList): void {
    for (let publish = other.shift(); publish !== undefined; publish = other.shift()) this.push(publish);
  }
}

/** The packet for a message; `packetId` 0 for QoS 0. */
export function publishPacket(
  message: OutboundMessage,
  packetId: number,
  marks: { readonly dup: boolean; readonly userProperties: readonly UserProperty[] | undefined },
): PublishPacket {
  const { topic, payload, qos, retain } = message;
  const { dup, userProperties } = marks;
  if (packetId === 0) {
    return userProperties === undefined
      ? { type: "publish", topic, payload, qos: 0, retain, dup: false }
      : { type: "publish", topic, payload, qos: 0, retain, dup: false, userProperties };
  }
  return userProperties === undefined
    ? { type: "publish", topic, payload, qos, retain, dup, packetId }
    : { type: "publish", topic, payload, qos, retain, dup, packetId, userProperties };
}
