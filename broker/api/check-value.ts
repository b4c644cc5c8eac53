import { Buffer } from "node:buffer";
import { isJsonObject, parseIsoTime } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { ServiceModel, Shape } from "./service-model.js";

/**
 * Turns JSON from a request into input as the model describes it, or refuses it. Nothing that the model does not
 * know gets through; keys of maps are data and never reach a prototype.
 */
export class ValueChecker {
  constructor(private readonly model: ServiceModel) {}

  shape(name: string): Shape {
    return this.model.shapes[name]!;
  }

  /** @param at Where the value is, for people: `attributePayload.attributes`. */
  value(shapeName: string, value: unknown, at: string): unknown {
    const shape = this.shape(shapeName);
    switch (shape.type) {
      case "structure":
        return this.structure(shape, value, at);
      case "list":
        return this.list(shape, value, at);
      case "map":
        return this.map(shape, value, at);
      default:
        return this.scalar(shape, value, at);
    }
  }

  /** From a path, a query or a header, where everything is text. */
  text(shapeName: string, text: string, at: string): unknown {
    const shape = this.shape(shapeName);
    switch (shape.type) {
      case "integer":
      case "long":
      case "double":
        return this.scalar(shape, /^-?\d{1,18}(\.\d{1,18})?$/.test(text) ? Number(text) : text, at);
      case "boolean":
        return this.scalar(shape, text === "true" ? true : text === "false" ? false : text, at);
      default:
        return this.scalar(shape, text, at);
    }
  }

  private structure(shape: Shape, value: unknown, at: string): unknown {
    if (!isJsonObject(value)) throw wrongType(at, "an object");
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(shape.members ?? {})) {
      const key = member.locationName ?? name;
      const given = Object.hasOwn(value, key) ? value[key] : undefined;
      if (given === undefined || given === null) continue;
      result[name] = this.value(member.shape, given, at === "" ? name : `${at}.${name}`);
    }
    assertRequired(shape, result, at);
    return result;
  }

  private list(shape: Shape, value: unknown, at: string): unknown {
    if (!Array.isArray(value)) throw wrongType(at, "a list");
    assertRange(shape, value.length, `${at} has ${value.length} entries`, at);
    return value.map((item: unknown, index) => this.value(shape.member!, item, `${at}.${index + 1}.member`));
  }

  private map(shape: Shape, value: unknown, at: string): unknown {
    if (!isJsonObject(value)) throw wrongType(at, "an object");
    const keys = Object.keys(value);
    assertRange(shape, keys.length, `${at} has ${keys.length} entries`, at);
    const result = Object.create(null) as Record<string, unknown>;
    for (const key of keys) {
      if (value[key] === null) continue;
      this.scalar(this.shape(shape.key!), key, `${at} key`);
      result[key] = this.value(shape.value!, value[key], `${at}.${key}`);
    }
    return result;
  }

  private scalar(shape: Shape, value: unknown, at: string): unknown {
    switch (shape.type) {
      case "string":
        return checkString(shape, value, at);
      case "integer":
      case "long":
      case "double":
        return checkNumber(shape, value, at);
      case "boolean":
        if (typeof value !== "boolean") throw wrongType(at, "true or false");
        return value;
      case "timestamp":
        return toEpochS(value, at);
      default:
        return toBytes(value, at);
    }
  }
}

function checkString(shape: Shape, value: unknown, at: string): string {
  if (typeof value !== "string") throw wrongType(at, "a string");
  assertRange(shape, value.length, `${at} has ${value.length} characters`, at);
  if (shape.enum !== undefined && !shape.enum.includes(value))
    throw refused(at, value, `Member must satisfy enum value set: [${shape.enum.join(", ")}]`);
  if (shape.pattern !== undefined && !patternOf(shape.pattern).test(value))
    throw refused(at, value, `Member must satisfy regular expression pattern: ${shape.pattern}`);
  return value;
}

function checkNumber(shape: Shape, value: unknown, at: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrongType(at, "a number");
  if (shape.type !== "double" && !Number.isSafeInteger(value)) throw wrongType(at, "a whole number");
  if (shape.min !== undefined && value < shape.min)
    throw refused(at, String(value), `Member must have value greater than or equal to ${shape.min}`);
  if (shape.max !== undefined && value > shape.max)
    throw refused(at, String(value), `Member must have value less than or equal to ${shape.max}`);
  return value;
}

/** Names of character classes that Java's patterns have and ours do not. */
const CLASSES: readonly (readonly [string, string])[] = [
  ["\\p{Graph}", "\\x21-\\x7e"],
  ["\\p{Upper}", "A-Z"],
  ["\\p{Digit}", "0-9"],
  ["\\p{Cntrl}", "\\x00-\\x1f\\x7f"],
];
const patterns = new Map<string, RegExp>();

/** The models' patterns are sequences of character classes, so that matching is linear in the text. */
function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    const translated = CLASSES.reduce((text, [name, range]) => text.replaceAll(name, range), source);
    const flags = translated.includes("\\p{") ? "u" : "";
    pattern = new RegExp(`^(?:${translated})$`, flags);
    patterns.set(source, pattern);
  }
  return pattern;
}

export function assertRequired(shape: Shape, given: Readonly<Record<string, unknown>>, at: string): void {
  for (const name of shape.required ?? []) {
    if (given[name] === undefined)
      throw invalid(
        `1 validation error detected: Value null at '${at === "" ? name : `${at}.${name}`}' failed to satisfy constraint: Member must not be null`,
      );
  }
}

function assertRange({ min, max }: Shape, size: number, what: string, at: string): void {
  if (min !== undefined && size < min)
    throw invalid(
      `1 validation error detected: Value at '${at}' failed to satisfy constraint: Member must have length greater than or equal to ${min}`,
      `${what}.`,
    );
  if (max !== undefined && size > max)
    throw invalid(
      `1 validation error detected: Value at '${at}' failed to satisfy constraint: Member must have length less than or equal to ${max}`,
      `${what}.`,
    );
}

/** A JSON number, or ISO 8601 as query strings have it. */
function toEpochS(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string") {
    if (/^\d{1,13}(\.\d{1,9})?$/.test(value)) return Number(value);
    const ms = parseIsoTime(value);
    if (ms !== undefined) return ms / 1000;
  }
  throw wrongType(at, "a time: epoch seconds or ISO 8601");
}

function toBytes(value: unknown, at: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw wrongType(at, "base64");
  return Buffer.from(value, "base64");
}

const MAX_SHOWN = 128;

const refused = (at: string, value: string, constraint: string): Error => {
  const shown = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value;
  return invalid(
    `1 validation error detected: Value '${shown}' at '${at}' failed to satisfy constraint: ${constraint}`,
  );
};

const wrongType = (at: string, wanted: string): Error =>
  invalid(`${at === "" ? "The body" : `Value at '${at}'`} must be ${wanted}.`);

const invalid = (sentence: string, hint?: string): Error =>
  cloudError("InvalidRequestException", sentence, hint === undefined ? {} : { hint });
