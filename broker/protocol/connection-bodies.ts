import type { Mutable, PacketReader } from "./packet-reader.js";
import type { ConnackPacket, ConnectPacket, MessageProperties, Packet, QoS, Will } from "./packets.js";
import { checkResponseTopic, readProperties } from "./property-reader.js";
import { REASON } from "./reason-codes.js";
import { REASON_CODE_TABLE } from "./reason-code-table.js";

/** The bodies of CONNECT and CONNACK: the only packets that speak about versions. */
const KNOWN_LEVELS: readonly number[] = [3, 4, 5];

/** Flags of CONNECT (§3.1.2.3). */
const FLAG = {
  reserved: 0x01,
  cleanStart: 0x02,
  will: 0x04,
  willRetain: 0x20,
  password: 0x40,
  username: 0x80,
};

function checkConnectFlags(reader: PacketReader, flags: number): void {
  if ((flags & FLAG.reserved) !== 0) reader.malformed("The reserved flag of CONNECT is set", "MQTT-3.1.2-3");
  if (((flags >> 3) & 3) === 3) reader.malformed("The will has QoS 3", "MQTT-3.1.2-12");
  if ((flags & FLAG.will) === 0 && (flags & 0x18) !== 0)
    reader.malformed("CONNECT has a will QoS but no will", "MQTT-3.1.2-11");
  if ((flags & FLAG.will) === 0 && (flags & FLAG.willRetain) !== 0)
    reader.malformed("CONNECT has Will Retain but no will", "MQTT-3.1.2-13");
  if (reader.version === 4 && (flags & FLAG.password) !== 0 && (flags & FLAG.username) === 0)
    reader.malformed("CONNECT has a password but no user name", "3.1.1: MQTT-3.1.2-22");
}

function readWill(reader: PacketReader, flags: number): Will {
  const properties: MessageProperties = {};
  if (reader.version === 5) {
    readProperties(reader, "will", properties);
    checkResponseTopic(reader, properties);
  }
  const topic = reader.text();
  if (topic === "") reader.malformed("The will has an empty topic", "MQTT-4.7.3-1");
  const payload = reader.binary();
  return {
    ...properties,
    topic,
    payload,
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & FLAG.willRetain) !== 0,
  };
}

/** Only the level of an unknown version is understood: enough for the server to refuse it [MQTT-3.1.2-2]. */
function unknownLevel(reader: PacketReader, protocolVersion: number): ConnectPacket {
  reader.at = reader.end;
  return { type: "connect", protocolVersion, clientId: "", cleanStart: true, keepAliveS: 0 };
}

export function readConnect(reader: PacketReader): Packet {
  const name = reader.text();
  const level = reader.u8();
  if (name !== "MQTT" && name !== "MQIsdp")
    reader.fail(REASON.unsupportedProtocolVersion, "The protocol name is not MQTT", "MQTT-3.1.2-1");
  else if (name === "MQIsdp" && level !== 3)
    reader.fail(REASON.unsupportedProtocolVersion, `${name} has no protocol level ${level}`, "MQTT-3.1.2-2");
  reader.version = level >= 5 ? 5 : 4;
  // Level 3 was MQIsdp's: under the name MQTT it is as unknown as level 0, and answered like that.
  if (name === "MQTT" && level === 3) return unknownLevel(reader, 0);
  if (!KNOWN_LEVELS.includes(level)) return unknownLevel(reader, level);
  const flags = reader.u8();
  checkConnectFlags(reader, flags);
  const packet: Mutable<ConnectPacket> = {
    type: "connect",
    protocolVersion: level,
    clientId: "",
    cleanStart: (flags & FLAG.cleanStart) !== 0,
    keepAliveS: reader.u16(),
  };
  if (level === 5) readProperties(reader, "connect", packet);
  reader.answerBytesMax = packet.maximumPacketBytes ?? Number.POSITIVE_INFINITY;
  if (packet.authenticationData !== undefined && packet.authenticationMethod === undefined)
    reader.violation("CONNECT has authentication data but no method", "3.1.2.11.10");
  packet.clientId = reader.text();
  if ((flags & FLAG.will) !== 0) packet.will = readWill(reader, flags);
  if ((flags & FLAG.username) !== 0) packet.username = reader.text();
  if ((flags & FLAG.password) !== 0) packet.password = reader.binary();
  return packet;
}

/** Reason codes for the return codes 0 to 5 of 3.1.1. */
const FROM_RETURN_CODE: readonly number[] = [
  REASON.success,
  REASON.unsupportedProtocolVersion,
  REASON.clientIdentifierNotValid,
  REASON.serverUnavailable,
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
];

export function readConnack(reader: PacketReader): Packet {
  const flags = reader.u8();
  if (flags > 1) reader.malformed("Reserved flags of CONNACK are set", "MQTT-3.2.2-1");
  const code = reader.u8();
  const packet: Mutable<ConnackPacket> = { type: "connack", sessionPresent: flags === 1, reasonCode: code };
  if (reader.version === 4) {
    packet.reasonCode = FROM_RETURN_CODE[code] ?? REASON.unspecifiedError;
    if (code >= FROM_RETURN_CODE.length)
      reader.malformed(`CONNACK cannot carry return code ${code}`, "3.1.1: 3.2.2.3");
  } else {
    const rule = REASON_CODE_TABLE.connack!;
    if (!rule.allowed.has(code)) reader.violation(`CONNACK cannot carry reason code ${code}`, rule.spec);
    readProperties(reader, "connack", packet);
  }
  if (packet.sessionPresent && code !== 0)
    reader.violation("CONNACK refuses but says that a session is present", "MQTT-3.2.2-6");
  return packet;
}
