import { isJsonObject, type JsonValue, type Random } from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import { uuidV4 } from "../uuid.js";
import { finite, getPath, type RuleValue, toBoolean, toDecimal, toText } from "./values.js";

/** What functions may ask besides their arguments. */
export interface RuleContext {
  readonly message: ApplicationMessage;
  /** Payload as JSON; Undefined when it is not. */
  readonly payload: RuleValue;
  readonly wallMs: number;
  readonly accountId: string;
  readonly random: Random;
}

export interface RuleFunction {
  readonly minArgs: number;
  readonly maxArgs: number;
  /** Called only with an allowed number of arguments; otherwise the call is Undefined. */
  readonly apply: (args: readonly RuleValue[], context: RuleContext) => RuleValue;
}

const numeric = (apply: (...values: number[]) => number, count = 1): RuleFunction => ({
  minArgs: count,
  maxArgs: count,
  apply: (args) => {
    const values = args.map(toDecimal);
    return values.includes(undefined) ? undefined : finite(apply(...(values as number[])));
  },
});

const textual = (apply: (...values: string[]) => RuleValue, count = 1): RuleFunction => ({
  minArgs: count,
  maxArgs: count,
  apply: (args) => {
    const values = args.map(toText);
    return values.includes(undefined) ? undefined : apply(...(values as string[]));
  },
});

const fixed = (count: number, apply: RuleFunction["apply"]): RuleFunction => ({
  minArgs: count,
  maxArgs: count,
  apply,
});

/** AWS: round() goes away from zero at halves (documented results 2 and -2 for 1.5 and -1.5). */
const roundHalfAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

/** Functions of the rule language by lower-case name (REF §9.4). */
export const FUNCTIONS: ReadonlyMap<string, RuleFunction> = new Map<string, RuleFunction>([
  ["abs", numeric(Math.abs)],
  ["ceil", numeric(Math.ceil)],
  ["floor", numeric(Math.floor)],
  ["round", numeric(roundHalfAway)],
  ["sqrt", numeric(Math.sqrt)],
  ["sign", numeric(Math.sign)],
  ["power", numeric((base, exponent) => base ** exponent, 2)],
  ["mod", numeric((a, b) => a % b, 2)],
  ["trunc", numeric((value, places) => Math.trunc(value * 10 ** places) / 10 ** places, 2)],
  ["nanvl", { minArgs: 2, maxArgs: 2, apply: ([value, fallback]) => toDecimal(value) ?? fallback }],
  ["lower", textual((text) => text.toLowerCase())],
  ["upper", textual((text) => text.toUpperCase())],
  ["trim", textual((text) => text.trim())],
  ["ltrim", textual((text) => text.trimStart())],
  ["rtrim", textual((text) => text.trimEnd())],
  ["length", textual((text) => text.length)],
  ["numbytes", textual((text) => Buffer.byteLength(text))],
  ["indexof", textual((text, part) => text.indexOf(part), 2)],
  ["startswith", textual((text, part) => text.startsWith(part), 2)],
  ["endswith", textual((text, part) => text.endsWith(part), 2)],
  ["replace", textual((text, part, by) => text.replaceAll(part, () => by), 3)],
  ["substring", { minArgs: 2, maxArgs: 3, apply: substring }],
  ["concat", { minArgs: 0, maxArgs: 64, apply: concat }],
  ["get", fixed(2, get)],
  ["isnull", fixed(1, ([value]) => value === null)],
  ["isundefined", fixed(1, ([value]) => value === undefined)],
  ["topic", { minArgs: 0, maxArgs: 1, apply: topic }],
  ["timestamp", fixed(0, (_args, { wallMs }) => wallMs)],
  ["clientid", fixed(0, (_args, { message }) => message.publisher ?? "n/a")],
  ["accountid", fixed(0, (_args, { accountId }) => accountId)],
  ["newuuid", fixed(0, (_args, { random }) => uuidV4(random))],
  ["cast", fixed(2, ([value, type]) => CASTS.get(toText(type)?.toLowerCase() ?? "")?.(value))],
]);

const mapNumber = (value: RuleValue, map: (value: number) => number): RuleValue => {
  const decimal = toDecimal(value);
  return decimal === undefined ? undefined : map(decimal);
};

const toNumber = (value: RuleValue): RuleValue =>
  typeof value === "boolean" ? Number(value) : toDecimal(value);

/** `cast(value AS type)`: casting to Int rounds down, unlike conversion, which rounds to nearest. */
const CASTS: ReadonlyMap<string, (value: RuleValue) => RuleValue> = new Map([
  ...["int", "integer"].map(
    (type) => [type, (value: RuleValue) => mapNumber(toNumber(value), Math.floor)] as const,
  ),
  ...["decimal", "double"].map((type) => [type, toNumber] as const),
  ...["string", "nvarchar", "text", "ntext", "varchar"].map((type) => [type, toText] as const),
  ...["bool", "boolean"].map(
    (type) =>
      [type, (value: RuleValue) => (typeof value === "number" ? value !== 0 : toBoolean(value))] as const,
  ),
]);

/** Type names that `cast` knows. */
export const CAST_TYPES: readonly string[] = [...CASTS.keys()];

function substring(args: readonly RuleValue[]): RuleValue {
  const text = toText(args[0]);
  const bounds = args.slice(1).map((bound) => mapNumber(bound, roundHalfAway));
  if (text === undefined || bounds.some((bound) => typeof bound !== "number" || bound < 0)) return undefined;
  return text.slice(...(bounds as number[]));
}

/** Any array makes the result an array; otherwise texts are joined. No argument is Undefined. */
function concat(args: readonly RuleValue[]): RuleValue {
  if (args.length === 0 || args.includes(undefined)) return undefined;
  if (args.some((arg) => Array.isArray(arg))) return args.flatMap((arg) => arg as JsonValue | JsonValue[]);
  const texts = args.map(toText);
  return texts.includes(undefined) ? undefined : texts.join("");
}

function get([collection, key]: readonly RuleValue[]): RuleValue {
  if (typeof key === "number") {
    if (typeof collection === "string") return collection[key];
    return Array.isArray(collection) ? (collection as JsonValue[])[key] : undefined;
  }
  return isJsonObject(collection) && typeof key === "string" ? getPath(collection, [key]) : undefined;
}

/** `topic()` or its nth level, counted from 1; Basic Ingest prefixes do not count. */
function topic([level]: readonly RuleValue[], { message }: RuleContext): RuleValue {
  const name = message.topic.replace(/^\$aws\/rules\/[^/]+\//, "");
  return level === undefined ? name : typeof level === "number" ? name.split("/")[level - 1] : undefined;
}
