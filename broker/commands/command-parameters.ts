import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { type CborValue, encodeCbor } from "fleetrig/protocol";
import { cloudError } from "../cloud-error.js";
import type {
  Command,
  CommandParameter,
  ComparisonOperand,
  ComparisonOperator,
  ParameterType,
  ParameterValue,
} from "./command.js";

/** Parameters of commands: their types, their conditions, and the payloads that they are put into. */
type Values = Readonly<Record<string, ParameterValue>>;

/** Which member of a value each type has. */
const MEMBERS = {
  STRING: "S",
  INTEGER: "I",
  DOUBLE: "D",
  LONG: "L",
  UNSIGNEDLONG: "UL",
  BOOLEAN: "B",
  BINARY: "BIN",
} as const satisfies Record<ParameterType, keyof ParameterValue>;

const PLACEHOLDER = /\$\{aws:iot:commandexecution::parameter:([.$a-zA-Z0-9_-]{1,192})\}/g;
const WHOLE = /^\$\{aws:iot:commandexecution::parameter:([.$a-zA-Z0-9_-]{1,192})\}$/;

const invalid = (sentence: string): Error => cloudError("ValidationException", sentence);

/**
 * The values that an execution has: what was given, else the command's own, else the default.
 * @throws CLOUD_VALIDATION for values that are missing, of another type, or against a condition.
 */
export function parameterValues(command: Command, given: Values | undefined): Values | undefined {
  const parameters = command.mandatoryParameters ?? [];
  const names = new Set(parameters.map(({ name }) => name));
  for (const name of Object.keys(given ?? {}))
    if (!names.has(name)) throw invalid(`The command has no parameter ${name}.`);
  if (parameters.length === 0) return undefined;
  return Object.fromEntries(
    parameters.map((parameter) => {
      const { name, value, defaultValue } = parameter;
      const own = given !== undefined && Object.hasOwn(given, name) ? given[name] : undefined;
      const chosen = own ?? value ?? defaultValue;
      if (chosen === undefined) throw invalid(`The parameter ${name} has no value.`);
      assertValue(parameter, chosen);
      return [name, chosen];
    }),
  );
}

/** @throws CLOUD_VALIDATION */
export function assertValue({ name, type, valueConditions }: CommandParameter, value: ParameterValue): void {
  const members = Object.keys(value);
  if (members.length !== 1) throw invalid(`The parameter ${name} must have exactly one value.`);
  if (type !== undefined && members[0] !== MEMBERS[type])
    throw invalid(`The parameter ${name} is no ${type}.`);
  for (const { comparisonOperator, operand } of valueConditions ?? []) {
    if (!holds(plainValue(value), comparisonOperator, operand))
      throw invalid(`The parameter ${name} is not ${comparisonOperator} as its condition demands.`);
  }
}

/** The value itself. Numbers that a double does not hold exactly stay text. */
function plainValue(value: ParameterValue): string | number | boolean | Uint8Array {
  if (value.UL !== undefined) return Number.isSafeInteger(Number(value.UL)) ? Number(value.UL) : value.UL;
  return value.S ?? value.B ?? value.I ?? value.L ?? value.D ?? value.BIN ?? "";
}

type Comparable = string | number | boolean | Uint8Array;

function holds(value: Comparable, operator: ComparisonOperator, operand: ComparisonOperand): boolean {
  const single = operand.number ?? operand.string;
  const several = operand.numbers ?? operand.strings ?? [];
  const number = Number(value);
  switch (operator) {
    case "EQUALS":
      return equals(value, single);
    case "NOT_EQUALS":
      return !equals(value, single);
    case "LESS_THAN":
      return number < Number(operand.number);
    case "LESS_THAN_EQUALS":
      return number <= Number(operand.number);
    case "GREATER_THAN":
      return number > Number(operand.number);
    case "GREATER_THAN_EQUALS":
      return number >= Number(operand.number);
    case "IN_SET":
      return several.some((one) => equals(value, one));
    case "NOT_IN_SET":
      return !several.some((one) => equals(value, one));
    case "IN_RANGE":
      return isInRange(number, operand);
    case "NOT_IN_RANGE":
      return !isInRange(number, operand);
  }
}

const equals = (value: Comparable, operand: string | undefined): boolean =>
  operand !== undefined &&
  (typeof value === "number" ? value === Number(operand) : String(value) === operand);

const isInRange = (value: number, { numberRange }: ComparisonOperand): boolean =>
  numberRange !== undefined && value >= Number(numberRange.min) && value <= Number(numberRange.max);

/** What a device gets. */
export interface CommandPayload {
  readonly content: Uint8Array;
  readonly contentType: string | undefined;
}

/** The payload of an execution with these values: the command's own, or its template filled in. */
export function payloadOf(command: Command, values: Values | undefined): CommandPayload {
  const { payload, payloadTemplate, preprocessor } = command;
  if (payloadTemplate === undefined)
    return { content: payload?.content ?? new Uint8Array(), contentType: payload?.contentType };
  const plain = new Map(Object.entries(values ?? {}).map(([name, value]) => [name, plainValue(value)]));
  const filled = fillIn(JSON.parse(payloadTemplate) as JsonValue, plain);
  if (preprocessor?.awsJsonSubstitution?.outputFormat === "CBOR")
    return { content: encodeCbor(filled), contentType: "application/cbor" };
  return { content: Buffer.from(JSON.stringify(filled, bytesAsText)), contentType: "application/json" };
}

/** A text that is nothing but a placeholder becomes the value with its type. */
function fillIn(value: JsonValue, values: ReadonlyMap<string, Comparable>): CborValue {
  if (typeof value === "string") {
    const name = WHOLE.exec(value)?.[1];
    if (name !== undefined) return values.get(name) ?? value;
    return value.replace(PLACEHOLDER, (placeholder, key: string) => {
      const found = values.get(key) ?? placeholder;
      return found instanceof Uint8Array ? base64(found) : String(found);
    });
  }
  if (Array.isArray(value)) return value.map((item: JsonValue) => fillIn(item, values));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillIn(item, values)]));
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytesAsText = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? base64(value) : value;
