export type {
  Command,
  CommandExecution,
  CommandStatus,
  CreateCommandRequest,
  UpdateCommandRequest,
} from "./command.js";
export {
  CommandExecutions,
  type CommandSettings,
  type StartCommandExecutionRequest,
} from "./command-executions.js";
export { Commands } from "./commands.js";
