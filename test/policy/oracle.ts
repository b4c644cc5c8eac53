/**
 * The rules of policies once more, slowly and another way: raw JSON instead of a checked document, patterns as regular
 * expressions, conditions as sets of booleans. It shares nothing with broker/policy but the rules (REF §10).
 */
export interface OraclePolicy {
  readonly Version?: string;
  readonly Statement: OracleStatement | readonly OracleStatement[];
}

type Texts = string | readonly string[];
type Scalar = string | number | boolean;

export interface OracleStatement {
  readonly Effect: string;
  readonly Action?: Texts;
  readonly NotAction?: Texts;
  readonly Resource?: Texts;
  readonly NotResource?: Texts;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Scalar | readonly Scalar[]>>>>;
}

export type OracleContext = ReadonlyMap<string, Texts>;

export interface OracleVerdict {
  readonly outcome: "allowed" | "explicitDeny" | "implicitDeny";
  /** `policy.statement`, counted from 0. */
  readonly matched: readonly string[];
  readonly missing: readonly string[];
}

interface Question {
  readonly action: string;
  readonly resource: string;
  readonly context: OracleContext;
  readonly version: string;
  readonly effect: string;
}

export function askOracle(
  policies: readonly OraclePolicy[],
  request: Pick<Question, "action" | "resource" | "context">,
): OracleVerdict {
  const matched: string[] = [];
  const effects = new Set<string>();
  const missing = new Set<string>();
  for (const [p, policy] of policies.entries()) {
    for (const [s, statement] of list(policy.Statement).entries()) {
      const question = { ...request, version: policy.Version ?? "2008-10-17", effect: statement.Effect };
      if (!isAbout(statement, request.action)) continue;
      for (const key of missedByResource(statement, question)) missing.add(key);
      if (!isOnResource(statement, question)) continue;
      for (const key of missedByConditions(statement, question)) missing.add(key);
      if (!conditionsHold(statement, question)) continue;
      matched.push(`${p}.${s}`);
      effects.add(statement.Effect);
    }
  }
  const outcome = effects.has("Deny") ? "explicitDeny" : effects.has("Allow") ? "allowed" : "implicitDeny";
  return { outcome, matched, missing: [...missing].sort() };
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Context keys are alike whatever their case, but attributes of things have names of their own. */
function lookUp(context: OracleContext, name: string): Texts | undefined {
  const fold = (key: string) => key.replace(/^[^[]*/, (before) => before.toLowerCase());
  for (const [key, value] of context) if (fold(key) === fold(name)) return value;
  return undefined;
}

function spelling(name: string): string {
  const known = KEYS.find((key) => key.toLowerCase() === name.toLowerCase());
  return known ?? name.replace(/^iot:connection\.thing\.attributes\[/i, "iot:Connection.Thing.Attributes[");
}

const KEYS = [
  "iot:ClientId",
  "iot:Connection.Thing.ThingName",
  "iot:Connection.Thing.IsAttached",
  "iot:ConnectAttributes",
  "iot:Certificate.Subject.CommonName",
  "iot:Certificate.Subject.Organization.List",
  "aws:SourceIp",
  "aws:EpochTime",
];

const quote = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A regular expression, or undefined when a variable stands for nothing. */
function regex(
  text: string,
  question: Question,
  { isGrant = false, wildcards = true, flags = "su" } = {},
): RegExp | undefined {
  let source = "";
  const tokens = /\$\{([^}]*)\}|[^]/gu;
  for (const [token, name] of text.matchAll(tokens)) {
    if (name !== undefined && question.version === "2012-10-17") {
      const value = /^[*?$]$/.test(name) ? name : variable(name, question, isGrant);
      if (value === undefined) return undefined;
      source += quote(value);
    } else if (name !== undefined) {
      for (const char of token) source += wild(char, wildcards);
    } else {
      source += wild(token, wildcards);
    }
  }
  const key = `${flags} ${source}`;
  const known = compiled.get(key) ?? new RegExp(`^(?:${source})$`, flags);
  if (compiled.size < 50_000) compiled.set(key, known);
  return known;
}

const compiled = new Map<string, RegExp>();

const wild = (char: string, wildcards: boolean) =>
  wildcards && char === "*" ? ".*" : wildcards && char === "?" ? "." : quote(char);

function variable(name: string, { context, resource }: Question, isGrant: boolean): string | undefined {
  const value = lookUp(context, name);
  if (typeof value !== "string") return undefined;
  if (!isGrant) return value;
  if (/:topicfilter\//.test(resource) && /[+#]/.test(value)) return undefined;
  return /^iot:certificate\./i.test(name) && /[*$+?#]|.{1025}/su.test(value) ? undefined : value;
}

function isAbout(statement: OracleStatement, action: string): boolean {
  const names = [action];
  const jobs =
    /^(iot|iotjobsdata):(DescribeJobExecution|GetPendingJobExecutions|StartNextPendingJobExecution|UpdateJobExecution)$/i;
  const job = jobs.exec(action);
  if (job !== null) names.push(`${job[1]!.toLowerCase() === "iot" ? "iotjobsdata" : "iot"}:${job[2]}`);
  const nothing: Question = { action, resource: "", context: new Map(), version: "2008-10-17", effect: "" };
  const hit = (patterns: Texts) =>
    list(patterns).some((pattern) =>
      names.some((name) => regex(pattern, nothing, { flags: "sui" })!.test(name)),
    );
  return statement.Action === undefined ? !hit(statement.NotAction!) : hit(statement.Action);
}

function isOnResource({ Resource, NotResource }: OracleStatement, question: Question): boolean {
  const isAllow = question.effect === "Allow";
  if (Resource !== undefined) {
    return list(Resource).some((text) =>
      regex(text, question, { isGrant: isAllow })?.test(question.resource),
    );
  }
  const patterns = list(NotResource).map((text) => regex(text, question));
  if (isAllow && patterns.includes(undefined)) return false;
  return !patterns.some((pattern) => pattern?.test(question.resource));
}

function variablesIn(text: string, { version }: Question): readonly string[] {
  if (version !== "2012-10-17") return [];
  return [...text.matchAll(/\$\{([^}]*)\}/g)]
    .map(([, name]) => name!)
    .filter((name) => !/^[*?$]$/.test(name));
}

function missedByResource({ Resource, NotResource }: OracleStatement, question: Question): readonly string[] {
  return list(Resource ?? NotResource)
    .flatMap((text) => variablesIn(text, question))
    .filter((name) => typeof lookUp(question.context, name) !== "string")
    .map((name) => spelling(name));
}

function missedByConditions({ Condition = {} }: OracleStatement, question: Question): readonly string[] {
  const missed: string[] = [];
  for (const [operator, keys] of Object.entries(Condition)) {
    if (operator === "Null") continue;
    for (const [key, values] of Object.entries(keys)) {
      if (!operator.endsWith("IfExists") && lookUp(question.context, key) === undefined) missed.push(key);
      const names = list(values).flatMap((value) => variablesIn(String(value), question));
      missed.push(...names.filter((name) => typeof lookUp(question.context, name) !== "string"));
    }
  }
  return missed.map((name) => spelling(name));
}

function conditionsHold({ Condition = {} }: OracleStatement, question: Question): boolean {
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => holds(operator, key, list(values).map(String), question)),
  );
}

function holds(operator: string, key: string, expected: readonly string[], question: Question): boolean {
  const found = lookUp(question.context, key);
  const actual = list(found);
  if (operator === "Null") {
    return expected.some((text) => text.toLowerCase() === String(actual.length === 0));
  }
  const quantifier = /^ForA(?:ny|ll)/.exec(operator)?.[0];
  const name = operator.replace(/^.*:/, "").replace(/IfExists$/, "");
  const isNot = name.includes("Not");
  if (actual.length === 0) {
    if (operator.endsWith("IfExists") || quantifier === "ForAll") return true;
    return quantifier === undefined && isNot;
  }
  const whenUnclear = isNot && question.effect === "Deny";
  const judge = (value: string): boolean => {
    const likes = new Set(expected.map((text) => like(name.replace("Not", ""), value, text, question)));
    if (likes.has(true)) return !isNot;
    return likes.has(undefined) ? whenUnclear : isNot;
  };
  if (quantifier === "ForAll") return actual.every(judge);
  if (quantifier === "ForAny") return actual.some(judge);
  return Array.isArray(found) ? whenUnclear : judge(actual[0]!);
}

function like(name: string, value: string, expected: string, question: Question): boolean | undefined {
  if (name === "StringEquals") return regex(expected, question, { wildcards: false })?.test(value);
  if (name === "StringEqualsIgnoreCase") {
    return regex(expected, question, { wildcards: false, flags: "sui" })?.test(value);
  }
  if (name === "StringLike") return regex(expected, question)?.test(value);
  const text = plain(expected, question);
  if (text === undefined) return undefined;
  if (name.startsWith("Arn")) return arnLike(value, expected, question);
  if (name === "Bool") return bool(value, text);
  if (name === "IpAddress") return ip(value, text);
  if (name.startsWith("Numeric")) return compared(name, numberOf(value), numberOf(text));
  return compared(name, dateOf(value), dateOf(text));
}

function plain(expected: string, question: Question): string | undefined {
  if (question.version !== "2012-10-17") return expected;
  let isWhole = true;
  const text = expected.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = /^[*?$]$/.test(name) ? name : variable(name, question, false);
    isWhole &&= value !== undefined;
    return value ?? "";
  });
  return isWhole ? text : undefined;
}

/** Six parts, none of them reaching over a colon but the last. */
function arnLike(value: string, expected: string, question: Question): boolean | undefined {
  if (value.split(":").length < 6) return undefined;
  if (/^\*+$/.test(expected)) return true;
  // Colons inside ${...} belong to the names of variables; a value with a colon stays in its part.
  const cut = splitOutside(expected);
  if (cut.length < 6) return undefined;
  const patterns = [...cut.slice(0, 5), cut.slice(5).join(":")].map((part) => regex(part, question));
  const values = value.split(":");
  const actual = [...values.slice(0, 5), values.slice(5).join(":")];
  return patterns.every((pattern, index) => pattern!.test(actual[index]!));
}

function splitOutside(text: string): readonly string[] {
  const variable = /^\$\{[^}]*\}/.exec(text)?.[0];
  if (text === "") return [""];
  if (text.startsWith(":")) return ["", ...splitOutside(text.slice(1))];
  const head = variable ?? text[0]!;
  const [first = "", ...rest] = splitOutside(text.slice(head.length));
  return [head + first, ...rest];
}

function bool(value: string, text: string): boolean | undefined {
  const word = /^(?:true|false)$/i;
  return word.test(value) && word.test(text) ? value.toLowerCase() === text.toLowerCase() : undefined;
}

const numberOf = (text: string) =>
  /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;

function dateOf(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return /^\d{4}$/.test(text) ? undefined : Number(text) * 1000;
  const ms = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function compared(name: string, a: number | undefined, b: number | undefined): boolean | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (name.endsWith("LessThan")) return a < b;
  if (name.endsWith("LessThanEquals")) return a <= b;
  if (name.endsWith("GreaterThan")) return a > b;
  return name.endsWith("GreaterThanEquals") ? a >= b : a === b;
}

/** By the bits, written out. */
function ip(value: string, text: string): boolean | undefined {
  const [address = "", length] = text.split("/");
  const a = bits(value);
  const b = bits(address);
  if (a === undefined || b === undefined) return undefined;
  const counted = length === undefined ? b.length : Number(length);
  if (!/^\d+$/.test(length ?? "0") || counted > b.length) return undefined;
  return a.length === b.length && a.slice(0, counted) === b.slice(0, counted);
}

function bits(text: string): string | undefined {
  const mapped = text.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (/^\d+(?:\.\d+){3}$/.test(mapped)) {
    const bytes = mapped.split(".").map(Number);
    return bytes.some((byte) => byte > 255)
      ? undefined
      : bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  }
  if (!/^[0-9a-f:]+$/.test(mapped) || !mapped.includes(":")) return undefined;
  const gap = mapped.split("::");
  const groups = (half: string | undefined) => (half === undefined || half === "" ? [] : half.split(":"));
  const [head, tail] = [groups(gap[0]), groups(gap[1])];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const all = [...head, ...zeros, ...tail];
  return all.length === 8
    ? all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("")
    : undefined;
}
