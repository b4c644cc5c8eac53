export { AwsMetrics } from "./aws-metrics.js";
export { CallerIdentification } from "./caller-identification.js";
export { Gateway } from "./gateway.js";
export { WatchPages } from "./watch-pages.js";
export type { WebMount } from "./web-app.js";
export { isAwsEndpoint, WebGuard } from "./web-guard.js";
