import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { MessageProperties, ProtocolVersion, PublishPacket } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";

/** Bookkeeping per queued message besides its content; measured on 64-bit V8. */
const OVERHEAD_BYTES = 200;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * One message in the form in which some receivers get it: QoS, retain flag and subscription identifiers are
 * settled, the packet identifier is not. Shared by all receivers of that form, in flight and in queues.
 */
export class Delivery {
  readonly qos: 0 | 1;
  /** Monotonic time at which the message expires; `Infinity` without an expiry interval. */
  readonly expiresAtUs: number;
  private readonly full: PublishPacket;
  /** What a 3.1.1 client gets: no properties. */
  private readonly bare: PublishPacket;

  constructor(
    readonly message: ApplicationMessage,
    form: { readonly qos: 0 | 1; readonly retain: boolean },
    subscriptionIds: readonly number[] | undefined,
  ) {
    this.qos = form.qos;
    const { topic, payload, properties } = message;
    this.bare = { type: "publish", topic, payload, qos: form.qos, retain: form.retain, dup: false };
    this.full =
      subscriptionIds === undefined && !hasProperties(properties)
        ? this.bare
        : { ...this.bare, ...ownProperties(properties, subscriptionIds) };
    const expiryS = properties.messageExpiryS;
    this.expiresAtUs =
      expiryS === undefined ? Number.POSITIVE_INFINITY : message.receivedAtUs + expiryS * US_PER_S;
  }

  get topic(): string {
    return this.bare.topic;
  }

  /** The packet for one receiver; QoS 0 receivers of one version share one object. */
  packet(version: ProtocolVersion, clock: Clock): PublishPacket {
    const packet = version === 5 ? this.full : this.bare;
    if (version === 4 || packet.messageExpiryS === undefined) return packet;
    // [MQTT-3.3.2-6] the interval shrinks by the time spent waiting here.
    const waitedS = Math.floor((clock.nowUs() - this.message.receivedAtUs) / US_PER_S);
    return waitedS < 1 ? packet : { ...packet, messageExpiryS: Math.max(0, packet.messageExpiryS - waitedS) };
  }

  /** Memory this message really takes in a queue. */
  get footprintBytes(): number {
    return OVERHEAD_BYTES + contentBytes(this.message);
  }

  /** Upper bound of the encoded packet, exact but for a few bytes of length fields. */
  wireBytes(version: ProtocolVersion): number {
    const propertiesBytes = version === 5 ? propertyBytes(this.full) : 0;
    return 5 + 2 + Buffer.byteLength(this.topic) + 2 + propertiesBytes + this.message.payload.byteLength;
  }
}

/** Topic, payload and properties, in bytes (UTF-16 code units count as one: topics are ASCII in practice). */
export const contentBytes = (message: ApplicationMessage): number =>
  message.topic.length + message.payload.byteLength + userPropertyBytes(message.properties, lengthOf);

function hasProperties(properties: MessageProperties): boolean {
  return (
    properties.userProperties !== undefined ||
    properties.contentType !== undefined ||
    properties.responseTopic !== undefined ||
    properties.correlationData !== undefined ||
    properties.payloadFormat !== undefined ||
    properties.messageExpiryS !== undefined
  );
}

/** Only what the standard forwards: a received packet also carries fields that are nobody else's business. */
function ownProperties(
  properties: MessageProperties,
  subscriptionIds: readonly number[] | undefined,
): MessageProperties & { readonly subscriptionIds?: readonly number[] } {
  const own: Mutable<MessageProperties> & { subscriptionIds?: readonly number[] } = {};
  if (properties.messageExpiryS !== undefined) own.messageExpiryS = properties.messageExpiryS;
  if (properties.payloadFormat !== undefined) own.payloadFormat = properties.payloadFormat;
  if (properties.contentType !== undefined) own.contentType = properties.contentType;
  if (properties.responseTopic !== undefined) own.responseTopic = properties.responseTopic;
  if (properties.correlationData !== undefined) own.correlationData = properties.correlationData;
  if (properties.userProperties !== undefined) own.userProperties = properties.userProperties;
  if (subscriptionIds !== undefined) own.subscriptionIds = subscriptionIds;
  return own;
}

const lengthOf = (text: string): number => text.length;

function userPropertyBytes(properties: MessageProperties, measure: (text: string) => number): number {
  let bytes = properties.correlationData?.byteLength ?? 0;
  bytes += measure(properties.contentType ?? "") + measure(properties.responseTopic ?? "");
  for (const [name, value] of properties.userProperties ?? []) bytes += 5 + measure(name) + measure(value);
  return bytes;
}

/** Property length field, and per property its identifier and length prefix (§2.2.2). */
function propertyBytes(packet: PublishPacket): number {
  let bytes = 4 + userPropertyBytes(packet, Buffer.byteLength);
  if (packet.messageExpiryS !== undefined) bytes += 5;
  if (packet.payloadFormat !== undefined) bytes += 2;
  for (const field of [packet.contentType, packet.responseTopic, packet.correlationData])
    if (field !== undefined) bytes += 3;
  return bytes + 5 * (packet.subscriptionIds?.length ?? 0);
}
