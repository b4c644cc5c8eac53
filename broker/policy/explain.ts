import type { AuthorizationDecision, DenyReason, MatchedStatement, StatementName } from "./authorization.js";
import { resourceKindOf } from "./actions.js";

/** A decision in one sentence, for logs and people. */
export function explainDecision(decision: AuthorizationDecision): string {
  const { outcome, action, resource, matched, reason } = decision;
  const request = `${action} on ${resource}`;
  if (outcome === "allowed") return `${request} is allowed by ${listed(matched, "Allow")}.`;
  if (outcome === "explicitDeny") return `${request} is denied by ${listed(matched, "Deny")}.`;
  return `${request} is not allowed: ${reason === undefined ? "nothing allows it" : reasonText(reason, decision)}.`;
}

const listed = (matched: readonly MatchedStatement[], effect: "Allow" | "Deny"): string =>
  matched
    .filter((statement) => statement.effect === effect)
    .map(statementText)
    .join(" and ");

/** `statement 0 ("Publish") of policy p`. */
function statementText({ policyName, index, sid }: StatementName): string {
  return `statement ${index}${sid === undefined ? "" : ` (${JSON.stringify(sid)})`} of policy ${policyName}`;
}

function reasonText(reason: DenyReason, { action, resource }: AuthorizationDecision): string {
  switch (reason.kind) {
    case "noPolicies":
      return "no policy is attached";
    case "action": {
      const near = reason.nearestAction === undefined ? "" : `; the nearest is ${reason.nearestAction}`;
      return `no statement allows ${action}${near}`;
    }
    case "resource":
      return `${statementText(reason.statement)} ${resourceText(reason, action, resource)}`;
    case "variable": {
      const why =
        reason.value === undefined
          ? "has no value"
          : `has the value ${JSON.stringify(reason.value)}, which may not stand there`;
      return `\${${reason.key}} in ${reason.pattern} of ${statementText(reason.statement)} ${why}`;
    }
    case "condition":
      return `${statementText(reason.statement)} asks for ${conditionText(reason)}`;
  }
}

type ResourceReason = Extract<DenyReason, { kind: "resource" }>;

function resourceText({ pattern, isNegated }: ResourceReason, action: string, resource: string): string {
  if (isNegated) return `excludes ${pattern}`;
  const expected = resourceKindOf(resource);
  const written = resourceKindOf(pattern);
  const isOtherKind =
    expected !== undefined && written !== undefined && expected !== written && !/[*?$]/.test(written);
  const why = isOtherKind ? `, but ${action} is decided on ${expected}/` : "";
  return `comes nearest with ${pattern}${why}`;
}

function conditionText({
  operator,
  key,
  expected,
  actual,
}: Extract<DenyReason, { kind: "condition" }>): string {
  const has = actual === undefined ? "has no value" : `is ${JSON.stringify(actual)}`;
  return `${operator} ${JSON.stringify(expected)} of ${key}, which ${has}`;
}
