import { nearestName } from "fleetrig/kernel";
import { type AuthorizationRequest, type DenyReason, textOf } from "./authorization.js";
import type { CompiledPolicy, CompiledStatement } from "./compile.js";

/** Why no Allow applies: the one that fails latest on the way from action to resource to conditions. */
export function nearestReason(
  policies: readonly CompiledPolicy[],
  request: AuthorizationRequest,
): DenyReason {
  if (policies.length === 0) return { kind: "noPolicies" };
  const allows = policies.flatMap(({ statements }) => statements.filter(({ effect }) => effect === "Allow"));
  const about = allows.filter((statement) => statement.isAbout(request.action));
  if (about.length === 0) {
    const actions = allows.flatMap(({ action }) => (action.isNegated ? [] : action.patterns));
    return { kind: "action", nearestAction: nearestName(request.action, actions) };
  }
  return conditionReason(about, request) ?? variableReason(about, request) ?? resourceReason(about, request);
}

function conditionReason(
  statements: readonly CompiledStatement[],
  { resource, context }: AuthorizationRequest,
): DenyReason | undefined {
  for (const statement of statements) {
    if (!statement.resource.applies(resource, context)) continue;
    const failed = statement.conditions.find((condition) => !condition.holds(context));
    if (failed === undefined) continue;
    const { operator, key, expected } = failed;
    const actual = context.value(key);
    return { kind: "condition", statement: statement.name, operator: operator.name, key, expected, actual };
  }
  return undefined;
}

/** Only variables in patterns that are for resources of the same kind could have made a difference. */
function variableReason(
  statements: readonly CompiledStatement[],
  { resource, context }: AuthorizationRequest,
): DenyReason | undefined {
  for (const { name, resource: match } of statements) {
    for (const pattern of match.patterns) {
      const key = pattern.missingKey(resource, context);
      if (key === undefined) continue;
      return { kind: "variable", statement: name, pattern: pattern.text, key, value: textOf(context, key) };
    }
  }
  return undefined;
}

/** The pattern that agrees with the resource the longest. */
function resourceReason(
  statements: readonly CompiledStatement[],
  { resource, context }: AuthorizationRequest,
): DenyReason {
  const candidates = statements.flatMap(({ name, resource: match }) =>
    match.patterns.map((pattern) => ({
      statement: name,
      isNegated: match.isNegated,
      pattern: pattern.shownText(context),
      agrees: agreement(pattern.shownText(context), resource),
    })),
  );
  const { statement, pattern, isNegated } = candidates.reduce((best, next) =>
    next.agrees > best.agrees ? next : best,
  );
  return { kind: "resource", statement, pattern, isNegated };
}

/** Characters at the beginning that two texts share. */
function agreement(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
