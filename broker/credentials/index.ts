export { type Credential, CredentialDirectory, type CredentialOptions } from "./credential-directory.js";
export {
  CredentialsProvider,
  type DeviceAccess,
} from "./credentials-provider.js";
export {
  type CreateRoleAliasRequest,
  type ListRoleAliasesRequest,
  RoleAliases,
  type UpdateRoleAliasRequest,
} from "./role-aliases.js";
export type { SignableRequest } from "./signature-claim.js";
export {
  type SignatureVerdict,
  SignatureVerifier,
  type SignatureVerifierOptions,
} from "./signature-verifier.js";
