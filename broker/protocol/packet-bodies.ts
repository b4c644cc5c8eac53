import { readConnack, readConnect } from "./connection-bodies.js";
import type { Mutable, PacketReader } from "./packet-reader.js";
import {
  type AcknowledgePacket,
  type AuthPacket,
  type DisconnectPacket,
  type Packet,
  PINGREQ,
  PINGRESP,
  type QoS,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubackPacket,
  type UnsubscribePacket,
} from "./packets.js";
import { checkResponseTopic, readProperties } from "./property-reader.js";
import { FramedPublish, PublishFrame } from "./publish-frame.js";
import { REASON_CODE_TABLE } from "./reason-code-table.js";

/**
 * What follows the fixed header, one reader per packet, and the table of packets that chooses it.
 * A reader returns something packet-shaped even when `reader.failure` is set; nobody looks at it then.
 */
const EMPTY = new Uint8Array(0);

function readPublish(reader: PacketReader): Packet {
  const { flags } = reader;
  const qos = (flags >> 1) & 3;
  if (qos === 3) reader.malformed("PUBLISH has QoS 3", "MQTT-3.3.1-4");
  if (qos === 0 && flags >= 8) reader.malformed("PUBLISH with QoS 0 has DUP set", "MQTT-3.3.1-2");
  const topic = reader.recurringText();
  const packet = new FramedPublish(
    { topic, payload: EMPTY, qos: qos as QoS, retain: (flags & 1) === 1, dup: flags >= 8 },
    undefined,
  );
  const identifierAt = reader.at - reader.frameAt;
  if (qos !== 0) packet.packetId = reader.packetId();
  if (reader.version === 5) {
    readProperties(reader, "publish", packet);
    if (topic === "" && packet.topicAlias === undefined)
      reader.violation("PUBLISH has neither a topic nor a topic alias", "MQTT-3.3.2.3.4");
    checkResponseTopic(reader, packet);
    if (packet.subscriptionIds !== undefined && reader.role === "server")
      reader.violation("A client sent a subscription identifier in PUBLISH", "MQTT-3.3.4-6");
  } else if (topic === "") reader.malformed("PUBLISH has an empty topic", "MQTT-4.7.3-1");
  const { version, chunk, frameAt, end } = reader;
  packet.payload = reader.rest();
  packet.carry(new PublishFrame(packet, version, chunk, frameAt, end, qos === 0 ? 0 : identifierAt));
  return packet;
}

function readReasonCode(reader: PacketReader, type: Packet["type"]): number {
  const reasonCode = reader.u8();
  const rule = REASON_CODE_TABLE[type];
  if (rule !== undefined && !rule.allowed.has(reasonCode))
    reader.violation(`${type.toUpperCase()} cannot carry reason code ${reasonCode}`, rule.spec);
  return reasonCode;
}

function readAcknowledge(reader: PacketReader, type: AcknowledgePacket["type"]): Packet {
  const packet: Mutable<AcknowledgePacket> = { type, packetId: reader.packetId(), reasonCode: 0 };
  if (reader.version === 4 || reader.at === reader.end) return packet;
  packet.reasonCode = readReasonCode(reader, type);
  if (reader.at < reader.end) readProperties(reader, type, packet);
  return packet;
}

function readSubscription(reader: PacketReader): SubscriptionRequest {
  const filter = reader.text();
  if (filter === "") reader.malformed("A topic filter is empty", "MQTT-4.7.3-1");
  const options = reader.u8();
  const qos = options & 3;
  if (qos === 3) reader.malformed("A subscription asks for QoS 3", "3.8.3.1");
  if (reader.version === 4) {
    if (options > 3) reader.malformed("Reserved subscription bits are set", "3.1.1: MQTT-3.8.3-4");
    return { filter, qos: qos as QoS };
  }
  const retainHandling = (options >> 4) & 3;
  if (options > 0x3f) reader.malformed("Reserved subscription bits are set", "MQTT-3.8.3-5");
  if (retainHandling === 3) reader.violation("Retain Handling is 3", "3.8.3.1");
  const noLocal = (options & 4) !== 0;
  if (noLocal && filter.startsWith("$share/"))
    reader.violation("No Local is set on a shared subscription", "MQTT-3.8.3-4");
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

function readSubscribe(reader: PacketReader): Packet {
  const subscriptions: SubscriptionRequest[] = [];
  const packet: SubscribePacket = { type: "subscribe", packetId: reader.packetId(), subscriptions };
  if (reader.version === 5) readProperties(reader, "subscribe", packet);
  if (reader.at === reader.end) reader.violation("SUBSCRIBE has no topic filter", "MQTT-3.8.3-2");
  while (reader.at < reader.end) subscriptions.push(readSubscription(reader));
  return packet;
}

function readUnsubscribe(reader: PacketReader): Packet {
  const filters: string[] = [];
  const packet: UnsubscribePacket = { type: "unsubscribe", packetId: reader.packetId(), filters };
  if (reader.version === 5) readProperties(reader, "unsubscribe", packet);
  if (reader.at === reader.end) reader.violation("UNSUBSCRIBE has no topic filter", "MQTT-3.10.3-2");
  while (reader.at < reader.end) {
    const filter = reader.text();
    if (filter === "") reader.malformed("A topic filter is empty", "MQTT-4.7.3-1");
    filters.push(filter);
  }
  return packet;
}

function readReturnCode(reader: PacketReader): number {
  const code = reader.u8();
  if (code > 2 && code !== 0x80)
    reader.malformed(`SUBACK cannot carry return code ${code}`, "3.1.1: MQTT-3.9.3-2");
  return code;
}

function readSuback(reader: PacketReader): Packet {
  const reasonCodes: number[] = [];
  const packet: SubackPacket = { type: "suback", packetId: reader.packetId(), reasonCodes };
  if (reader.version === 5) readProperties(reader, "suback", packet);
  if (reader.at === reader.end) reader.violation("SUBACK has no reason code", "MQTT-3.8.4-6");
  while (reader.at < reader.end)
    reasonCodes.push(reader.version === 5 ? readReasonCode(reader, "suback") : readReturnCode(reader));
  return packet;
}

function readUnsuback(reader: PacketReader): Packet {
  const reasonCodes: number[] = [];
  const packet: UnsubackPacket = { type: "unsuback", packetId: reader.packetId(), reasonCodes };
  if (reader.version === 4) return packet;
  readProperties(reader, "unsuback", packet);
  if (reader.at === reader.end) reader.violation("UNSUBACK has no reason code", "MQTT-3.11.3-1");
  while (reader.at < reader.end) reasonCodes.push(readReasonCode(reader, "unsuback"));
  return packet;
}

function readDisconnect(reader: PacketReader): Packet {
  const packet: Mutable<DisconnectPacket> = { type: "disconnect", reasonCode: 0 };
  if (reader.version === 4 || reader.at === reader.end) return packet;
  packet.reasonCode = readReasonCode(reader, "disconnect");
  if (reader.at < reader.end) readProperties(reader, "disconnect", packet);
  if (reader.role === "client" && packet.sessionExpiryS !== undefined)
    reader.violation("A server sent a session expiry interval in DISCONNECT", "MQTT-3.14.2-2");
  return packet;
}

function readAuth(reader: PacketReader): Packet {
  const packet: Mutable<AuthPacket> = { type: "auth", reasonCode: 0 };
  if (reader.at === reader.end) return packet;
  packet.reasonCode = readReasonCode(reader, "auth");
  readProperties(reader, "auth", packet);
  return packet;
}

export interface PacketForm {
  readonly name: string;
  /** The reserved flags of the fixed header; undefined where they carry meaning. */
  readonly flags: number | undefined;
  /** Versions in which clients, and servers, send it: bit 4 for 3.1.1, bit 5 for MQTT 5. */
  readonly fromClient: number;
  readonly fromServer: number;
  readonly read: (reader: PacketReader) => Packet;
}

const NONE = 0;
const V5 = 1 << 5;
const BOTH = (1 << 4) | V5;
const form = (
  [name, flags]: readonly [string, number | undefined],
  [fromClient, fromServer]: readonly [number, number],
  read: PacketForm["read"],
): PacketForm => ({ name, flags, fromClient, fromServer, read });

/** Control packets by the high four bits of their first byte (§2.1.2); 0 is reserved. */
export const PACKET_FORMS: readonly (PacketForm | undefined)[] = [
  undefined,
  form(["CONNECT", 0], [BOTH, NONE], readConnect),
  form(["CONNACK", 0], [NONE, BOTH], readConnack),
  form(["PUBLISH", undefined], [BOTH, BOTH], readPublish),
  form(["PUBACK", 0], [BOTH, BOTH], (reader) => readAcknowledge(reader, "puback")),
  form(["PUBREC", 0], [BOTH, BOTH], (reader) => readAcknowledge(reader, "pubrec")),
  form(["PUBREL", 2], [BOTH, BOTH], (reader) => readAcknowledge(reader, "pubrel")),
  form(["PUBCOMP", 0], [BOTH, BOTH], (reader) => readAcknowledge(reader, "pubcomp")),
  form(["SUBSCRIBE", 2], [BOTH, NONE], readSubscribe),
  form(["SUBACK", 0], [NONE, BOTH], readSuback),
  form(["UNSUBSCRIBE", 2], [BOTH, NONE], readUnsubscribe),
  form(["UNSUBACK", 0], [NONE, BOTH], readUnsuback),
  form(["PINGREQ", 0], [BOTH, NONE], () => PINGREQ),
  form(["PINGRESP", 0], [NONE, BOTH], () => PINGRESP),
  form(["DISCONNECT", 0], [BOTH, V5], readDisconnect),
  form(["AUTH", 0], [V5, V5], readAuth),
];
