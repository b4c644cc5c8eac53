export { MachineRunner, type MachineRunnerOptions } from "./machine/machine-runner.js";
export {
  chosenPath,
  type Covering,
  type CoveringOptions,
  coveringPaths,
  type DevicePath,
  timedInputs,
} from "./paths/covering-paths.js";
export {
  DeviceWalk,
  type PathInput,
  type PathTimes,
  type WalkState,
  type WalkStep,
} from "./paths/device-walk.js";
export { type Edge, edgesOf, edgesTaken } from "./paths/machine-edges.js";
export type { SignalSpec } from "./model.js";
export { compileSignal, type CompiledSignal, Signal } from "./signals/signal.js";
export { IDENTITY_FIELDS, IdentityBook } from "./identity/identity.js";
export {
  compilePayload,
  compileText,
  type Template,
  type TemplateScope,
  type Vocabulary,
} from "./templates/template.js";
export { createMemoryDialer, type MemoryDialerOptions } from "./links/memory-dialer.js";
export { createShapedDialer, type ShapedDialerOptions } from "./links/shaped-dialer.js";
export type { LinkPathOptions } from "./links/link-path.js";
export { LinkFaults, type LinkFaultsOptions } from "./links/link-faults.js";
export { readFaultValue } from "./links/fault-parameters.js";
export { LINK_FAULTS } from "./links/faults/table.js";
export { DIRECTION } from "./links/link-fault.js";
export type {
  DialObstacle,
  Direction,
  FaultInjection,
  FaultParameter,
  FaultParameterKind,
  FaultSwitch,
  LinkControl,
  LinkFault,
  LinkFaultDefinition,
  Passage,
  PassingPacket,
} from "./links/link-fault.js";
export { MqttClient, type MqttClientHandlers, type MqttClientOptions } from "./client/mqtt-client.js";
export type { OutboundMessage, PublishTrace } from "./client/outgoing.js";
export {
  CONNECT_TIMEOUT_US,
  DeviceConnection,
  type DeviceConnectionHandlers,
  type DeviceConnectionOptions,
} from "./connection/device-connection.js";
export {
  CONNECTION_EFFECTS,
  CONNECTION_EVENTS,
  CONNECTION_TABLE,
  type ConnectionEffect,
  type ConnectionEventType,
  connectionMachine,
  type ConnectionState,
} from "./connection/connection-machine.js";
export { tabulate, type Transition, type TransitionTable } from "./connection/transition-table.js";
export { reconnectDelayUs, type ReconnectHistory } from "./connection/reconnect-delay.js";
export {
  type BufferPlan,
  type ClaimPlan,
  type FleetPlan,
  type GroupPlan,
  type LinkProfile,
  type LoginPlan,
  type MemberPlan,
  type MqttPlan,
  PERFECT_LINK,
  type ReconnectPlan,
  type ReconnectPolicy,
  type TelemetryPlan,
  type WillPlan,
} from "./plan.js";
export type {
  BoardControls,
  BoardRefusal,
  BoardStimulus,
  DisconnectMode,
  FleetMember,
  LogWait,
  StateChange,
} from "./member.js";
export type { DeviceEffect, DeviceModel, DeviceSignalEvent, ModelInput, SignalThreshold } from "./model.js";
export { type Artifact, ARTIFACT_BYTES, artifactFor, corruptedArtifactFor } from "./models/artifact.js";
export { defineDeviceModel, deviceEffects } from "./models/define.js";
export { BUILTIN_MODELS, resolveModel } from "./models/resolve-model.js";
export { type DeviceCredential, Wallet } from "./credentials/wallet.js";
export { Enrolment, type EnrolmentHandlers, type EnrolmentOptions } from "./credentials/enrolment.js";
export { createTcpDialer, type TcpDialerOptions } from "./links/tcp-dialer.js";
export { createTlsDialer, type TlsDialerOptions } from "./links/tls-dialer.js";
export {
  type AppliedFault,
  createFaultProxy,
  type FaultProxy,
  type FaultProxyOptions,
  type ProxyNotice,
} from "./proxy/fault-proxy.js";
export type { ProxyTls } from "./proxy/tls-ends.js";
export { MAIN_PARAMETERS, parseFaultText } from "./proxy/fault-text.js";
export { PROXY_FAULTS, type ProxyFault, type ProxyFaultDefinition } from "./proxy/proxy-fault.js";
export type { DirectionCounters, ProxyCounters } from "./proxy/proxy-counters.js";
export { type DeviceLink, VirtualDevice, type VirtualDeviceOptions } from "./device/virtual-device.js";
export { DeviceGroup, type DeviceWorld } from "./device/device-group.js";
export { createFleet, Fleet, type FleetEnvironment } from "./fleet/fleet.js";
export { telemetryPhase } from "./device/telemetry.js";
export { type ShadowSettings, shadowSettings } from "./models/configuration.js";
export { type OtaSettings, otaSettings } from "./models/ota-phases.js";
export { type ArrivalPlan, planArrival } from "./fleet/arrival.js";
export type { Selection } from "./fleet/selection.js";
