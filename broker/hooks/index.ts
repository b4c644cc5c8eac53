export {
  DEFAULT_HOOK_SETTINGS,
  type HookFailure,
  type HookFailureReason,
  type HookOutcome,
  HookRunner,
  type HookRunnerOptions,
  type HookSettings,
} from "./hook-runner.js";
export type { HookContext, HookFunction, HookTarget } from "./hook-target.js";
