import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { MessageProperties, ProtocolVersion, PublishPacket } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";

/** Bookkeeping per queued message besides its content; measured on 64-bit V8. */
const OVERHEAD_BYTES = 200;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** How much of MQTT 5 the packet carries: decided once, so that the common cases are built without copying. */
type Extras = "none" | "user-properties" | "full";

/**
 * One message in the form in which some receivers get it: QoS, retain flag and subscription identifiers are
 * settled, the packet identifier is not. Shared by all receivers of that form, in flight and in queues.
 */
export class Delivery {
  readonly qos: 0 | 1;
  private readonly retain: boolean;
  private readonly extras: Extras;
  /** QoS 0 receivers of one version share one packet. */
  private sharedBare: PublishPacket | undefined;
  private sharedFull: PublishPacket | undefined;

  constructor(
    readonly message: ApplicationMessage,
    form: { readonly qos: 0 | 1; readonly retain: boolean },
    private readonly subscriptionIds: readonly number[] | undefined,
  ) {
    this.qos = form.qos;
    this.retain = form.retain;
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

  /** The packet for receivers of QoS 0; a 3.1.1 client gets no properties. */
  sharedPacket(version: ProtocolVersion, clock: Clock): PublishPacket {
    const { topic, payload, properties } = this.message;
    const { retain, extras } = this;
    if (version === 4 || extras === "none") {
      this.sharedBare ??= { type: "publish", topic, payload, qos: 0, retain, dup: false };
      return this.sharedBare;
    }
    if (extras === "full") {
      const waitedS = this.waitedS(clock);
      const isFresh = waitedS === 0;
      if (isFresh && this.sharedFull !== undefined) return this.sharedFull;
      const own = this.propertiesAfter(waitedS);
      const packet: PublishPacket = { type: "publish", topic, payload, qos: 0, retain, dup: false, ...own };
      if (isFresh) this.sharedFull = packet;
      return packet;
    }
    const userProperties = properties.userProperties!;
    this.sharedFull ??= { type: "publish", topic, payload, qos: 0, retain, dup: false, userProperties };
    return this.sharedFull;
  }

  /** The packet for one receiver of QoS 1. */
  packet(
    entry: { readonly packetId: number; readonly dup: boolean },
    version: ProtocolVersion,
    clock: Clock,
  ): PublishPacket {
    const { topic, payload } = this.message;
    const { retain, extras } = this;
    const { packetId, dup } = entry;
    if (version === 4 || extras === "none")
      return { type: "publish", topic, payload, qos: 1, retain, dup, packetId };
    if (extras === "full") {
      const properties = this.propertiesAfter(this.waitedS(clock));
      return { type: "publish", topic, payload, qos: 1, retain, dup, packetId, ...properties };
    }
    const userProperties = this.message.properties.userProperties!;
    return { type: "publish", topic, payload, qos: 1, retain, dup, packetId, userProperties };
  }

  /** Memory this message really takes in a queue. */
  get footprintBytes(): number {
    return OVERHEAD_BYTES + contentBytes(this.message);
  }

  /** Upper bound of the encoded packet, exact but for a few bytes of length fields. */
  wireBytes(version: ProtocolVersion): number {
    const idsBytes = 5 * (this.subscriptionIds?.length ?? 0);
    const propertiesBytes = version === 5 ? propertyBytes(this.message.properties) + idsBytes : 0;
    return 5 + 2 + Buffer.byteLength(this.topic) + 2 + propertiesBytes + this.message.payload.byteLength;
  }

  /** [MQTT-3.3.2-6] the expiry interval shrinks by the time spent waiting here. */
  private waitedS(clock: Clock): number {
    if (this.message.properties.messageExpiryS === undefined) return 0;
    return Math.floor((clock.nowUs() - this.message.receivedAtUs) / US_PER_S);
  }

  /** Only what the standard forwards: a received packet also carries fields that are nobody else's business. */
  private propertiesAfter(waitedS: number): ForwardedProperties {
    const { properties } = this.message;
    const own: Mutable<ForwardedProperties> = {};
    if (properties.messageExpiryS !== undefined)
      own.messageExpiryS = Math.max(0, properties.messageExpiryS - waitedS);
    if (properties.payloadFormat !== undefined) own.payloadFormat = properties.payloadFormat;
    if (properties.contentType !== undefined) own.contentType = properties.contentType;
    if (properties.responseTopic !== undefined) own.responseTopic = properties.responseTopic;
    if (properties.correlationData !== undefined) own.correlationData = properties.correlationData;
    if (properties.userProperties !== undefined) own.userProperties = properties.userProperties;
    if (this.subscriptionIds !== undefined) own.subscriptionIds = this.subscriptionIds;
    return own;
  }
}

interface ForwardedProperties extends MessageProperties {
  readonly subscriptionIds?: readonly number[];
}

function extrasOf(properties: MessageProperties): Extras {
  const isSpecial =
    properties.messageExpiryS !== undefined ||
    properties.responseTopic !== undefined ||
    properties.correlationData !== undefined ||
    properties.contentType !== undefined ||
    properties.payloadFormat !== undefined;
  if (isSpecial) return "full";
  return properties.userProperties === undefined ? "none" : "user-properties";
}

/** Topic, payload and properties, in bytes (UTF-16 code units count as one: topics are ASCII in practice). */
export const contentBytes = (message: ApplicationMessage): number =>
  message.topic.length + message.payload.byteLength + userPropertyBytes(message.properties, lengthOf);

const lengthOf = (text: string): number => text.length;

function userPropertyBytes(properties: MessageProperties, measure: (text: string) => number): number {
  let bytes = properties.correlationData?.byteLength ?? 0;
  bytes += measure(properties.contentType ?? "") + measure(properties.responseTopic ?? "");
  for (const [name, value] of properties.userProperties ?? []) bytes += 5 + measure(name) + measure(value);
  return bytes;
}

/** Property length field, and per property its identifier and length prefix (§2.2.2). */
function propertyBytes(properties: MessageProperties): number {
  let bytes = 4 + userPropertyBytes(properties, Buffer.byteLength);
  if (properties.messageExpiryS !== undefined) bytes += 5;
  if (properties.payloadFormat !== undefined) bytes += 2;
  for (const field of [properties.contentType, properties.responseTopic, properties.correlationData])
    if (field !== undefined) bytes += 3;
  return bytes;
}
