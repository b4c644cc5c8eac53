import {
  authorizationContext,
  type AuthorizationDecision,
  type AuthorizationFacts,
  type CompiledPolicy,
  type CompileOptions,
  compilePolicy,
  evaluatePolicies,
  isAllowed,
  parsePolicyDocument,
} from "fleetrig/broker";

/** Where every resource of these tests is. */
export const ARN = "arn:aws:iot:us-east-1:123456789012:";

/** A policy of some statements, called `p`. */
export const policyOf = (statements: readonly object[], options: CompileOptions = {}): CompiledPolicy =>
  compilePolicy(parsePolicyDocument(documentOf(...statements)), "p", options);

export const documentOf = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** A statement that allows one action; resources are written without the beginning of the ARN. */
export const allow = (action: string, resource: string | readonly string[], condition?: object): object =>
  statement("Allow", { action, resource, condition });

export const deny = (action: string, resource: string | readonly string[], condition?: object): object =>
  statement("Deny", { action, resource, condition });

interface Parts {
  readonly action: string;
  readonly resource: string | readonly string[];
  readonly condition: object | undefined;
}

function statement(effect: string, { action, resource, condition }: Parts): object {
  const resources = [resource].flat().map((text) => (text === "*" ? text : ARN + text));
  return { Effect: effect, Action: action, Resource: resources, ...(condition && { Condition: condition }) };
}

/** Asks policies; the quick answer must be the same. */
export function ask(
  policies: CompiledPolicy | readonly CompiledPolicy[],
  action: string,
  resource: string,
  facts: AuthorizationFacts = { clientId: "c" },
): AuthorizationDecision {
  const list = [policies].flat() as readonly CompiledPolicy[];
  const request = {
    action,
    resource: resource === "*" ? resource : ARN + resource,
    context: authorizationContext(facts),
  };
  const decision = evaluatePolicies(list, request);
  if (isAllowed(list, request) !== (decision.outcome === "allowed")) throw new RangeError("two answers");
  return decision;
}

/** The outcome of asking one policy. */
export const outcome = (
  statements: readonly object[],
  action: string,
  resource: string,
  facts?: AuthorizationFacts,
): AuthorizationDecision["outcome"] => ask(policyOf(statements), action, resource, facts).outcome;
