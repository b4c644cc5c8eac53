export type {
  CaCertificate,
  RegisterCaCertificateRequest,
  RegistrationConfig,
  UpdateCaCertificateRequest,
} from "./ca-certificates.js";
export type { CreatedCertificate, RegisterCertificateRequest } from "./certificate-registration.js";
export {
  type Certificate,
  type CertificateMode,
  type CertificateStatus,
  pemOf,
} from "./certificate-row.js";
export type { MarkerPage, MarkerPageRequest } from "./creation-order.js";
export { Identity, type IdentityOptions } from "./identity.js";
export type { IdentityChange } from "./identity-events.js";
export type { Policy, PolicyVersionRow } from "./policy-row.js";
export { certificateOf, groupOf, parsePolicyTarget, type PolicyTarget } from "./policy-targets.js";
export { DEFAULT_IDENTITY_LIMITS, type IdentityLimits } from "./settings.js";
export type { AttachedThing, IdentityThing, IdentityThings } from "./things-port.js";
