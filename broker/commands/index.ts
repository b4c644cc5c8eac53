export type {
  Command,
  CommandExecution,
  CommandParameter,
  CommandStatus,
  CreateCommandRequest,
  ParameterValue,
  UpdateCommandRequest,
} from "./command.js";
export {
  CommandExecutions,
  type CommandExecutionsOptions,
  type CommandSettings,
  DEFAULT_COMMAND_SETTINGS,
  type StartCommandExecutionRequest,
} from "./command-executions.js";
export { Commands, type CommandsOptions } from "./commands.js";
