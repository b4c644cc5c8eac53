import { type Clock, US_PER_S } from "fleetrig/kernel";
import {
  FramedPublish,
  hasUserPropertiesAtMost,
  type MessageProperties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  wireBytes,
} from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";

/** Bookkeeping per queued message besides its content; measured on 64-bit V8. */
const OVERHEAD_BYTES = 400;
/** The pair and its two strings, besides their characters. */
export const PROPERTY_BYTES = 250;
/** Any packet identifier: all take two bytes. */
const SAMPLE = { packetId: 1, dup: false } as const;

/** How much of MQTT 5 the packet carries: decided once, so that the common cases are built without copying. */
type Extras = "none" | "user-properties" | "full";

/** What the receiving subscription decides about a message. */
interface DeliveryForm {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly share?: string;
}

/**
 * One message in the form in which some receivers get it: QoS, retain flag and subscription identifiers are
 * settled, the packet identifier is not. Shared by all receivers of that form, in flight and in queues.
 */
export class Delivery {
  readonly qos: QoS;
  readonly retain: boolean;
  /** `$share/<name>/<filter>` that chose the receiver: if it cannot finish, another member gets the message. */
  readonly share: string | undefined;
  private readonly extras: Extras;
  /** QoS 0 receivers of one version share one packet. */
  private sharedBare: PublishPacket | undefined;
  private sharedFull: PublishPacket | undefined;

  constructor(
    readonly message: ApplicationMessage,
    form: DeliveryForm,
    readonly subscriptionIds: readonly number[] | undefined,
  ) {
    this.qos = form.qos;
    this.retain = form.retain;
    this.share = form.share;
    this.extras = subscriptionIds === undefined ? extrasOf(message.properties) : "full";
    this.sharedBare = undefined;
    this.sharedFull = undefined;
  }

  get topic(): string {
    return this.message.topic;
  }

  /** Monotonic time at which the message expires; `Infinity` without an expiry interval. */
  get expiresAtUs(): number {
    const expiryS = this.message.properties.messageExpiryS;
    return expiryS === undefined ? Number.POSITIVE_INFINITY : this.message.receivedAtUs + expiryS * US_PER_S;
  }

  /** The packet for receivers of QoS 0. */
  sharedPacket(version: ProtocolVersion, clock: Clock): PublishPacket {
    if (version === 4 || this.extras === "none") return (this.sharedBare ??= this.build(4, clock, false));
    const isFresh = this.extras !== "full" || this.waitedS(clock) === 0;
    if (!isFresh) return this.build(5, clock, false);
    return (this.sharedFull ??= this.build(5, clock, false));
  }

  /** The packet for one receiver of QoS 1 or 2. */
  packet(
    entry: { readonly packetId: number; readonly dup: boolean },
    version: ProtocolVersion,
    clock: Clock,
  ): PublishPacket {
    const packet = this.build(version, clock, entry.dup);
    packet.packetId = entry.packetId;
    return packet;
  }

  /** A 3.1.1 client gets no properties. */
  private build(version: ProtocolVersion, clock: Clock, dup: boolean): FramedPublish {
    const { message, qos, retain, extras } = this;
    const { topic, payload, frame } = message;
    const packet = new FramedPublish({ topic, payload, qos, retain, dup }, frame);
    if (version === 4 || extras === "none") return packet;
    if (extras === "full") return Object.assign(packet, this.propertiesAfter(this.waitedS(clock)));
    packet.userProperties = message.properties.userProperties!;
    return packet;
  }

  /** Memory this message really takes in a queue. */
  get footprintBytes(): number {
    return footprintOf(contentBytes(this.message));
  }

  /** Size of the encoded packet. */
  wireBytes(version: ProtocolVersion, clock: Clock): number {
    const isShared = this.qos === 0;
    return wireBytes(
      isShared ? this.sharedPacket(version, clock) : this.packet(SAMPLE, version, clock),
      version,
    );
  }

  /** [MQTT-3.3.2-6] the expiry interval shrinks by the time spent waiting here. */
  private waitedS(clock: Clock): number {
    if (this.message.properties.messageExpiryS === undefined) return 0;
    return Math.floor((clock.nowUs() - this.message.receivedAtUs) / US_PER_S);
  }

  private propertiesAfter(waitedS: number): ForwardedProperties {
    const { properties } = this.message;
    const { messageExpiryS } = properties;
    return {
      ...properties,
      ...(messageExpiryS !== undefined && { messageExpiryS: Math.max(0, messageExpiryS - waitedS) }),
      ...(this.subscriptionIds !== undefined && { subscriptionIds: this.subscriptionIds }),
    };
  }
}

/** Memory a message with this much content takes in a queue. */
export const footprintOf = (content: number): number => OVERHEAD_BYTES + content;

interface ForwardedProperties extends MessageProperties {
  readonly subscriptionIds?: readonly number[];
}

function extrasOf(properties: MessageProperties): Extras {
  if (!hasUserPropertiesAtMost(properties)) return "full";
  return properties.userProperties === undefined ? "none" : "user-properties";
}

/** Topic, payload and properties, in bytes (UTF-16 code units count as one: topics are ASCII in practice). */
export function contentBytes({ topic, payload, properties }: ApplicationMessage): number {
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  let bytes = topic.length + payload.byteLength + (correlationData?.byteLength ?? 0);
  bytes += (contentType?.length ?? 0) + (responseTopic?.length ?? 0);
  if (userProperties !== undefined)
    for (const [name, value] of userProperties) bytes += name.length + value.length + PROPERTY_BYTES;
  return bytes;
}
