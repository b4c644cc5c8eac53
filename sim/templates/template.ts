import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { checkPlaceholder, parseTemplate, type Piece, type Placeholder } from "./placeholder.js";

/** What placeholders stand for while one message is rendered. */
export interface TemplateScope {
  readonly thingName: string;
  /** Index within the group, from 0. */
  readonly index: number;
  readonly attributes: JsonObject;
  /** Sequence number of the message within its stream. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** The value of a signal now. */
  state(signal: string): JsonValue | undefined;
  /** A field of the device's invented identity. */
  identity(field: string): string;
}

/** What a template may name, besides what every template may. */
export interface Vocabulary {
  readonly signals: readonly string[];
  readonly attributes: readonly string[];
  readonly identity: readonly string[];
}

/** A compiled template: one call gives the text of one message. */
export interface Template {
  render(scope: TemplateScope): string;
  /** True when the text never changes for one device, so that it may be kept. */
  readonly isFixed: boolean;
  /** Signals that it reads. */
  readonly signals: readonly string[];
}

type Value = (scope: TemplateScope) => JsonValue | undefined;

const BUILT_IN: Readonly<Record<string, Value>> = {
  thingName: (scope) => scope.thingName,
  index: (scope) => scope.index,
  seq: (scope) => scope.sequence,
  now: (scope) => scope.nowMs,
};

const STATE = "state.";
const IDENTITY = "identity.";
const CHANGING = new Set(["seq", "now"]);

/**
 * Compiles a text: topics, thing names, wills, and payloads that are not JSON.
 * @throws {FleetrigError} TEMPLATE_UNKNOWN_PLACEHOLDER
 */
export function compileText(text: string, vocabulary: Vocabulary): Template {
  const builder = new TemplateBuilder(vocabulary);
  builder.text(text);
  return builder.build();
}

/**
 * Compiles a payload to JSON text. A string that is exactly one placeholder becomes the value with its type;
 * a payload that is itself a string is not JSON but plain text.
 * @throws {FleetrigError} TEMPLATE_UNKNOWN_PLACEHOLDER
 */
export function compilePayload(payload: JsonValue, vocabulary: Vocabulary): Template {
  if (typeof payload === "string") return compileText(payload, vocabulary);
  const builder = new TemplateBuilder(vocabulary);
  builder.json(payload);
  return builder.build();
}

type Slot = (scope: TemplateScope) => string;

/** Collects literal text and slots in turn: literal, slot, literal, slot ... literal. */
class TemplateBuilder {
  private readonly literals = [""];
  private readonly slots: Slot[] = [];
  private readonly known: readonly string[];
  private readonly signals = new Set<string>();
  private isFixed = true;

  constructor(vocabulary: Vocabulary) {
    this.known = [
      ...Object.keys(BUILT_IN),
      ...vocabulary.signals.map((name) => STATE + name),
      ...vocabulary.identity.map((name) => IDENTITY + name),
      ...vocabulary.attributes,
    ];
  }

  text(template: string): void {
    for (const piece of parseTemplate(template)) this.piece(piece, template, plain);
  }

  json(value: JsonValue): void {
    if (typeof value === "string") this.jsonString(value);
    else if (Array.isArray(value)) {
      this.between("[", "]", value, (item: JsonValue) => this.json(item));
    } else if (isJsonObject(value)) {
      this.between("{", "}", Object.keys(value), (key) => {
        this.literal(`${JSON.stringify(key)}:`);
        this.json(value[key]!);
      });
    } else this.literal(JSON.stringify(value));
  }

  build(): Template {
    const { isFixed, signals } = this;
    return { render: renderer(this.literals, this.slots), isFixed, signals: [...signals] };
  }

  private jsonString(text: string): void {
    const pieces = parseTemplate(text);
    const only = pieces[0];
    if (pieces.length === 1 && typeof only === "object" && only.width === 0) {
      this.slot(only, text, typed);
      return;
    }
    this.literal('"');
    for (const piece of pieces) this.piece(piece, text, escaped);
    this.literal('"');
  }

  private between<T>(open: string, close: string, items: readonly T[], each: (item: T) => void): void {
    this.literal(open);
    items.forEach((item, index) => {
      if (index > 0) this.literal(",");
      each(item);
    });
    this.literal(close);
  }

  private piece(piece: Piece, template: string, write: Writer): void {
    if (typeof piece === "string") this.literal(write(piece));
    else this.slot(piece, template, write);
  }

  private literal(text: string): void {
    this.literals[this.literals.length - 1] += text;
  }

  private slot({ name, width }: Placeholder, template: string, write: Writer): void {
    checkPlaceholder(name, this.known, template);
    const value = this.valueOf(name);
    if (width === 0) this.slots.push((scope) => write(value(scope)));
    else this.slots.push((scope) => plain(value(scope)).padStart(width, "0"));
    this.literals.push("");
  }

  private valueOf(name: string): Value {
    if (name.startsWith(STATE)) {
      const signal = name.slice(STATE.length);
      this.signals.add(signal);
      this.isFixed = false;
      return (scope) => scope.state(signal);
    }
    if (name.startsWith(IDENTITY)) {
      const field = name.slice(IDENTITY.length);
      return (scope) => scope.identity(field);
    }
    if (CHANGING.has(name)) this.isFixed = false;
    const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
    return (
      builtIn ?? ((scope) => (Object.hasOwn(scope.attributes, name) ? scope.attributes[name] : undefined))
    );
  }
}

/** How a value is written at its place. */
type Writer = (value: JsonValue | undefined) => string;

/** As in a topic: strings as they are, nothing for what is missing. */
const plain: Writer = (value) => {
  if (typeof value === "string") return value;
  if (typeof value === "number") return `${value}`;
  return value === undefined || value === null ? "" : JSON.stringify(value);
};

/** Inside a JSON string. */
const escaped: Writer = (value) => {
  if (typeof value === "number") return `${value}`;
  return JSON.stringify(plain(value)).slice(1, -1);
};

/** As a JSON value of its own. */
const typed: Writer = (value) => {
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "null";
  if (typeof value === "string" && !NEEDS_ESCAPE.test(value)) return `"${value}"`;
  return value === undefined ? "null" : JSON.stringify(value);
};

/** Everything that JSON text writes differently inside a string, and more: the rest may go as it is. */
const NEEDS_ESCAPE = /[^ !#-[\]-~]/;

function renderer(literals: readonly string[], slots: readonly Slot[]): Template["render"] {
  const [first = ""] = literals;
  if (slots.length === 0) return () => first;
  return (scope) => {
    let text = first;
    for (let i = 0; i < slots.length; i += 1) text += slots[i]!(scope) + literals[i + 1]!;
    return text;
  };
}
