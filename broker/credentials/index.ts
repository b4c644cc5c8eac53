export { type Credential, CredentialDirectory, type CredentialOptions } from "./credential-directory.js";
export type { SignableRequest } from "./signature-claim.js";
export {
  type SignatureVerdict,
  SignatureVerifier,
  type SignatureVerifierOptions,
} from "./signature-verifier.js";
