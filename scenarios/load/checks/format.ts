import type { Checker } from "./checker.js";

export function checkFormat(_checker: Checker): void {}
