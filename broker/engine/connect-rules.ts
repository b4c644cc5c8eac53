import { type ConnectPacket, REASON } from "fleetrig/protocol";
import type { BrokerLimits } from "./limits.js";
import type { ProfileTraits } from "./profiles.js";
import { topicRefusal } from "./topic-rules.js";
import { areFewProperties } from "./user-property-limit.js";

/** Why a CONNECT is refused, for the client and for people. */
interface ConnectFault {
  readonly reasonCode: number;
  readonly reason: string;
}

interface ConnectRule extends ConnectFault {
  isBroken(connect: ConnectPacket, limits: BrokerLimits, traits: ProfileTraits): boolean;
}

/** MQTT 3.1 §3.1: one to 23 characters; later versions leave the bound to the server. */
const isBadLegacyClientId = ({ protocolVersion, clientId }: ConnectPacket): boolean =>
  protocolVersion === 3 && (clientId.length === 0 || clientId.length > 23);

/** What a CONNECT must fulfil, in the order in which it is checked. */
const RULES: readonly ConnectRule[] = [
  {
    reasonCode: REASON.unsupportedProtocolVersion,
    reason: "This server speaks MQTT 3.1, 3.1.1 and 5.",
    isBroken: ({ protocolVersion }) => protocolVersion < 3 || protocolVersion > 5,
  },
  {
    reasonCode: REASON.clientIdentifierNotValid,
    reason: "The client identifier is too long or holds what it may not.",
    isBroken: (connect, limits) =>
      isBadLegacyClientId(connect) ||
      connect.clientId.includes("\u0000") ||
      Buffer.byteLength(connect.clientId) > limits.clientIdBytes,
  },
  {
    // [MQTT-3.1.3-8] a session without a name could never be found again.
    reasonCode: REASON.clientIdentifierNotValid,
    reason: "A client without an identifier must ask for a clean session.",
    isBroken: ({ protocolVersion, clientId, cleanStart }) =>
      protocolVersion < 5 && clientId === "" && !cleanStart,
  },
  {
    // [MQTT-3.1.2-24], [MQTT-3.1.2.11.3]: zero is not allowed for these two.
    reasonCode: REASON.protocolError,
    reason: "Receive Maximum and Maximum Packet Size must not be zero.",
    isBroken: ({ receiveMaximum, maximumPacketBytes }) => receiveMaximum === 0 || maximumPacketBytes === 0,
  },
  {
    reasonCode: REASON.badAuthenticationMethod,
    reason: "Enhanced authentication is not available here.",
    isBroken: ({ authenticationMethod }, _limits, traits) =>
      authenticationMethod !== undefined && !traits.enhancedAuthentication,
  },
  {
    // [MQTT-3.2.2-12] a will above the Maximum QoS.
    reasonCode: REASON.qosNotSupported,
    reason: "The will has a QoS that this server does not take.",
    isBroken: ({ will }, _limits, traits) => will?.qos === 2 && traits.qos2 === "ignored",
  },
  {
    reasonCode: REASON.topicNameInvalid,
    reason: "The topic of the will is not one that a client may publish to.",
    isBroken: ({ will }, limits, traits) =>
      will !== undefined && topicRefusal(will.topic, limits, traits) !== 0,
  },
  {
    reasonCode: REASON.quotaExceeded,
    reason: "The payload of the will is larger than this server takes.",
    isBroken: ({ will }, limits) => will !== undefined && will.payload.byteLength > limits.payloadBytes,
  },
  {
    reasonCode: REASON.quotaExceeded,
    reason: "The will has more user properties than this server takes.",
    isBroken: ({ will }, limits) =>
      will?.userProperties !== undefined && !areFewProperties(will.userProperties, limits),
  },
];

/** @returns the first rule that is broken. */
export const validateConnect = (
  connect: ConnectPacket,
  limits: BrokerLimits,
  traits: ProfileTraits,
): ConnectFault | undefined => RULES.find((rule) => rule.isBroken(connect, limits, traits));
