export type {
  CaCertificate,
  RegisterCaCertificateRequest,
  RegistrationConfig,
  UpdateCaCertificateRequest,
} from "./ca-certificates.js";
export { AccessControl, type AccessControlOptions } from "./access-control.js";
export {
  type AuthInfo,
  effectivePolicyNames,
  testAuthorization,
} from "./authorization-test.js";
export { CertificatePrincipal } from "./certificate-principal.js";
export { principalWithDocuments } from "./given-principals.js";
export { isOpenTo } from "./open-listeners.js";
export type { CreatedCertificate, RegisterCertificateRequest } from "./certificate-registration.js";
export {
  type Certificate,
  type CertificateMode,
  type CertificateStatus,
  pemOf,
} from "./certificate-row.js";
export type { MarkerPage, MarkerPageRequest } from "./creation-order.js";
export type { Denial } from "./denials.js";
export { applyRegistryChange } from "./registry-change.js";
export { Identity, type IdentityOptions } from "./identity.js";
export type { IdentityChange } from "./identity-events.js";
export type { JustInTimeArrival, JustInTimeProvisioner } from "./just-in-time.js";
export type { LoggingOptions, LoggingOptionsV2, LogLevel, LogTarget } from "./logging-options.js";
export type { Policy, PolicyVersionRow } from "./policy-row.js";
export { certificateOf, groupOf, parsePolicyTarget, type PolicyTarget } from "./policy-targets.js";
export type { Identification, Principal, PrincipalSource } from "./principal.js";
export { thingsOf } from "./registry-things.js";
export {
  type AccessSettings,
  type AuthFailure,
  DEFAULT_ACCESS_SETTINGS,
  DEFAULT_IDENTITY_LIMITS,
  type IdentityLimits,
  type OpenListeners,
} from "./settings.js";
export type { ConnectionThing, IdentityThing, IdentityThings } from "./things-port.js";
