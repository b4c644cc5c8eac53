import type { Random } from "fleetrig/kernel";
import type { OracleContext, OraclePolicy, OracleStatement } from "./oracle.js";

/** Policies and requests that have something to do with each other: most patterns are made from what is asked for. */
export interface RandomRequest {
  readonly action: string;
  readonly resource: string;
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;
const some = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: 1 + random.below(most) }, make);

const ARN = "arn:aws:iot:r:1:";
const LEVELS = ["a", "b", "ab", "aab", "+", "#", "*", "?", "$", "", "ä", "😀", "x:y", "${a}", "$aws"];
const ACTIONS = [
  "iot:Connect",
  "iot:Publish",
  "iot:Subscribe",
  "iot:Receive",
  "iot:UpdateJobExecution",
] as const;
const KINDS = ["topic/", "topicfilter/", "client/", "thing/"];

export function randomRequest(random: Random): RandomRequest {
  return { action: pick(random, ACTIONS), resource: ARN + pick(random, KINDS) + randomTopic(random) };
}

const randomTopic = (random: Random): string => some(random, 4, () => pick(random, LEVELS)).join("/");

const IDENTIFIERS = [
  "a",
  "ab",
  "+",
  "#",
  "*",
  "?",
  "a/b",
  "",
  "${iot:ClientId}",
  "$",
  "aab",
  "ä",
  "😀",
  "true",
  "5",
  "x:y",
];

/** Contexts lack values about as often as clients do. */
export function randomContext(random: Random): OracleContext {
  const context = new Map<string, string | readonly string[]>();
  const put = (probability: number, key: string, value: () => string | readonly string[]): void => {
    if (random.chance(probability)) context.set(key, value());
  };
  const texts = () => Array.from({ length: random.below(4) }, () => pick(random, IDENTIFIERS));
  put(0.9, "iot:ClientId", () => pick(random, IDENTIFIERS));
  put(0.6, "iot:Connection.Thing.ThingName", () => pick(random, IDENTIFIERS));
  put(0.7, "iot:Connection.Thing.IsAttached", () => pick(random, ["true", "false"]));
  put(0.4, "iot:Connection.Thing.Attributes[x]", () => pick(random, [...IDENTIFIERS, ...ARNS]));
  put(0.4, "iot:ConnectAttributes", texts);
  put(0.4, "iot:Certificate.Subject.CommonName", () => pick(random, IDENTIFIERS));
  put(0.4, "iot:Certificate.Subject.Organization.List", texts);
  put(0.7, "aws:SourceIp", () => pick(random, ADDRESSES));
  put(0.5, "aws:EpochTime", () => pick(random, NUMBERS));
  return context;
}

const ARNS = ["arn:a:b:c:d:x:y", "arn:a:b:c:d:x", "arn:x:iot:a:b:c/d", "arn:x:y"];
const ADDRESSES = ["10.0.0.1", "10.0.1.1", "::1", "2001:db8::5", "::ffff:10.0.0.1", "not an address"];
const RANGES = [
  "10.0.0.0/24",
  "10.0.0.1",
  "0.0.0.0/0",
  "::/0",
  "2001:db8::/32",
  "::1/128",
  "10.0.0.0/33",
  "10.0.0.0/23",
];
const NUMBERS = ["5", "-1", "5.0", "1700000000", "0", "5e0"];
const DATES = [
  "2023-11-14T22:13:20Z",
  "1700000000",
  "2023-11-14",
  "1970-01-01T00:00:05Z",
  "2023-11-14T23:13:20+01:00",
  "no",
];
const VARIABLES = [
  "${iot:ClientId}",
  "${IOT:clientid}",
  "${iot:Connection.Thing.ThingName}",
  "${iot:connection.thing.Attributes[x]}",
  "${iot:Connection.Thing.Attributes[X]}",
  "${iot:Certificate.Subject.CommonName}",
  "${iot:Certificate.Subject.Organization.List}",
  "${nobody:Knows}",
  "${*}",
  "${?}",
  "${$}",
  "${",
  "}",
];

export function randomPolicies(
  random: Random,
  requests: readonly RandomRequest[],
  context: OracleContext,
): OraclePolicy[] {
  return some(random, 2, () => {
    const statements = some(random, 3, () => randomStatement(random, pick(random, requests), context));
    const version = pick(random, ["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", undefined]);
    const Statement = statements.length === 1 && random.chance(0.5) ? statements[0]! : statements;
    return version === undefined ? { Statement } : { Version: version, Statement };
  });
}

function randomStatement(
  random: Random,
  { action, resource }: RandomRequest,
  context: OracleContext,
): OracleStatement {
  const actions = some(random, 2, () => randomAction(random, action));
  const resources = some(random, 3, () => randomPattern(random, resource, context));
  return {
    Effect: random.chance(0.7) ? "Allow" : "Deny",
    ...(random.chance(0.9) ? { Action: one(random, actions) } : { NotAction: actions }),
    ...(random.chance(0.8) ? { Resource: one(random, resources) } : { NotResource: resources }),
    ...(random.chance(0.5) ? { Condition: randomConditions(random, context) } : {}),
  };
}

const one = (random: Random, texts: string[]): string | string[] =>
  texts.length === 1 && random.chance(0.5) ? texts[0]! : texts;

function randomAction(random: Random, action: string): string {
  const other = pick(random, ACTIONS);
  const shouted = action.toUpperCase();
  const jobs = "iotjobsdata:UpdateJobExecution";
  return pick(random, [
    action,
    action,
    other,
    "iot:*",
    "*",
    shouted,
    "iot:?ubscribe",
    "IOT:*e*",
    jobs,
    "iotjobsdata:*",
  ]);
}

/** A resource with pieces replaced: by wildcards, by variables that may have just this value, by anything. */
function randomPattern(random: Random, resource: string, context: OracleContext): string {
  if (random.chance(0.05)) return "*";
  let tail = resource.slice(ARN.length);
  for (let edits = random.below(4); edits > 0; edits -= 1) tail = edited(random, tail, context);
  return random.chance(0.1) ? `arn:*${tail}` : ARN + tail;
}

function edited(random: Random, text: string, context: OracleContext): string {
  const key = pick(random, ["iot:ClientId", "iot:Certificate.Subject.CommonName"]);
  const value = context.get(key);
  if (typeof value === "string" && value !== "" && text.includes(value) && random.chance(0.7)) {
    return text.replace(value, () => `\${${key}}`);
  }
  const chars = Array.from(text);
  const from = random.below(chars.length + 1);
  const removed = random.below(Math.min(4, chars.length - from + 1));
  const inserted = random.chance(0.2)
    ? ""
    : pick(random, ["*", "*", "?", "?", "??", "**", "*?", "a", ...VARIABLES]);
  return [...chars.slice(0, from), inserted, ...chars.slice(from + removed)].join("");
}

const FAMILIES: readonly (readonly [operators: readonly string[], values: readonly string[]])[] = [
  [
    ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
    ["A", ...IDENTIFIERS, ...VARIABLES],
  ],
  [
    ["StringLike", "StringNotLike"],
    ["*", "a*", "?", "*b", "a*b*", "*?", "*a?", "*?b", "${*}", ...IDENTIFIERS, ...VARIABLES],
  ],
  [
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map(
      (end) => `Numeric${end}`,
    ),
    [...NUMBERS, "many", "${iot:ClientId}"],
  ],
  [
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map(
      (end) => `Date${end}`,
    ),
    [...DATES, "${iot:ClientId}"],
  ],
  [["Bool"], ["true", "false", "True", "perhaps", "${iot:ClientId}"]],
  [
    ["IpAddress", "NotIpAddress"],
    [...RANGES, "10.0.0.${iot:ClientId}"],
  ],
  [
    ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    [
      "*",
      "arn:*:iot:*:*:*",
      "arn:a:b:c:d:x:*",
      "arn:a:b:c:*:x",
      "arn:a:b:c:d:x",
      "arn:a:b:c:d:x:y",
      "arn:a:b:c:d:*y",
      "arn:a:b:c:d:x:${iot:ClientId}",
      "arn:*",
    ],
  ],
  [["Null"], ["true", "false"]],
];

const KEYS = [
  "iot:ClientId",
  "iot:clientid",
  "iot:Connection.Thing.ThingName",
  "iot:Connection.Thing.IsAttached",
  "iot:Connection.Thing.Attributes[x]",
  "iot:ConnectAttributes",
  "iot:Certificate.Subject.Organization.List",
  "aws:SourceIp",
  "aws:EpochTime",
];

const LIKELY_KEYS: Readonly<Record<string, string>> = {
  I: "aws:SourceIp",
  D: "aws:EpochTime",
  B: "iot:Connection.Thing.IsAttached",
  A: "iot:Connection.Thing.Attributes[x]",
};

function randomConditions(random: Random, context: OracleContext): NonNullable<OracleStatement["Condition"]> {
  const operators = some(random, 2, () => {
    const [names, values] = pick(random, FAMILIES);
    const name = pick(random, names);
    const keys = some(random, 2, () => {
      const likely = LIKELY_KEYS[name[0]!];
      const key = likely !== undefined && random.chance(0.6) ? likely : pick(random, KEYS);
      const actual = context.get(key);
      const known = typeof actual === "string" && random.chance(0.3) ? [actual] : [];
      const expected = [...known, ...Array.from({ length: random.below(3) }, () => pick(random, values))];
      return [key, expected.length === 1 && random.chance(0.5) ? expected[0]! : expected] as const;
    });
    return [operatorName(random, name), Object.fromEntries(keys)] as const;
  });
  return Object.fromEntries(operators);
}

function operatorName(random: Random, name: string): string {
  if (name === "Null") return name;
  const set = pick(random, ["", "", "ForAnyValue:", "ForAllValues:"]);
  return `${set}${name}${random.chance(0.2) ? "IfExists" : ""}`;
}
