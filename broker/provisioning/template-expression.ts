import { didYouMean, isJsonObject, type JsonObject, type JsonValue, unreachable } from "fleetrig/kernel";
import { child, evaluationError, type TemplatePath, templateError, textAt } from "./template-path.js";

/**
 * Expressions of a provisioning template (REF §11.4): constants, `Ref` and the `Fn::` functions. Parsing finds everything
 * that is wrong whatever the parameters are; evaluation finds the rest. Both name the place.
 */
export type Expression =
  | { readonly kind: "constant"; readonly value: string | null }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "ref"; readonly name: string }
  | { readonly kind: "join"; readonly separator: Expression; readonly items: Expression }
  | { readonly kind: "select"; readonly index: Expression; readonly items: Expression }
  | { readonly kind: "split"; readonly separator: Expression; readonly text: Expression }
  | { readonly kind: "sub"; readonly parts: readonly SubPart[] }
  | { readonly kind: "find"; readonly map: Expression; readonly keys: readonly [Expression, Expression] };

/** Literal text, or what stands between `${` and `}`. */
type SubPart = string | Expression;

/** What an expression can come to. */
export type TemplateValue = string | null | readonly TemplateValue[];

/** What names mean while a template is parsed. */
export interface Declarations {
  /** Parameters, the pseudo parameters among them. */
  isParameter(name: string): boolean;
  readonly parameterNames: readonly string[];
  readonly mappings: Mappings;
}

/** Map name, first key, second key. */
export type Mappings = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, string>>>;

/** What names mean while it is evaluated. */
export interface Scope {
  readonly mappings: Mappings;
  /** @throws {FleetrigError} when the parameter has no value. */
  parameter(name: string, path: TemplatePath): string;
}

/** Text that an expression may come to at most: `Fn::Sub` within `Fn::Sub` grows exponentially. */
const MAX_TEXT_CHARS = 65_536;
const FUNCTIONS = ["Ref", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::FindInMap"] as const;

type FunctionParser = (argument: JsonValue, path: TemplatePath, declared: Declarations) => Expression;

const PARSERS: Readonly<Record<(typeof FUNCTIONS)[number], FunctionParser>> = {
  Ref: (argument, path, declared) => ({
    kind: "ref",
    name: parameterName(textAt(argument, path), path, declared),
  }),
  "Fn::Join": (argument, path, declared) => {
    const [separator, items] = twoOf(argument, path, "[separator, [value, …]]");
    return {
      kind: "join",
      separator: parseExpression(separator, child(path, 0), declared),
      items: parseExpression(items, child(path, 1), declared),
    };
  },
  "Fn::Select": (argument, path, declared) => {
    const [index, items] = twoOf(argument, path, "[index, [value, …]]");
    return {
      kind: "select",
      index: parseExpression(index, child(path, 0), declared),
      items: parseExpression(items, child(path, 1), declared),
    };
  },
  "Fn::Split": (argument, path, declared) => {
    const [separator, text] = twoOf(argument, path, "[separator, text]");
    if (separator === "") throw templateError(child(path, 0), "The separator is empty.");
    return {
      kind: "split",
      separator: parseExpression(separator, child(path, 0), declared),
      text: parseExpression(text, child(path, 1), declared),
    };
  },
  "Fn::Sub": parseSub,
  "Fn::FindInMap": parseFind,
};

/** @throws {FleetrigError} CLOUD_INVALID_REQUEST, naming the place. */
export function parseExpression(value: JsonValue, path: TemplatePath, declared: Declarations): Expression {
  if (value === null || typeof value === "string") return { kind: "constant", value };
  if (typeof value === "number" || typeof value === "boolean")
    return { kind: "constant", value: String(value) };
  if (isJsonObject(value)) return parseCall(value, path, declared);
  return {
    kind: "list",
    items: value.map((item, index) => parseExpression(item, child(path, index), declared)),
  };
}

/** An object that calls a function, rather than being data of its own. */
export const isCall = (value: JsonObject): boolean => {
  const [key, ...others] = Object.keys(value);
  return others.length === 0 && key !== undefined && (key === "Ref" || key.startsWith("Fn::"));
};

function parseCall(value: JsonObject, path: TemplatePath, declared: Declarations): Expression {
  const [name = "", ...others] = Object.keys(value);
  const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name as keyof typeof PARSERS] : undefined;
  if (parse === undefined || others.length > 0) {
    throw templateError(
      path,
      "An object stands here that is no call of one function.",
      didYouMean(name, FUNCTIONS) ?? `Functions are ${FUNCTIONS.join(", ")}.`,
    );
  }
  return parse(value[name]!, child(path, name), declared);
}

function twoOf(argument: JsonValue, path: TemplatePath, form: string): readonly [JsonValue, JsonValue] {
  if (Array.isArray(argument) && argument.length === 2) return argument as unknown as [JsonValue, JsonValue];
  throw templateError(path, `The arguments must be ${form}.`);
}

function parameterName(name: string, path: TemplatePath, declared: Declarations): string {
  if (declared.isParameter(name)) return name;
  const shown = name.slice(0, 128);
  throw templateError(
    path,
    `There is no parameter "${shown}".`,
    didYouMean(name, declared.parameterNames) ?? "Declare it under Parameters.",
  );
}

/** `[text, { name: value }]`, or the text alone. */
function parseSub(argument: JsonValue, path: TemplatePath, declared: Declarations): Expression {
  const [text, variables] =
    typeof argument === "string" ? [argument, {}] : twoOf(argument, path, "[text, {…}]");
  if (!isJsonObject(variables)) throw templateError(child(path, 1), "This must be an object.");
  const known = new Map(
    Object.entries(variables).map(([name, value]) => [
      name,
      parseExpression(value, child(child(path, 1), name), declared),
    ]),
  );
  const parts: SubPart[] = [];
  const template = textAt(text, child(path, 0));
  let end = 0;
  for (const match of template.matchAll(/\$\{([^}]{0,256})\}/g)) {
    const name = match[1]!;
    parts.push(template.slice(end, match.index), known.get(name) ?? substitution(name, path, declared));
    end = match.index + match[0].length;
  }
  parts.push(template.slice(end));
  return { kind: "sub", parts };
}

/** `${!x}` is the text `${x}`; policy variables such as `${iot:ClientId}` are not the template's business. */
function substitution(name: string, path: TemplatePath, declared: Declarations): SubPart {
  if (name.startsWith("!")) return `\${${name.slice(1)}}`;
  if (/^(?:iot|aws):/.test(name)) return `\${${name}}`;
  return { kind: "ref", name: parameterName(name, path, declared) };
}

function parseFind(argument: JsonValue, path: TemplatePath, declared: Declarations): Expression {
  if (!Array.isArray(argument) || argument.length !== 3)
    throw templateError(path, "The arguments must be [map, key, key].");
  const [map, first, second] = argument.map((item: JsonValue, index) =>
    parseExpression(item, child(path, index), declared),
  ) as [Expression, Expression, Expression];
  if (map.kind === "constant" && !declared.mappings.has(map.value ?? "")) {
    const names = Array.from(declared.mappings.keys());
    throw templateError(
      child(path, 0),
      "There is no such map.",
      didYouMean(map.value ?? "", names) ?? "Declare it under Mappings.",
    );
  }
  return { kind: "find", map, keys: [first, second] };
}

/** @throws {FleetrigError} CLOUD_INVALID_REQUEST, naming the place. */
export function evaluate(expression: Expression, path: TemplatePath, scope: Scope): TemplateValue {
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "list":
      return expression.items.map((item, index) => evaluate(item, child(path, index), scope));
    case "ref":
      return scope.parameter(expression.name, path);
    case "join": {
      const separator = evaluateText(expression.separator, path, scope);
      const items = evaluateList(expression.items, path, scope);
      return concatenate(
        items.flatMap((item, index) => {
          const text = asText(item, path);
          return index === 0 ? [text] : [separator, text];
        }),
        path,
      );
    }
    case "select":
      return select(
        evaluateText(expression.index, path, scope),
        evaluateList(expression.items, path, scope),
        path,
      );
    case "split": {
      const separator = evaluateText(expression.separator, path, scope);
      if (separator === "") throw evaluationError(path, "The separator is empty.");
      return evaluateText(expression.text, path, scope).split(separator);
    }
    case "sub":
      return concatenate(
        expression.parts.map((part) => (typeof part === "string" ? part : evaluateText(part, path, scope))),
        path,
      );
    case "find":
      return find(expression, path, scope);
    default:
      return unreachable(expression);
  }
}

/** As `evaluate`, where only text will do. */
export const evaluateText = (expression: Expression, path: TemplatePath, scope: Scope): string =>
  asText(evaluate(expression, path, scope), path);

/** As `evaluate`, where only a list will do. */
export function evaluateList(
  expression: Expression,
  path: TemplatePath,
  scope: Scope,
): readonly TemplateValue[] {
  const value = evaluate(expression, path, scope);
  if (!Array.isArray(value)) throw evaluationError(path, "A list is needed here.");
  return value as readonly TemplateValue[];
}

export function asText(value: TemplateValue, path: TemplatePath): string {
  if (typeof value === "string") return value;
  throw evaluationError(path, value === null ? "The value is null." : "Text is needed here, not a list.");
}

function concatenate(parts: readonly string[], path: TemplatePath): string {
  const chars = parts.reduce((sum, part) => sum + part.length, 0);
  if (chars > MAX_TEXT_CHARS)
    throw evaluationError(path, `The text would have ${chars} characters; ${MAX_TEXT_CHARS} are allowed.`);
  return parts.join("");
}

/** AWS: an index outside of the list, or a null there, is an error of provisioning. */
function select(index: string, items: readonly TemplateValue[], path: TemplatePath): TemplateValue {
  const item = /^\d{1,6}$/.test(index) ? items[Number(index)] : undefined;
  if (item === undefined)
    throw evaluationError(path, `There is no item ${index.slice(0, 32)} in a list of ${items.length}.`);
  if (item === null) throw evaluationError(path, `Item ${index} of the list is null.`);
  return item;
}

function find(expression: Expression & { kind: "find" }, path: TemplatePath, scope: Scope): string {
  const map = evaluateText(expression.map, path, scope);
  const [first, second] = expression.keys.map((key) => evaluateText(key, path, scope)) as [string, string];
  const value = scope.mappings.get(map)?.get(first)?.get(second);
  if (value !== undefined) return value;
  throw evaluationError(
    path,
    `Mappings have no ${[map, first, second].map((key) => key.slice(0, 64)).join(".")}.`,
  );
}
