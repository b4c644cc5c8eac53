import type { SignedBy } from "fleetrig/protocol";
import { FleetrigError } from "fleetrig/kernel";
import { type CompiledPolicy, compilePolicy, parsePolicyDocument } from "../policy/index.js";
import type { Principal } from "./principal.js";

const ALLOW_ALL: readonly CompiledPolicy[] = [
  compilePolicy(
    parsePolicyDocument(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    ),
    "credentials",
  ),
];

/** Whoever signs with credentials of the account. There is no IAM here: such a principal may do everything. */
export const signedPrincipal = ({ arn }: SignedBy): Principal => ({
  principalIdentifier: arn,
  target: undefined,
  policies: () => ALLOW_ALL,
});

/**
 * A principal that brings its policies, as custom authorizers give them. A document that cannot be read allows
 * nothing and lets nobody in.
 * @param name For events and the log.
 */
export function principalWithDocuments(name: string, documents: readonly string[]): Principal {
  const compiled: CompiledPolicy[] = [];
  let refusal: string | undefined;
  for (const [index, document] of documents.entries()) {
    try {
      compiled.push(compilePolicy(parsePolicyDocument(document), `${name}-${index + 1}`));
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      refusal ??= `Policy document ${index + 1} of ${name} cannot be used: ${error.message}`;
    }
  }
  return {
    principalIdentifier: name,
    target: undefined,
    policies: () => compiled,
    refusal: () => refusal,
  };
}
