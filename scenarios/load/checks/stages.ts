import type { Checker } from "./checker.js";

export function checkStages(_checker: Checker): void {}
