export type {
  Action,
  ActionVerb,
  ArrivalSpec,
  AttributeSpec,
  BridgeSpec,
  BrokerLimitsSpec,
  BrokerSpec,
  ConditionSpec,
  ExpectationSpec,
  FleetGroup,
  OtaSpec,
  ReportSpec,
  RuleSpec,
  Scenario,
  ServicesSpec,
  ShadowSpec,
  Stage,
  SweepSpec,
  TelemetrySpec,
} from "./scenario.js";
export { SCENARIO_VERSION, type ScenarioDocument } from "./schema/document.js";
export { FAULTS } from "./schema/faults.js";
export { scenarioJsonSchema, scenarioSchemaText } from "./schema/json-schema.js";
export { type Diagnostic, formatDiagnostic, formatPosition } from "./load/diagnostics.js";
export type { ScenarioFiles } from "./load/extends.js";
export {
  type LoadOptions,
  type LoadResult,
  loadScenario,
  type ScenarioSource,
} from "./load/load-scenario.js";
export type { SourceMap, SourcePath, SourcePosition } from "./load/source-tree.js";
export { type Host, type HostFiles, type Output, writeLine } from "./cli/host.js";
export { createNodeHost, filesBelow } from "./cli/host/node-host.js";
export { initCommand } from "./cli/commands/init.js";
export { listCommand, type ListOptions } from "./cli/commands/list.js";
export { schemaCommand } from "./cli/commands/schema.js";
export { validateCommand } from "./cli/commands/validate.js";
export { type ResolvedFiles, resolveScenarioFiles } from "./cli/scenario-files.js";
export { runScenario, type RunOptions, type RunProgress } from "./runner/run-scenario.js";
export type { RunIdentity } from "./runner/assemble-record.js";
