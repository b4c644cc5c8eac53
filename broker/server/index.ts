export { BrokerServer, type BrokerServerOptions, createBroker, type LocalMessage } from "./broker-server.js";
export {
  type LocalDelivery,
  LocalSubscriptions,
  type LocalSubscriptionOptions,
  type MessageHandler,
} from "./local-subscriptions.js";
export type {
  BrokerServerEvent,
  BrokerServerEvents,
  DroppedInfo,
  EventHandler,
  MalformedInfo,
  CertificatesInfo,
  ConflictInfo,
  MemoryInfo,
  RejectedInfo,
  SubscriptionInfo,
} from "./server-events.js";
export { boardHooks, boardListeners, boardSink } from "./board-feeds.js";
export { listenerReading } from "./listener-reading.js";
export { EventBoard } from "./server-events.js";
export { ServerStorage } from "./server-storage.js";
