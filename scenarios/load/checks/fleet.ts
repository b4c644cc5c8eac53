import type { Checker } from "./checker.js";

export function checkFleet(_checker: Checker): void {}
