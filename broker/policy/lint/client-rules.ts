import { attributeOf, canonicalKey } from "../context-keys.js";
import type { PolicyDocument, PolicyStatement, PolicyVersion } from "../document.js";
import { parseBoolean } from "../operand.js";
import { variablesOf } from "../pattern.js";
import { actionsOf } from "./action-rules.js";
import { type ArnPattern, arnsOf, hasRun, piecesOf } from "./arn.js";
import type { LintRule, Remark } from "./finding.js";

/**
 * A client that may choose its identifier may be anyone: it takes over the connections of others, and `${iot:ClientId}`
 * in topics stands for whatever it likes, `+` and `#` included (REF §10.3).
 */
export const clientIdentifiers: LintRule = function* ({ document }): Iterable<Remark> {
  const open = document.statements.flatMap((statement) =>
    openClients(statement, document.version).map((arn) => ({ statement, arn })),
  );
  for (const { statement, arn } of open) {
    const isAny = arn.kind === undefined || /^\*+$/.test(arn.name);
    yield {
      code: "client-id-wildcard",
      severity: "warning",
      statement,
      at: arn.at,
      message: isAny
        ? "Any client identifier may connect, so one device can take over the connection of every other."
        : `Every client identifier like ${arn.name} may connect, so devices can take over each other's connections.`,
      fix: "Write client/${iot:Connection.Thing.ThingName}, or require iot:Connection.Thing.IsAttached.",
    };
  }
  if (open.length > 0) yield* unpinned(document);
};

function openClients(statement: PolicyStatement, version: PolicyVersion): readonly ArnPattern[] {
  if (!isAllowOf(statement, "iot:Connect") || statement.resource.isNegated || isPinned(statement)) return [];
  return arnsOf(statement, version).filter((arn) =>
    arn.kind === undefined ? arn.text.endsWith("*") : arn.kind === "client" && hasRun(arn, version),
  );
}

function isAllowOf({ effect, action }: PolicyStatement, name: string): boolean {
  if (effect === "Deny" || action.isNegated) return false;
  return action.patterns.some((pattern) => actionsOf(pattern).includes(name));
}

/** Conditions after which the identifier is the name of the principal's own thing, or one that it cannot choose. */
const isPinned = ({ conditions }: PolicyStatement): boolean =>
  conditions.some(({ operator, key, values }) => {
    if (operator.isNegated || operator.isIfExists) return false;
    const name = canonicalKey(key.text);
    if (name === "iot:ClientId") return true;
    const isAttached =
      name === "iot:Connection.Thing.IsAttached" && values.every(({ text }) => parseBoolean(text) === true);
    return isAttached || name === "iot:Connection.Thing.ThingName" || attributeOf(name) !== undefined;
  });

function* unpinned({ statements, version }: PolicyDocument): Iterable<Remark> {
  for (const statement of statements) {
    if (statement.effect === "Deny") continue;
    for (const arn of arnsOf(statement, version)) {
      if (arn.kind === "client" || !variablesOf(piecesOf(arn.text, version)).includes("iot:ClientId"))
        continue;
      yield {
        code: "unpinned-client-id",
        severity: "warning",
        statement,
        at: arn.at,
        message:
          "Clients choose their identifiers, so ${iot:ClientId} in this resource protects nobody's topics.",
        fix: "Pin identifiers in iot:Connect, or write ${iot:Connection.Thing.ThingName}.",
      };
    }
  }
}
