export type { PolicyFinding } from "./finding.js";
export { lintPolicy } from "./lint-policy.js";
