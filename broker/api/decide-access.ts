import type { Cloud } from "../cloud.js";
import { CertificatePrincipal, type Principal, principalWithDocuments } from "../identity/index.js";
import type { Caller } from "./http.js";
import type { RequiredAccess } from "./operation.js";

/** Policies on devices' requests over HTTP (REF §10.1); everything is allowed where none are enforced. */
export const decideAccess =
  (cloud: Cloud) =>
  (caller: Caller, { action, resource }: RequiredAccess, sourceIp: string): boolean => {
    const { access, account } = cloud;
    if (access === undefined) return true;
    const principal = principalOf(caller, cloud);
    if (principal === undefined) return false;
    const arn = resource === "*" ? resource : `${account.arnPrefix}:${resource}`;
    return access.authorizeRequest(principal, { action, resource: arn, sourceIp });
  };

function principalOf(caller: Caller, { identity }: Cloud): Principal | undefined {
  if (caller.kind === "certificate") return new CertificatePrincipal(identity, caller.certificateId);
  if (caller.kind === "authorizer") return principalWithDocuments(caller.principalId, caller.policies);
  return undefined;
}
