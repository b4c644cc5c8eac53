export { MachineRunner, type MachineRunnerOptions } from "./machine/machine-runner.js";
export type { SignalSpec } from "./model.js";
export { compileSignal, type CompiledSignal, Signal } from "./signals/signal.js";
export { IDENTITY_FIELDS, IdentityBook } from "./identity/identity.js";
export { nearestName } from "./templates/placeholder.js";
export {
  compilePayload,
  compileText,
  type Template,
  type TemplateScope,
  type Vocabulary,
} from "./templates/template.js";
