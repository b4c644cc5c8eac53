export { CallerIdentification, type KnownCertificates } from "./caller-identification.js";
export { type EntranceOptions, Gateway, type GatewayOptions, type RequestHandler } from "./gateway.js";
export type { WebMount } from "./web-app.js";
export { isAwsEndpoint, WebGuard, type WebGuardOptions } from "./web-guard.js";
