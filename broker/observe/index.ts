export { logServer, logSink } from "./broker-log.js";
export {
  CLIENT_SORTS,
  type ClientPage,
  type ClientQuery,
  type ClientReading,
  type ClientSort,
  listClients,
} from "./client-readings.js";
export type { Health, HealthStatus } from "./health.js";
export { type HttpEndpoint, type HttpOptions, openHttpEndpoint } from "./http-endpoint.js";
export { type MemoryGauge, MemoryWatch } from "./memory-watch.js";
export { Observatory } from "./observatory.js";
export {
  type ObservedServer,
  type StoreReading,
} from "./observed-server.js";
export { type SlowQuery, type SlowSubscriber } from "./slow-subscribers.js";
export {
  type LogFields,
  LOG_LEVELS,
  type LogLevel,
  StructuredLog,
  type StructuredLogOptions,
} from "./structured-log.js";
export { VERSION } from "./version.js";
export { visibleText } from "./visible-text.js";
