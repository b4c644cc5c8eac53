export * from "./packets.js";
export { encodeAll, encodePacket } from "./encode.js";
export { FramedPublish, PublishFrame } from "./publish-frame.js";
export {
  type CborLimits,
  type CborMap,
  type CborParse,
  type CborValue,
  decodeCbor,
  encodeCbor,
} from "./cbor.js";
export {
  isTemplateName,
  type PayloadFormat,
  type ProvisioningOperation,
  type ProvisioningTopic,
} from "./provisioning-topics.js";
export { hasUserPropertiesAtMost, wireBytes } from "./wire-size.js";
export type { CommandMessage, CommandTargetKind, CommandTopic } from "./command-topics.js";
export { isStreamId, type StreamMessage, type StreamTopic } from "./stream-topics.js";
export { type DecoderOptions, PacketDecoder, type PacketHandler } from "./decode.js";
export type { DecodeFailure, DecodeFailureCode } from "./decode-failure.js";
export { type ByteStream, type LinkEnd, type LinkHost, SocketLink, WriteBatch } from "./socket-link.js";
export type { DecoderRole } from "./packet-reader.js";
export {
  type Dialer,
  type DialFailure,
  type DialHandlers,
  type LinkCloseReason,
  type LinkPeer,
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  type PeerCertificate,
  type PendingLink,
  type SignedBy,
  type Transport,
  type UpgradeRequest,
  type WireSize,
} from "./link.js";
export { isFailure, REASON, type ReasonName, reasonName } from "./reason-codes.js";
export { hasReturnCode } from "./return-codes.js";
export {
  hasWildcard,
  isTopicFilter,
  isTopicName,
  parseSharedFilter,
  type Profile,
  type SharedFilter,
  topicMatches,
} from "./topics.js";
export {
  eventsTopic,
  type EventsTopic,
  formatReservedTopic,
  isAcceptedJobId,
  isJobId,
  isReservedTopic,
  isRuleName,
  isShadowName,
  isThingName,
  type JobsMessage,
  type JobsOperation,
  type JobsTopic,
  parseReservedTopic,
  type ReservedTopic,
  type RulesTopic,
  type ShadowMessage,
  type ShadowOperation,
  shadowTopicPrefix,
  type ShadowTopic,
  jobsTopicPrefix,
} from "./reserved-topics.js";
