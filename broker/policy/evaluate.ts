import type { AuthorizationDecision, AuthorizationRequest, MatchedStatement } from "./authorization.js";
import type { CompiledPolicy, CompiledStatement } from "./compile.js";
import { nearestReason } from "./nearest-reason.js";

/**
 * Is a request allowed? An Allow that applies is needed, and one Deny that applies outweighs every Allow
 * (REF §10.4). The quick way for every packet; `evaluatePolicies` says why.
 */
export function isAllowed(policies: readonly CompiledPolicy[], request: AuthorizationRequest): boolean {
  const { action, resource, context } = request;
  let isGranted = false;
  for (const policy of policies) {
    const { denies, allows } = policy.statementsFor(action);
    for (const statement of denies) if (statement.applies(resource, context)) return false;
    for (const statement of allows) isGranted ||= statement.applies(resource, context);
  }
  return isGranted;
}

/** The same decision with every statement that applies, every value that was missed, and the nearest reason. */
export function evaluatePolicies(
  policies: readonly CompiledPolicy[],
  request: AuthorizationRequest,
): AuthorizationDecision {
  const { action, resource } = request;
  const about = policies.flatMap(({ statements }) =>
    statements.filter((statement) => statement.isAbout(action)),
  );
  const matched = about
    .filter((statement) => statement.applies(resource, request.context))
    .map(({ name, effect }): MatchedStatement => ({ ...name, effect }));
  const isDenied = matched.some(({ effect }) => effect === "Deny");
  const outcome = isDenied ? "explicitDeny" : matched.length > 0 ? "allowed" : "implicitDeny";
  return {
    outcome,
    action,
    resource,
    matched,
    missingContextValues: [...new Set(about.flatMap((statement) => missingKeys(statement, request)))],
    reason: outcome === "implicitDeny" ? nearestReason(policies, request) : undefined,
  };
}

/** Conditions are asked only where the resource is the statement's. */
function missingKeys(
  statement: CompiledStatement,
  { resource, context }: AuthorizationRequest,
): readonly string[] {
  const missing = statement.resource.missingKeys(context);
  if (!statement.resource.applies(resource, context)) return missing;
  return [...missing, ...statement.conditions.flatMap((condition) => condition.missingKeys(context))];
}

/**
 * Keys of the context that the policies' answers about an action depend on. When there are none, an answer may be
 * kept by action and resource until the policies change; otherwise until these values do.
 */
export const contextKeysFor = (policies: readonly CompiledPolicy[], action: string): readonly string[] => [
  ...new Set(policies.flatMap((policy) => policy.statementsFor(action).contextKeys)),
];
