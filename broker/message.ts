import { type JsonParse, parseJson } from "fleetrig/kernel";
import {
  FramedPublish,
  hasUserPropertiesAtMost,
  type MessageProperties,
  PublishFrame,
  type PublishPacket,
  type QoS,
  type UserProperty,
} from "fleetrig/protocol";

/** Nesting that any JSON consumer of ours accepts; services apply tighter limits of their own. */
export const MAX_JSON_DEPTH = 64;

/** What a publish says, whoever sent it. */
export interface MessageFields extends MessageProperties {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Published by the broker on behalf of a client that was lost. Default false. */
  readonly isWill?: boolean;
}

const NO_PROPERTIES: MessageProperties = {};
/** AWS: messages are metered in increments of this. */
const METERED_BYTES = 5 * 1024;
/** How much of its buffer a message may leave unused while it is kept for long. */
const SPARE_BYTES_MAX = 128;

/**
 * One application message inside the cloud: what a PUBLISH carried, who sent it and when it came.
 * Immutable and shared by everyone it is routed to; the JSON view is parsed at most once.
 */
export class ApplicationMessage implements MessageFields {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Services on reserved topics ignore wills (REF §2.4); subscribers and rules do not. */
  readonly isWill: boolean;
  readonly properties: MessageProperties;
  /** Client that published it; undefined for the cloud's own messages. */
  readonly publisher: string | undefined;
  readonly receivedAtUs: number;
  private frames: PublishFrame | undefined;
  private bytes: Uint8Array;
  private text: string | undefined;
  private parsed: JsonParse | undefined;

  constructor(fields: MessageFields, publisher: string | undefined, receivedAtUs: number) {
    this.topic = fields.topic;
    this.bytes = fields.payload;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.isWill = fields.isWill ?? false;
    this.properties = forwardedProperties(fields);
    this.frames = undefined;
    this.publisher = publisher;
    this.receivedAtUs = receivedAtUs;
  }

  get payload(): Uint8Array {
    return this.bytes;
  }

  /** Bytes that already say this in a packet: for forwarding. */
  get frame(): PublishFrame | undefined {
    return this.frames;
  }

  /** The message came as this packet. */
  cameAs(packet: PublishPacket): void {
    this.frames = FramedPublish.frameOf(packet);
  }

  /** The message goes to several receivers: what is encoded for one serves all. */
  share(): void {
    this.frames ??= PublishFrame.none();
    this.frames.isShared = true;
  }

  /**
   * For whoever keeps the message: lets go of the buffer that its payload is a small part of, usually everything
   * that was read from a socket at once.
   * @param spareBytes How much of the buffer may be wasted.
   */
  detach(spareBytes = SPARE_BYTES_MAX): void {
    const { bytes, frames } = this;
    const heldBytes = Math.max(bytes.buffer.byteLength, frames?.heldBytes ?? 0);
    if (heldBytes - bytes.byteLength <= spareBytes) return;
    if (bytes.buffer.byteLength > bytes.byteLength) this.bytes = new Uint8Array(bytes);
    this.frames = undefined;
    if (frames?.isShared === true) this.share();
  }

  /** The payload as UTF-8 text. */
  payloadText(): string {
    this.text ??= asBuffer(this.payload).toString();
    return this.text;
  }

  /** The payload as JSON; nesting is limited before anything recurses into it. */
  json(): JsonParse {
    this.parsed ??= parseJson(this.payloadText(), MAX_JSON_DEPTH);
    return this.parsed;
  }

  /** AWS: what the message counts as when it is billed, in units of 5 KiB of topic, payload and properties. */
  get meteredUnits(): number {
    const { topic, bytes, properties } = this;
    // Characters of the topic, not its bytes: topics are ASCII in practice.
    let size = topic.length + bytes.byteLength;
    if (properties !== NO_PROPERTIES) size += propertyBytes(properties);
    return size <= METERED_BYTES ? 1 : Math.ceil(size / METERED_BYTES);
  }

  /** First value of an MQTT 5 user property. */
  userProperty(name: string): string | undefined {
    return this.properties.userProperties?.find((property: UserProperty) => property[0] === name)?.[1];
  }
}

/** What MQTT 5 forwards with a message. A received packet says more, and keeping it would keep its buffer. */
function forwardedProperties(fields: MessageProperties): MessageProperties {
  const { messageExpiryS, payloadFormat, contentType, responseTopic, correlationData, userProperties } =
    fields;
  if (hasUserPropertiesAtMost(fields))
    return userProperties === undefined ? NO_PROPERTIES : { userProperties };
  return {
    ...(messageExpiryS !== undefined && { messageExpiryS }),
    ...(payloadFormat !== undefined && { payloadFormat }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(userProperties !== undefined && { userProperties }),
  };
}

function propertyBytes({
  contentType,
  responseTopic,
  correlationData,
  userProperties,
}: MessageProperties): number {
  let bytes = (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.byteLength ?? 0);
  for (const [name, value] of userProperties ?? []) bytes += name.length + value.length;
  return bytes;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
