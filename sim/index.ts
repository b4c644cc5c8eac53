export { MachineRunner, type MachineRunnerOptions } from "./machine/machine-runner.js";
