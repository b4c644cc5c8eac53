export {
  type AlternativeNameFields,
  type AlternativeNameKind,
  type AlternativeNames,
} from "./alternative-names.js";
export type { AuthorityPem } from "./authority-key.js";
export { type CertificateDescription, parseCertificate, parseCertificateBundle } from "./certificate.js";
export {
  type CertificateAndKeys,
  CertificateAuthority,
  type CertificateAuthorityOptions,
  createCertificateAuthority,
  type IssueCertificateOptions,
  type ServerCertificateOptions,
} from "./certificate-authority.js";
export type {
  CertificateFromCsrOptions,
  CertificateIssuer,
  IssuedCertificate,
  KeysAndCertificateOptions,
} from "./certificate-issuer.js";
export { type CertificateRequestDescription, parseCertificateRequest } from "./certificate-request.js";
export type { CertificatePurpose } from "./certificate-writer.js";
export type { DistinguishedName, NameFields } from "./distinguished-name.js";
export type { KeyUsage } from "./extensions.js";
export type { KeyType } from "./key-pair.js";
export { NAME_ATTRIBUTES, type NameAttribute } from "./object-identifiers.js";
export { certificateIdOf, writePem } from "./pem.js";
export { createVirtualIssuer, type VirtualIssuer } from "./virtual-issuer.js";
