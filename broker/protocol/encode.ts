import { ByteWriter } from "./byte-writer.js";
import type {
  AcknowledgePacket,
  ConnackPacket,
  ConnectPacket,
  Packet,
  ProtocolVersion,
  PublishPacket,
  SubscribePacket,
  UserProperty,
} from "./packets.js";
import { propertiesOf, type PropertyCarrier, type PropertySpec } from "./property-table.js";
import { FramedPublish, PublishFrame, publishFirstByte } from "./publish-frame.js";
import { isFailure } from "./reason-codes.js";
import { returnCode } from "./return-codes.js";
import {
  frameBytes,
  isPlainPublish,
  packetPropertyBytes,
  protocolName,
  publishPropertyBytes,
  remainingBytes,
  willPropertyBytes,
  wireBytes,
} from "./wire-size.js";

/**
 * Packets to bytes. Version 4 is written without properties and with the return codes of 3.1.1.
 * A CONNECT follows its own `protocolVersion`: it is what announces the version.
 */
/** First byte of each packet: type and reserved flags (§2.1). */
const FIRST_BYTE = {
  connect: 0x10,
  connack: 0x20,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  unsubscribe: 0xa2,
  unsuback: 0xb0,
  pingreq: 0xc0,
  pingresp: 0xd0,
  disconnect: 0xe0,
  auth: 0xf0,
} as const satisfies Record<Exclude<Packet["type"], "publish">, number>;

const USER_PROPERTY_ID = 38;

function writeProperty(writer: ByteWriter, spec: PropertySpec, value: unknown): void {
  writer.u8(spec.id);
  switch (spec.wireType) {
    case "flag":
      return writer.u8(value === true ? 1 : 0);
    case "byte":
      return writer.u8(value as number);
    case "u16":
      return writer.u16(value as number);
    case "u32":
      return writer.u32(value as number);
    case "varint":
      return writer.varint(value as number);
    case "utf8":
      return writer.text(value as string);
    case "binary":
      return writer.binary(value as Uint8Array);
    case "pair":
      writer.text((value as UserProperty)[0]);
      return writer.text((value as UserProperty)[1]);
  }
}

/** @param listBytes Size of the list, computed by the caller who needs it anyway. */
function writeProperties(writer: ByteWriter, source: object, of: readonly [PropertyCarrier, number]): void {
  const [carrier, listBytes] = of;
  writer.varint(listBytes);
  if (listBytes === 0) return;
  const fields = source as Record<string, unknown>;
  for (const spec of propertiesOf(carrier)) {
    const value = fields[spec.field];
    if (value === undefined) continue;
    if (spec.repeatable) for (const item of value as readonly unknown[]) writeProperty(writer, spec, item);
    else writeProperty(writer, spec, value);
  }
}

const writePacketProperties = (writer: ByteWriter, packet: Packet): void =>
  writeProperties(writer, packet, [packet.type, packetPropertyBytes(packet)]);

/** What {@link writeProperties} would write for a PUBLISH that has user properties at most. */
function writeUserProperties(writer: ByteWriter, packet: PublishPacket): void {
  writer.varint(publishPropertyBytes(packet));
  if (packet.userProperties === undefined) return;
  for (const [name, text] of packet.userProperties) {
    writer.u8(USER_PROPERTY_ID);
    writer.text(name);
    writer.text(text);
  }
}

function writePublish(writer: ByteWriter, packet: PublishPacket, version: ProtocolVersion): void {
  writer.text(packet.topic);
  if (packet.qos !== 0) writer.u16(packet.packetId!);
  if (version === 5) {
    if (isPlainPublish(packet)) writeUserProperties(writer, packet);
    else writeProperties(writer, packet, ["publish", publishPropertyBytes(packet)]);
  }
  writer.raw(packet.payload);
}

function connectFlags({ cleanStart, will, username, password }: ConnectPacket): number {
  let flags = cleanStart ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (username !== undefined) flags |= 0x80;
  return flags;
}

function writeConnect(writer: ByteWriter, packet: ConnectPacket): void {
  const isV5 = packet.protocolVersion >= 5;
  const { will, username, password } = packet;
  writer.text(protocolName(packet.protocolVersion));
  writer.u8(packet.protocolVersion);
  writer.u8(connectFlags(packet));
  writer.u16(packet.keepAliveS);
  if (isV5) writePacketProperties(writer, packet);
  writer.text(packet.clientId);
  if (will !== undefined) {
    if (isV5) writeProperties(writer, will, ["will", willPropertyBytes(will)]);
    writer.text(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.text(username);
  if (password !== undefined) writer.binary(password);
}

/** A refusal never says "session present" [MQTT-3.2.2-6]. */
function writeConnack(writer: ByteWriter, packet: ConnackPacket, version: ProtocolVersion): void {
  writer.u8(packet.sessionPresent && packet.reasonCode === 0 ? 1 : 0);
  if (version === 4) return writer.u8(returnCode(packet.reasonCode));
  writer.u8(packet.reasonCode);
  writePacketProperties(writer, packet);
}

/** Writes what {@link remainingBytes} counted: nothing, the reason, or the reason and the properties. */
function writeReason(writer: ByteWriter, packet: Packet & { readonly reasonCode: number }): void {
  const listBytes = packetPropertyBytes(packet);
  if (listBytes === 0 && packet.reasonCode === 0) return;
  writer.u8(packet.reasonCode);
  if (listBytes > 0 || packet.type === "auth") writeProperties(writer, packet, [packet.type, listBytes]);
}

function writeAcknowledge(writer: ByteWriter, packet: AcknowledgePacket, version: ProtocolVersion): void {
  writer.u16(packet.packetId);
  // Most say nothing but "success": the packet identifier is all there is.
  if (
    version === 4 ||
    (packet.reasonCode === 0 && packet.reasonString === undefined && packet.userProperties === undefined)
  )
    return;
  writeReason(writer, packet);
}

function writeSubscribe(writer: ByteWriter, packet: SubscribePacket, version: ProtocolVersion): void {
  writer.u16(packet.packetId);
  if (version === 5) writePacketProperties(writer, packet);
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    writer.text(filter);
    if (version === 4) writer.u8(qos);
    else
      writer.u8(
        qos |
          (noLocal === true ? 0x04 : 0) |
          (retainAsPublished === true ? 0x08 : 0) |
          ((retainHandling ?? 0) << 4),
      );
  }
}

function writeBody(writer: ByteWriter, packet: Packet, version: ProtocolVersion): void {
  const isV5 = version === 5;
  switch (packet.type) {
    case "publish":
      return writePublish(writer, packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return writeAcknowledge(writer, packet, version);
    case "connect":
      return writeConnect(writer, packet);
    case "connack":
      return writeConnack(writer, packet, version);
    case "subscribe":
      return writeSubscribe(writer, packet, version);
    case "unsubscribe":
      writer.u16(packet.packetId);
      if (isV5) writePacketProperties(writer, packet);
      for (const filter of packet.filters) writer.text(filter);
      return;
    case "suback":
      writer.u16(packet.packetId);
      if (isV5) writePacketProperties(writer, packet);
      for (const code of packet.reasonCodes) writer.u8(!isV5 && isFailure(code) ? 0x80 : code);
      return;
    case "unsuback":
      writer.u16(packet.packetId);
      if (!isV5) return;
      writePacketProperties(writer, packet);
      for (const code of packet.reasonCodes) writer.u8(code);
      return;
    case "disconnect":
    case "auth":
      if (isV5) writeReason(writer, packet);
      return;
    case "pingreq":
    case "pingresp":
  }
}

const firstByte = (packet: Packet): number =>
  packet.type === "publish" ? publishFirstByte(packet) : FIRST_BYTE[packet.type];

interface Frame {
  readonly packet: Packet;
  readonly version: ProtocolVersion;
  readonly remaining: number;
}

function writeFrame(writer: ByteWriter, { packet, version, remaining }: Frame): void {
  writer.u8(firstByte(packet));
  writer.varint(remaining);
  writeBody(writer, packet, version);
}

/**
 * Writes packets one after the other, so that a link sends everything of one turn in one piece; the buffer has as
 * many bytes as {@link prepareToSend} said. Publishes that came in one read and go out unchanged in the same order
 * are a *run*: one copy, however many they are.
 */
export function encodeAll(packets: readonly Packet[], version: ProtocolVersion, buffer: Buffer): void {
  const writer = new ByteWriter(buffer, 0);
  let first: PublishFrame | undefined;
  let last: PublishFrame | undefined;
  for (const packet of packets) {
    const form = packet.type === "publish" ? FramedPublish.frameOf(packet)?.find(packet, version) : undefined;
    const isUnchanged = form !== undefined && form.isAs(packet as PublishPacket);
    if (first !== undefined && !(isUnchanged && form.follows(last!))) {
      writer.position = first.copyRun(last!, buffer, writer.position);
      first = undefined;
    }
    if (isUnchanged) {
      first ??= form;
      last = form;
    } else if (form !== undefined) {
      writer.position = form.copyTo(buffer, writer.position, packet as PublishPacket);
    } else {
      writeFrame(writer, { packet, version, remaining: remainingBytes(packet, version) });
    }
  }
  if (first !== undefined) first.copyRun(last!, buffer, writer.position);
}

/**
 * {@link wireBytes} of a packet on its way out. A PUBLISH for several receivers is encoded here, once for all of them.
 */
export function prepareToSend(packet: Packet, version: ProtocolVersion): number {
  const frame = packet.type === "publish" ? FramedPublish.frameOf(packet) : undefined;
  if (packet.type !== "publish" || frame === undefined) return wireBytes(packet, version);
  const form = frame.find(packet, version);
  if (form !== undefined) return form.byteLength;
  if (!frame.isShared) return wireBytes(packet, version);
  const bytes = encodePacket(packet, version);
  const identifierAt = packet.qos === 0 ? 0 : identifierOffset(bytes);
  frame.append(new PublishFrame(packet, version, bytes, 0, bytes.length, identifierAt));
  return bytes.length;
}

/** Behind the fixed header and the topic (§3.3.2). */
function identifierOffset(bytes: Uint8Array): number {
  let at = 1;
  while (bytes[at]! > 127) at += 1;
  return at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
}

/**
 * The bytes of one packet. Fields are written as given: whether they make sense is the sender's business.
 * @throws FleetrigError `PROTOCOL_FIELD_TOO_LONG`, `PROTOCOL_PACKET_TOO_LONG`, `PROTOCOL_PACKET_UNKNOWN` when
 *   the version cannot express the packet.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  const remaining = remainingBytes(packet, version);
  const buffer = Buffer.allocUnsafe(frameBytes(packet.type, remaining));
  writeFrame(new ByteWriter(buffer, 0), { packet, version, remaining });
  return buffer;
}
