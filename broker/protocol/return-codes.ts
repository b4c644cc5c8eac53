import { isFailure, REASON } from "./reason-codes.js";

/** CONNACK of 3.1.1 has five return codes for failures (3.1.1 §3.2.2.3), where MQTT 5 has reason codes. */
const RETURN_CODES = new Map<number, number>([
  [REASON.unsupportedProtocolVersion, 1],
  [REASON.clientIdentifierNotValid, 2],
  [REASON.serverUnavailable, 3],
  [REASON.badUserNameOrPassword, 4],
  [REASON.notAuthorized, 5],
  [REASON.banned, 5],
]);

/** Faults of the client's own, which "server unavailable" would hide. */
const WORDLESS: ReadonlySet<number> = new Set([
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.topicNameInvalid,
  REASON.packetTooLarge,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
  REASON.qosNotSupported,
]);

/** Can 3.1.1 say it? If not, the connection is closed without CONNACK [3.1.1: MQTT-3.2.2-6]. */
export const hasReturnCode = (reasonCode: number): boolean => !WORDLESS.has(reasonCode);

/** The return code for a reason code; other failures are "server unavailable". */
export const returnCode = (reasonCode: number): number =>
  isFailure(reasonCode) ? (RETURN_CODES.get(reasonCode) ?? 3) : 0;
