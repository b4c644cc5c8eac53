export {
  type Clock,
  LANE,
  type Timer,
  type TimeSource,
  US_PER_MINUTE,
  US_PER_MS,
  US_PER_S,
} from "./clock.js";
export { VIRTUAL_EPOCH_MS, VirtualTime } from "./virtual-time.js";
export {
  hostMonotonicUs,
  hostNowUs,
  hostWallMs,
  atHostTurnEnd,
  hostYield,
  RealTime,
} from "./real-time.js";
export {
  endHostProcess,
  hostProcess,
  hostProgram,
  hostWallText,
  isRunning,
  type ProcessIdentity,
} from "./host-process.js";
export { replaceFile } from "./host-file.js";
export { HostProbe, type HostReading } from "./host-probe.js";
export {
  formatWallTime,
  parseIsoTime,
  parseGmtTime,
  hostSecret,
  LoopDelayProbe,
  type LoopDelayReading,
  type ProcessReading,
  readProcess,
} from "./process-readings.js";
export { withBannedGlobals } from "./banned-globals.js";
export { createRandomSource, hostSeed, inverseNormal, Random, type RandomSource } from "./random.js";
export { createSampler, type Distribution, type Sampler } from "./distribution.js";
export { type ErrorDetails, EXIT, type ExitCode, FleetrigError, invariant, unreachable } from "./errors.js";
export { type Service, ServiceStack } from "./lifecycle.js";
export {
  canonicalJson,
  isJsonObject,
  jsonEqual,
  type JsonObject,
  type JsonParse,
  type JsonValue,
  nestingDepth,
  parseJson,
} from "./json.js";
export {
  formatDurationUs,
  parseBitsPerSecond,
  parseBytes,
  parseDurationUs,
  parsePercent,
  parseRatePerSecond,
} from "./quantity.js";
export {
  type BrokerEvent,
  type ConnectionEvent,
  type ControlEvent,
  type DeliveryProbe,
  type DeviceEvent,
  type EventSink,
  EXECUTION_STATUSES,
  type ExecutionStatus,
  type HarnessEvent,
  type JobEvent,
  type JobStatus,
  type RuleEvent,
  type RunEvent,
  type ShadowEvent,
  silentProbe,
  silentSink,
  teeProbe,
  teeSink,
} from "./events.js";
export {
  formatTraceTag,
  parseTraceTag,
  RULE_PROPERTY,
  TRACE_PROPERTY,
  traceTagPrefix,
  type TraceTag,
} from "./trace-tag.js";
export { didYouMean, nearestName } from "./nearest-name.js";
export { type BoardEvent, type BoardFact, isMarkerName } from "./board-events.js";
