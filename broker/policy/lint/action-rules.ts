import { didYouMean } from "fleetrig/kernel";
import { ActionMatch } from "../action-match.js";
import { POLICY_ACTIONS } from "../actions.js";
import type { PolicyStatement, PolicyText } from "../document.js";
import { type ArnPattern, arnsOf } from "./arn.js";
import { perStatement, type Remark } from "./finding.js";

type StatementRemark = Omit<Remark, "statement">;

const KNOWN = [...POLICY_ACTIONS.keys()];

/** Known actions that one pattern of a statement is about. */
export const actionsOf = (pattern: PolicyText): readonly string[] => {
  const match = new ActionMatch({ isNegated: false, patterns: [pattern], at: pattern });
  return KNOWN.filter((action) => match.applies(action));
};

/** Actions that no policy of a device decides: misspelt, or of another service, or for IAM policies. */
export const unknownActions = perStatement(function* ({ action }) {
  for (const pattern of action.patterns) {
    if (actionsOf(pattern).length > 0) continue;
    yield {
      code: "unknown-action",
      severity: "error",
      at: pattern,
      message: `${pattern.text} is no action that AWS IoT policies decide.`,
      fix:
        didYouMean(pattern.text, KNOWN) ??
        "Control-plane actions and those of other services belong into IAM policies.",
    };
  }
});

/** `*` and `iot:*`, and statements about everything but something. */
export const broadActions = perStatement(function* ({ action, resource, effect }) {
  if (effect === "Deny") return;
  for (const { isNegated, at, name } of [
    { ...action, name: "NotAction" },
    { ...resource, name: "NotResource" },
  ]) {
    if (!isNegated) continue;
    yield {
      code: "allow-all-but",
      severity: "warning",
      at,
      message: `Allow with ${name} allows everything else, also what is added later.`,
      fix: `Name what is allowed, and put what is not into a Deny.`,
    };
  }
  if (action.isNegated) return;
  for (const pattern of action.patterns) {
    if (!/^(?:iot:)?\*+$/i.test(pattern.text)) continue;
    yield {
      code: "broad-action",
      severity: "warning",
      at: pattern,
      message: `${pattern.text} allows every action, also connecting under every name and reading every message.`,
      fix: "Name the actions: iot:Connect, iot:Publish, iot:Subscribe, iot:Receive.",
    };
  }
});

/** Actions on resources that they are not decided on: such a grant grants nothing (REF §10.1). */
export const resourceKinds = perStatement(function* (statement, { document }) {
  const { action, resource } = statement;
  if (action.isNegated || resource.isNegated) return;
  const arns = arnsOf(statement, document.version);
  const named = arns.filter(({ kind }) => kind !== undefined);
  const isOpen = named.length < arns.length;
  const reported = new Set<ArnPattern>();
  for (const pattern of action.patterns) {
    const kinds = kindsOf(pattern);
    if (
      isOpen ||
      kinds.length === 0 ||
      kinds.includes("*") ||
      named.some(({ kind }) => kinds.includes(kind!))
    )
      continue;
    const wrong = named.find(({ kind }) => ALL_KINDS.has(kind!));
    if (wrong === undefined) continue;
    reported.add(wrong);
    yield mismatch(statement, pattern.text, { wrong, kinds, severity: "error" });
  }
  const used = new Set(action.patterns.flatMap(kindsOf));
  if (used.size === 0) return;
  for (const wrong of named) {
    if (reported.has(wrong) || used.has(wrong.kind!) || !ALL_KINDS.has(wrong.kind!)) continue;
    const pattern = action.patterns.find((candidate) => kindsOf(candidate).length > 0)!;
    yield mismatch(statement, pattern.text, { wrong, kinds: kindsOf(pattern), severity: "warning" });
  }
});

const kindsOf = (pattern: PolicyText): readonly string[] => [
  ...new Set(actionsOf(pattern).flatMap((action) => POLICY_ACTIONS.get(action) ?? [])),
];

const ALL_KINDS: ReadonlySet<string> = new Set([...POLICY_ACTIONS.values()].flat());

interface Mismatch {
  readonly wrong: ArnPattern;
  readonly kinds: readonly string[];
  readonly severity: "error" | "warning";
}

function mismatch(
  statement: PolicyStatement,
  action: string,
  { wrong, kinds, severity }: Mismatch,
): StatementRemark {
  const name = action.toLowerCase();
  const isReceive = name === "iot:receive" && wrong.kind === "topicfilter";
  const isSubscribe = name === "iot:subscribe" && wrong.kind === "topic";
  const needed = kinds.map((kind) => `${kind}/`).join(" or ");
  const effect = statement.effect === "Allow" ? "grants" : "denies";
  const consequence = isReceive ? ": subscriptions succeed and no message ever arrives" : "";
  return {
    code: isReceive ? "receive-on-topicfilter" : isSubscribe ? "subscribe-on-topic" : "wrong-resource-kind",
    severity,
    at: wrong.at,
    message: `${action} is decided on ${needed}, so on ${wrong.kind}/ it ${effect} nothing${consequence}.`,
    fix: kinds.includes("*")
      ? 'Write "*".'
      : `Write ${wrong.text.replace(`:${wrong.kind}/`, () => `:${kinds[0]}/`)}.`,
  };
}
