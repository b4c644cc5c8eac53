import { type ConnectPacket, REASON } from "fleetrig/protocol";
import type { BrokerLimits } from "./limits.js";
import type { ProfileTraits } from "./profiles.js";
import { topicRefusal } from "./topic-rules.js";

interface ConnectRule {
  readonly reasonCode: number;
  isBroken(connect: ConnectPacket, limits: BrokerLimits, traits: ProfileTraits): boolean;
}

/** MQTT 3.1 §3.1: one to 23 characters; later versions leave the bound to the server. */
const isBadLegacyClientId = ({ protocolVersion, clientId }: ConnectPacket): boolean =>
  protocolVersion === 3 && (clientId.length === 0 || clientId.length > 23);

/** What a CONNECT must fulfil, in the order in which it is checked. */
const RULES: readonly ConnectRule[] = [
  {
    reasonCode: REASON.unsupportedProtocolVersion,
    isBroken: ({ protocolVersion }) => protocolVersion < 3 || protocolVersion > 5,
  },
  {
    reasonCode: REASON.clientIdentifierNotValid,
    isBroken: (connect, limits) =>
      isBadLegacyClientId(connect) ||
      connect.clientId.includes("\u0000") ||
      Buffer.byteLength(connect.clientId) > limits.clientIdBytes,
  },
  {
    // [MQTT-3.1.3-8] a session without a name could never be found again.
    reasonCode: REASON.clientIdentifierNotValid,
    isBroken: ({ protocolVersion, clientId, cleanStart }) =>
      protocolVersion < 5 && clientId === "" && !cleanStart,
  },
  {
    // [MQTT-3.1.2-24], [MQTT-3.1.2.11.3]: zero is not allowed for these two.
    reasonCode: REASON.protocolError,
    isBroken: ({ receiveMaximum, maximumPacketBytes }) => receiveMaximum === 0 || maximumPacketBytes === 0,
  },
  {
    reasonCode: REASON.badAuthenticationMethod,
    isBroken: ({ authenticationMethod }) => authenticationMethod !== undefined,
  },
  {
    // [MQTT-3.2.2-12] a will above the Maximum QoS.
    reasonCode: REASON.qosNotSupported,
    isBroken: ({ will }, _limits, traits) => will?.qos === 2 && traits.qos2 === "ignored",
  },
  {
    reasonCode: REASON.topicNameInvalid,
    isBroken: ({ will }, limits, traits) =>
      will !== undefined && topicRefusal(will.topic, limits, traits) !== 0,
  },
  {
    reasonCode: REASON.quotaExceeded,
    isBroken: ({ will }, limits) => will !== undefined && will.payload.byteLength > limits.payloadBytes,
  },
];

/** @returns the reason code for the refusing CONNACK, or 0. */
export const validateConnect = (
  connect: ConnectPacket,
  limits: BrokerLimits,
  traits: ProfileTraits,
): number => RULES.find((rule) => rule.isBroken(connect, limits, traits))?.reasonCode ?? 0;
