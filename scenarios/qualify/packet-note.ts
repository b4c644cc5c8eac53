import type { Packet, UserProperty } from "fleetrig/protocol";
import type { PacketNote } from "./evidence.js";

/** Enough of a payload for shadow documents; the rest only counts. */
const KEPT_PAYLOAD_BYTES = 8_192;
const NO_PROPERTIES: readonly UserProperty[] = [];

type Content = Omit<PacketNote, "atUs" | "connection" | "from" | "bytes" | "isWithheld">;

/** What a note says of a packet. */
export function noteOf(packet: Packet): Content {
  switch (packet.type) {
    case "connect": {
      const {
        protocolVersion,
        clientId,
        cleanStart,
        keepAliveS,
        sessionExpiryS = 0,
        maximumPacketBytes,
      } = packet;
      const connect = { protocolVersion, clientId, cleanStart, keepAliveS, sessionExpiryS };
      return {
        type: "connect",
        connect: { ...connect, ...(maximumPacketBytes !== undefined && { maximumPacketBytes }) },
      };
    }
    case "connack":
      return { type: "connack", reasonCode: packet.reasonCode, sessionPresent: packet.sessionPresent };
    case "publish": {
      const { topic, qos, retain, dup, payload, packetId, userProperties = NO_PROPERTIES } = packet;
      const text = Buffer.from(payload.subarray(0, KEPT_PAYLOAD_BYTES)).toString();
      return {
        type: "publish",
        ...(packetId !== undefined && { packetId }),
        publish: { topic, qos, retain, dup, payloadBytes: payload.length, payload: text, userProperties },
      };
    }
    case "subscribe":
      return {
        type: "subscribe",
        packetId: packet.packetId,
        filters: packet.subscriptions.map(({ filter, qos }) => ({ filter, qos })),
      };
    case "unsubscribe":
      return { type: "unsubscribe", packetId: packet.packetId };
    case "suback":
    case "unsuback":
      return { type: packet.type, packetId: packet.packetId, reasonCodes: packet.reasonCodes };
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return { type: packet.type, packetId: packet.packetId, reasonCode: packet.reasonCode };
    case "disconnect":
    case "auth":
      return { type: packet.type, reasonCode: packet.reasonCode };
    default:
      return { type: packet.type };
  }
}
