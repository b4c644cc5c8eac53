import { authorizationContext } from "../authorization-context.js";
import type { PolicyContext } from "../authorization.js";
import { type CompiledPolicy, compilePolicy } from "../compile.js";
import type { PolicyDocument, PolicyStatement } from "../document.js";
import { evaluatePolicies, isAllowed } from "../evaluate.js";
import { ANY_RUN, mergePieces, type PatternPiece, patternText } from "../pattern.js";
import { actionsOf } from "./action-rules.js";
import { type ArnPattern, arnsOf, overlap, piecesOf } from "./arn.js";
import type { LintRule, Remark } from "./finding.js";

interface Place {
  readonly statement: PolicyStatement;
  readonly arn: ArnPattern;
}

/** Resources of statements about an action. */
function placesOf(
  { statements, version }: PolicyDocument,
  effect: "Allow" | "Deny",
  action: string,
): readonly Place[] {
  return statements
    .filter(
      (statement) =>
        statement.effect === effect && !statement.resource.isNegated && !statement.action.isNegated,
    )
    .filter((statement) => statement.action.patterns.some((pattern) => actionsOf(pattern).includes(action)))
    .flatMap((statement) => arnsOf(statement, version).map((arn) => ({ statement, arn })));
}

/** Every message is judged by iot:Receive, and one that is not allowed is dropped without a word (REF §10.4). */
export const missingReceive: LintRule = function* ({ document }): Iterable<Remark> {
  if (document.statements.some(({ action, effect }) => effect === "Allow" && action.isNegated)) return;
  const received = placesOf(document, "Allow", "iot:Receive").map(({ arn }) => arn.pieces);
  const hasNotResource = document.statements.some(
    ({ effect, resource }) => effect === "Allow" && resource.isNegated,
  );
  for (const { statement, arn } of placesOf(document, "Allow", "iot:Subscribe")) {
    if (arn.kind !== "topicfilter" && arn.kind !== undefined) continue;
    const topics = topicsOf(arn, document);
    if (hasNotResource || received.some((pieces) => overlap(pieces, topics))) continue;
    yield {
      code: "missing-receive",
      severity: "warning",
      statement,
      at: arn.at,
      message: `iot:Subscribe allows ${arn.name || arn.text}, but no iot:Receive allows its messages: they are dropped in silence.`,
      fix: `Allow iot:Receive on ${patternText(topics)}.`,
    };
  }
};

/** The topics of a filter, as a policy has them: `topicfilter/a/+/#` is `topic/a/*`. */
function topicsOf({ text, kind }: ArnPattern, { version }: PolicyDocument): readonly PatternPiece[] {
  if (kind === undefined) return piecesOf(text, version);
  const topic = text.replace(":topicfilter/", ":topic/").replace(/:topic\/\$share\/[^/]+\//, ":topic/");
  const pieces = piecesOf(topic, version).flatMap((piece): readonly PatternPiece[] =>
    typeof piece === "string" ? openLevels(piece) : [piece],
  );
  return mergePieces(pieces);
}

const openLevels = (text: string): readonly PatternPiece[] =>
  text
    .split(/[+#]/)
    .flatMap((part, index): readonly PatternPiece[] => (index === 0 ? [part] : [ANY_RUN, part]))
    .filter((piece) => piece !== "");

/**
 * Replies of shadows and jobs come to whoever asks by iot:Publish; a client that may not is disconnected at its first
 * request (REF §10.1, §10.4).
 */
export const missingRequests: LintRule = function* ({ document }): Iterable<Remark> {
  if (document.statements.some(({ action, resource }) => action.isNegated || resource.isNegated)) return;
  const published = placesOf(document, "Allow", "iot:Publish").map(({ arn }) => arn.pieces);
  for (const { statement, arn } of placesOf(document, "Allow", "iot:Subscribe")) {
    const service = REPLIES.exec(arn.name);
    if (arn.kind !== "topicfilter" || service === null) continue;
    const prefix = arn.text.slice(0, arn.text.length - arn.name.length).replace(":topicfilter/", ":topic/");
    const requests = `${prefix}${service[1]!.replace("+", "*")}*`;
    if (published.some((pieces) => overlap(pieces, piecesOf(requests, document.version)))) continue;
    yield {
      code: "missing-request",
      severity: "warning",
      statement,
      at: arn.at,
      message: `iot:Subscribe allows the replies on ${arn.name}, but no iot:Publish allows the requests: the first one ends the connection.`,
      fix: `Allow iot:Publish on ${requests}.`,
    };
  }
};

/** Filters that replies match, with what is before the request's name: not those of notifications and deltas alone. */
const REPLIES = /^(\$aws\/things\/[^/]+\/(?:shadow|jobs)\/)(?:.*(?:accepted|rejected)|[^/]*[#*+].*)$/;

/**
 * Device Defender: TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS. A Deny is about the text of a filter, so
 * filters with MQTT wildcards that reach the same topics get around it where an Allow has them.
 */
export const bypassedDenies: LintRule = function* ({ document }): Iterable<Remark> {
  const policy = compilePolicy(document, "lint");
  for (const { statement, arn } of placesOf(document, "Deny", "iot:Subscribe")) {
    if (arn.kind !== "topicfilter") continue;
    const filter = bypassOf(arn, policy);
    if (filter === undefined) continue;
    yield {
      code: "bypassed-deny",
      severity: "warning",
      statement,
      at: arn.at,
      message: `A client may subscribe to ${filter} and so gets what ${arn.name} is to keep from it.`,
      fix: `Deny iot:Receive on ${arn.text.replace(":topicfilter/", ":topic/").replace(/\/#$/, "/*").replace(/[+#]/g, "*")} too: that is judged by topic.`,
    };
  }
};

/** Levels of which filters are made; more make no difference to the kinds of mistakes there are. */
const MAX_LEVELS = 8;

/** A filter with MQTT wildcards that is allowed and reaches a denied topic whose messages are not denied. */
function bypassOf(arn: ArnPattern, policy: CompiledPolicy): string | undefined {
  const prefix = sampled(arn.text.slice(0, arn.text.length - arn.name.length));
  const levels = sampled(arn.name.replace(/[#+]/g, "*")).split("/").slice(0, MAX_LEVELS);
  const topic = `${prefix.replace(":topicfilter/", ":topic/")}${levels.join("/")}`;
  if (!isAllowed([policy], { action: "iot:Receive", resource: topic, context: SAMPLE_CONTEXT }))
    return undefined;
  return filtersFor(levels).find((filter) => {
    const request = { action: "iot:Subscribe", resource: prefix + filter, context: SAMPLE_CONTEXT };
    return evaluatePolicies([policy], request).outcome === "allowed";
  });
}

/** Filters that reach a topic: from its ancestors down, then with single levels open. */
function filtersFor(levels: readonly string[]): readonly string[] {
  const above = levels.map((_, depth) => [...levels.slice(0, depth), "#"].join("/"));
  const beside = levels.map((_, open) =>
    levels.map((level, index) => (index === open ? "+" : level)).join("/"),
  );
  return [...above.reverse(), ...beside, levels.map(() => "+").join("/")];
}

const SAMPLE = "fleetrig";

/** A text that a pattern stands for. */
const sampled = (text: string): string =>
  text
    .replace(/\$\{[^}]*\}/g, SAMPLE)
    .replace(/\*/g, SAMPLE)
    .replace(/\?/g, "x");

/** A client for whom every variable has a value. */
const SAMPLE_CONTEXT: PolicyContext = {
  value: (key) =>
    authorizationContext({
      clientId: SAMPLE,
      thing: { thingName: SAMPLE, thingTypeName: SAMPLE, attributes: new Map(), isAttached: true },
    }).value(key) ?? SAMPLE,
};
