import { didYouMean } from "fleetrig/kernel";
import { type ArnPattern, arnsOf, hasMqttWildcard, hasRun } from "./arn.js";
import { perStatement, type Remark } from "./finding.js";

type StatementRemark = Omit<Remark, "statement">;

/** Kinds of resources that ARNs of policies name. */
const KINDS = ["client", "topic", "topicfilter", "thing", "rolealias", "command"];

/** ARNs that are none: too few parts, words of a template left in, an unknown kind. */
export const arnShapes = perStatement(function* (statement, { document }) {
  for (const arn of arnsOf(statement, document.version)) {
    if (arn.text !== "*") yield* shapeOf(arn);
  }
});

function* shapeOf(arn: ArnPattern): Iterable<StatementRemark> {
  const { at, text, fields, kind, name } = arn;
  const say = (code: string, message: string, fix: string): StatementRemark => ({
    code,
    severity: "error",
    at,
    message,
    fix,
  });
  if (fields === undefined) {
    if (text.endsWith("*")) return;
    yield say(
      "wrong-arn",
      `${text} is no ARN: six parts are needed.`,
      "Write arn:aws:iot:<region>:<account>:topic/<topic>.",
    );
    return;
  }
  const [partition, service, region, account] = fields;
  const placeholder = [region, account, name].find((part) => PLACEHOLDER.test(part));
  if (placeholder !== undefined) {
    yield say(
      "placeholder",
      `${placeholder} in ${text} is a placeholder that was never filled in.`,
      "Write your region and your account's 12 digits.",
    );
  } else if (!/^aws[a-z-]*$/.test(partition) && !/[*?]/.test(partition)) {
    yield say("wrong-arn", `There is no partition ${partition} (${text}).`, "Write arn:aws:...");
  } else if (service !== "iot" && service !== "greengrass" && !/[*?]/.test(service)) {
    yield say(
      "wrong-arn",
      `${text} is a resource of ${service || "no service"}, not of iot.`,
      "Write arn:aws:iot:...",
    );
  } else if (!/^[a-z]{2,}(?:-[a-z]+)+-\d{1,2}$/.test(region) && !/[*?$]/.test(region)) {
    yield say(
      "wrong-arn",
      `${region === "" ? "No region" : `"${region}"`} is no region (${text}).`,
      "Write a region such as us-east-1, or *.",
    );
  } else if (!/^\d{12}$/.test(account) && !/[*?$]/.test(account)) {
    yield say(
      "wrong-arn",
      `${account === "" ? "Nothing" : `"${account}"`} is no account (${text}).`,
      "Write the 12 digits of the account.",
    );
  } else if (kind !== undefined && !KINDS.includes(kind)) {
    yield say(
      "wrong-arn",
      `There are no resources ${kind}/ that policies decide on (${text}).`,
      didYouMean(kind, KINDS) ?? `Write one of ${KINDS.join(", ")}.`,
    );
  } else if (kind !== undefined && name === "") {
    yield say("wrong-arn", `${text} names no ${kind}.`, `Write ${kind}/ and a name or pattern.`);
  }
}

/** Words that tutorials leave to be replaced. */
const PLACEHOLDER =
  /^(?:<.*>|\{\{.*\}\}|\[.*\]|x{4,}|(?:your|my)?[-_ ]?(?:aws[-_ ]?)?(?:account|region)[-_ ]?(?:id|number|name)?)$|<[a-z_ -]+>|\{\{[^}]*\}\}/i;

/** `+` and `#` are letters in policies (REF §10.2): where they can never be, and where they are taken for wildcards. */
export const mqttWildcards = perStatement(function* (statement, { document: { version } }) {
  for (const arn of arnsOf(statement, version)) {
    if (!hasMqttWildcard(arn, version)) continue;
    const isDeny = statement.effect === "Deny";
    const isTopic = arn.kind === "topic";
    if (isDeny && (isTopic || arn.kind === "topicfilter")) yield inDeny(arn);
    else if (isTopic) yield inTopic(arn);
    else if (arn.kind === "topicfilter" && hasRun(arn, version)) yield mixed(arn);
  }
});

const asPolicyWildcard = ({ text }: ArnPattern): string => text.replace(/\/#/g, "/*").replace(/[+#]/g, "*");

/** Device Defender: POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT. */
const inDeny = (arn: ArnPattern): StatementRemark => ({
  code: "mqtt-wildcard-in-deny",
  severity: "warning",
  at: arn.at,
  message: `Policies take + and # for letters, so this denies only the text ${arn.name} itself.`,
  fix: `Write ${asPolicyWildcard(arn)}, and deny iot:Receive on the topics.`,
});

const inTopic = (arn: ArnPattern): StatementRemark => ({
  code: "mqtt-wildcard-in-topic",
  severity: "error",
  at: arn.at,
  message: `Topics never have + or #, so ${arn.name} stands for no topic.`,
  fix: `Write ${asPolicyWildcard(arn)}.`,
});

const mixed = (arn: ArnPattern): StatementRemark => ({
  code: "mixed-wildcards",
  severity: "warning",
  at: arn.at,
  message: `In ${arn.name}, * stands for any characters, also for /, + and #, while + and # stand for themselves.`,
  fix: "Write the filter as devices subscribe to it, with + and # only, or end it with *.",
});

/** Grants of every topic. */
export const broadResources = perStatement(function* (statement, { document: { version } }) {
  if (statement.effect === "Deny" || statement.resource.isNegated) return;
  if (!statement.action.isNegated && statement.action.patterns.every(({ text }) => NEEDS_ALL.test(text)))
    return;
  for (const arn of arnsOf(statement, version)) {
    if (!isBroad(arn)) continue;
    yield {
      code: "broad-resource",
      severity: "warning",
      at: arn.at,
      message: `${arn.text} stands for every ${arn.kind ?? "resource"}, also for those of other devices and of $aws.`,
      fix: "Name the device's own topics, e.g. topic/devices/${iot:Connection.Thing.ThingName}/*.",
    };
  }
});

/** Decided on `*` only, or a matter of `client-id-wildcard`. */
const NEEDS_ALL = /^iot:(?:ListRetainedMessages|ListNamedShadowsForThing|Connect)$/i;

function isBroad({ text, fields, kind, name }: ArnPattern): boolean {
  if (fields === undefined) return text.endsWith("*");
  return kind === undefined ? /:[^:/]*\*(?:\/\*+)?$/.test(text) : kind !== "client" && /^\*+$/.test(name);
}
