import { FleetrigError } from "fleetrig/kernel";
import type {
  AcknowledgePacket,
  ConnectPacket,
  MessageProperties,
  Packet,
  ProtocolVersion,
  PublishPacket,
  UserProperty,
  Will,
} from "./packets.js";
import { propertiesOf, type PropertySpec } from "./property-table.js";

/**
 * Sizes on the wire, computed without building anything. A virtual run asks for the size of every packet that
 * crosses a link, so PUBLISH and acknowledgements without properties touch no table and allocate nothing.
 * *Remaining bytes* is what the fixed header announces: everything after it.
 */
const MAX_REMAINING_BYTES = 268_435_455;
const MAX_FIELD_BYTES = 65_535;
/** Up to here a loop in JavaScript beats the call into the runtime. */
const SHORT_TEXT = 64;

/** Bytes of `text` in UTF-8; a lone surrogate counts as the replacement character it is written as. */
export function utf8Bytes(text: string): number {
  const length = text.length;
  if (length > SHORT_TEXT) return Buffer.byteLength(text);
  for (let i = 0; i < length; i += 1) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** Bytes of a variable byte integer (§1.5.5). */
const varintBytes = (value: number): number =>
  value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

/** A field with a two-byte length in front cannot be longer than 65,535 bytes (§1.5.4, §1.5.6). */
function fieldBytes(bytes: number): number {
  if (bytes > MAX_FIELD_BYTES)
    throw new FleetrigError("PROTOCOL_FIELD_TOO_LONG", `A field of ${bytes} bytes does not fit into MQTT.`, {
      hint: "Strings and binary data are limited to 65,535 bytes; only the payload may be longer.",
      context: { bytes },
    });
  return 2 + bytes;
}

const textFieldBytes = (text: string): number => fieldBytes(utf8Bytes(text));
const binaryFieldBytes = (bytes: Uint8Array): number => fieldBytes(bytes.length);

function propertyBytes(spec: PropertySpec, value: unknown): number {
  switch (spec.wireType) {
    case "flag":
    case "byte":
      return 2;
    case "u16":
      return 3;
    case "u32":
      return 5;
    case "utf8":
      return 1 + textFieldBytes(value as string);
    case "binary":
      return 1 + binaryFieldBytes(value as Uint8Array);
    case "varint":
      return 1 + varintBytes(value as number);
    case "pair": {
      const [name, text] = value as UserProperty;
      return 1 + textFieldBytes(name) + textFieldBytes(text);
    }
  }
}

/** Bytes of the properties themselves, without the length in front of them. */
function propertyListBytes(specs: readonly PropertySpec[], source: object): number {
  const fields = source as Record<string, unknown>;
  let bytes = 0;
  for (const spec of specs) {
    const value = fields[spec.field];
    if (value === undefined) continue;
    if (spec.repeatable) for (const item of value as readonly unknown[]) bytes += propertyBytes(spec, item);
    else bytes += propertyBytes(spec, value);
  }
  return bytes;
}

const withLength = (bytes: number): number => varintBytes(bytes) + bytes;

const PUBLISH_PROPERTIES = propertiesOf("publish");
const WILL_PROPERTIES = propertiesOf("will");

/** The usual PUBLISH has none or a few user properties; this test spares it the walk through the table. */
export const hasUserPropertiesAtMost = (properties: MessageProperties): boolean =>
  properties.messageExpiryS === undefined &&
  properties.payloadFormat === undefined &&
  properties.contentType === undefined &&
  properties.responseTopic === undefined &&
  properties.correlationData === undefined;

/** The same of a packet, which may also say where it comes from. */
export const isPlainPublish = (packet: PublishPacket): boolean =>
  packet.topicAlias === undefined && packet.subscriptionIds === undefined && hasUserPropertiesAtMost(packet);

function userPropertyBytes(properties: readonly UserProperty[] | undefined): number {
  if (properties === undefined) return 0;
  let bytes = 0;
  for (const [name, text] of properties) bytes += 1 + textFieldBytes(name) + textFieldBytes(text);
  return bytes;
}

export const publishPropertyBytes = (packet: PublishPacket): number =>
  isPlainPublish(packet)
    ? userPropertyBytes(packet.userProperties)
    : propertyListBytes(PUBLISH_PROPERTIES, packet);

export const willPropertyBytes = (will: Will): number => propertyListBytes(WILL_PROPERTIES, will);

/** Bytes of the properties of any packet but PUBLISH. */
export const packetPropertyBytes = (packet: Packet): number =>
  propertyListBytes(propertiesOf(packet.type), packet);

function publishBytes(packet: PublishPacket, version: ProtocolVersion): number {
  const bytes = textFieldBytes(packet.topic) + (packet.qos === 0 ? 0 : 2) + packet.payload.length;
  return version === 5 ? bytes + withLength(publishPropertyBytes(packet)) : bytes;
}

/** "MQIsdp" in MQTT 3.1, "MQTT" ever since. */
export const protocolName = (level: number): string => (level === 3 ? "MQIsdp" : "MQTT");

function connectBytes(packet: ConnectPacket): number {
  const isV5 = packet.protocolVersion >= 5;
  let bytes = textFieldBytes(protocolName(packet.protocolVersion)) + 4 + textFieldBytes(packet.clientId);
  if (isV5) bytes += withLength(packetPropertyBytes(packet));
  const { will, username, password } = packet;
  if (will !== undefined) {
    if (isV5) bytes += withLength(willPropertyBytes(will));
    bytes += textFieldBytes(will.topic) + binaryFieldBytes(will.payload);
  }
  if (username !== undefined) bytes += textFieldBytes(username);
  if (password !== undefined) bytes += binaryFieldBytes(password);
  return bytes;
}

/** Acknowledgements are as frequent as PUBLISH and know two properties only. */
const acknowledgeBytes = (packet: AcknowledgePacket): number =>
  packet.reasonString === undefined && packet.userProperties === undefined && packet.reasonCode === 0
    ? 2
    : 2 + reasonBytes(packet);

/** Reason and properties are left out from the end where they say nothing (§3.4.2.1, §3.14.2.1). */
function reasonBytes(packet: Packet & { readonly reasonCode: number }): number {
  const properties = packetPropertyBytes(packet);
  if (properties > 0) return 1 + withLength(properties);
  if (packet.reasonCode === 0) return 0;
  return packet.type === "auth" ? 2 : 1;
}

function subscriptionListBytes(packet: Packet): number {
  let bytes = 0;
  if (packet.type === "subscribe")
    for (const { filter } of packet.subscriptions) bytes += textFieldBytes(filter) + 1;
  else if (packet.type === "unsubscribe")
    for (const filter of packet.filters) bytes += textFieldBytes(filter);
  return bytes;
}

/** What the fixed header of the packet announces. */
export function remainingBytes(packet: Packet, version: ProtocolVersion): number {
  const isV5 = version === 5;
  switch (packet.type) {
    case "publish":
      return publishBytes(packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return isV5 ? acknowledgeBytes(packet) : 2;
    case "pingreq":
    case "pingresp":
      return 0;
    case "connect":
      return connectBytes(packet);
    case "connack":
      return isV5 ? 2 + withLength(packetPropertyBytes(packet)) : 2;
    case "subscribe":
    case "unsubscribe":
      return 2 + (isV5 ? withLength(packetPropertyBytes(packet)) : 0) + subscriptionListBytes(packet);
    case "suback":
      return 2 + (isV5 ? withLength(packetPropertyBytes(packet)) : 0) + packet.reasonCodes.length;
    case "unsuback":
      return isV5 ? 2 + withLength(packetPropertyBytes(packet)) + packet.reasonCodes.length : 2;
    case "disconnect":
      return isV5 ? reasonBytes(packet) : 0;
    case "auth":
      if (!isV5)
        throw new FleetrigError("PROTOCOL_PACKET_UNKNOWN", "MQTT 3.1.1 has no AUTH packet.", {
          hint: "Authentication exchanges need MQTT 5.",
        });
      return reasonBytes(packet);
  }
}

/**
 * Exact bytes of a packet on the wire. A CONNECT is sized for its own `protocolVersion`.
 * @throws FleetrigError `PROTOCOL_FIELD_TOO_LONG`, `PROTOCOL_PACKET_TOO_LONG`, `PROTOCOL_PACKET_UNKNOWN` when
 *   the version cannot express the packet.
 */
export const wireBytes = (packet: Packet, version: ProtocolVersion): number =>
  frameBytes(packet.type, remainingBytes(packet, version));

/** Fixed header and all, for a packet with this many remaining bytes. */
export function frameBytes(type: Packet["type"], remaining: number): number {
  if (remaining > MAX_REMAINING_BYTES)
    throw new FleetrigError("PROTOCOL_PACKET_TOO_LONG", `A ${type} of ${remaining} bytes exceeds MQTT.`, {
      hint: "MQTT packets are limited to 268,435,455 bytes after the fixed header.",
      context: { type, bytes: remaining },
    });
  return 1 + varintBytes(remaining) + remaining;
}
