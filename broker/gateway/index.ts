export { AwsMetrics } from "./aws-metrics.js";
export { CallerIdentification, type KnownCertificates } from "./caller-identification.js";
export { type EntranceOptions, Gateway, type GatewayOptions, type RequestHandler } from "./gateway.js";
export { WatchPages, type WatchPagesOptions } from "./watch-pages.js";
export type { WebMount } from "./web-app.js";
export { isAwsEndpoint, WebGuard, type WebGuardOptions } from "./web-guard.js";
