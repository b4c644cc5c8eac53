import { REASON } from "./reason-codes.js";

/** Why bytes were refused. Programs match `code`; `reasonCode` is what MQTT 5 tells the other side. */
export interface DecodeFailure {
  readonly code: DecodeFailureCode;
  readonly reasonCode: number;
  /** One sentence ending with the statement of the specification that was broken. */
  readonly message: string;
}

/** What was wrong with the bytes, for logs and counters. */
export type DecodeFailureCode =
  | "PROTOCOL_MALFORMED_PACKET"
  | "PROTOCOL_VIOLATION"
  | "PROTOCOL_PACKET_TOO_LARGE"
  | "PROTOCOL_UNSUPPORTED_VERSION"
  | "PROTOCOL_TOPIC_ALIAS_INVALID";

const CODES = {
  [REASON.malformedPacket]: "PROTOCOL_MALFORMED_PACKET",
  [REASON.protocolError]: "PROTOCOL_VIOLATION",
  [REASON.packetTooLarge]: "PROTOCOL_PACKET_TOO_LARGE",
  [REASON.unsupportedProtocolVersion]: "PROTOCOL_UNSUPPORTED_VERSION",
  [REASON.topicAliasInvalid]: "PROTOCOL_TOPIC_ALIAS_INVALID",
} as const satisfies Record<number, DecodeFailureCode>;

/** The reason codes that a decoder gives. */
export type DecodeReason = keyof typeof CODES;

/**
 * What was wrong and which statement says so. The ids are those of MQTT 5; `3.1.1:` marks the others, and a
 * bare section number stands where the text has no numbered statement.
 */
export const decodeFailure = (reasonCode: DecodeReason, what: string, spec: string): DecodeFailure => ({
  code: CODES[reasonCode],
  reasonCode,
  message: `${what} [${spec}].`,
});
