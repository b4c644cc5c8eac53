export { type BrokerOptions, type DisconnectOptions, MqttBroker } from "./mqtt-broker.js";
export type {
  AuthenticationOutcome,
  AuthenticationStep,
  BrokerHooks,
  ConnectDecision,
  ConnectedInfo,
  ConnectInfo,
  DisconnectedInfo,
  Refused,
  RefusedInfo,
} from "./hooks.js";
export type { BrokerFeatures } from "./features.js";
export type { SharedStrategy } from "./share-group.js";
export type { AwsDisconnectReason, ReasonDetails } from "./ending.js";
export { type BrokerLimits, DEFAULT_LIMITS } from "./limits.js";
export { PROFILE_TRAITS, type ProfileTraits } from "./profiles.js";
export type { BrokerStatistics, DropReason } from "./statistics.js";
export type { MemoryLevel } from "./memory-pressure.js";
