import { malformedPolicy, type TextSpan } from "./malformed.js";

/**
 * Strict JSON (RFC 8259) with the place of every value, and with duplicate keys refused: `JSON.parse` keeps the last
 * of two `Effect`s, other readers the first, and a policy must not mean two things.
 */
export type JsonNode = ObjectNode | ArrayNode | StringNode | ScalarNode;

export interface ObjectNode extends TextSpan {
  readonly kind: "object";
  readonly members: ReadonlyMap<string, Member>;
}

export interface Member {
  readonly key: StringNode;
  readonly value: JsonNode;
}

interface ArrayNode extends TextSpan {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}

export interface StringNode extends TextSpan {
  readonly kind: "string";
  readonly text: string;
}

/** A number, `true`, `false` or `null`, as it was written. */
interface ScalarNode extends TextSpan {
  readonly kind: "number" | "boolean" | "null";
  readonly text: string;
}

/**
 * Reads text whose nesting the caller has measured: this recurses once per level.
 * @throws {FleetrigError} POLICY_MALFORMED
 */
export function readPolicyJson(text: string): JsonNode {
  const reader = new JsonReader(text);
  const root = reader.value();
  reader.end();
  return root;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** Up to the closing quote; control characters are not allowed in strings. */
// oxlint-disable-next-line no-control-regex -- JSON forbids exactly these
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonNode {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object();
    if (char === "[") return this.#array();
    if (char === '"') return this.#string();
    return this.#scalar();
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #object(): ObjectNode {
    const start = this.#at;
    const members = new Map<string, Member>();
    this.#take("{");
    while (!this.#takes("}")) {
      if (members.size > 0) this.#take(",");
      this.#skipSpace();
      const key = this.#string();
      if (members.has(key.text)) {
        throw malformedPolicy(`the key "${key.text}" is there twice`, { text: this.#text, at: key });
      }
      this.#take(":");
      members.set(key.text, { key, value: this.value() });
    }
    return { kind: "object", members, start, end: this.#at };
  }

  #array(): ArrayNode {
    const start = this.#at;
    const items: JsonNode[] = [];
    this.#take("[");
    while (!this.#takes("]")) {
      if (items.length > 0) this.#take(",");
      items.push(this.value());
    }
    return { kind: "array", items, start, end: this.#at };
  }

  #string(): StringNode {
    const start = this.#at;
    const raw = this.#match(STRING);
    if (raw === undefined) throw this.#unexpected();
    const at = { start, end: this.#at };
    const text = unescape(raw);
    if (text === undefined) throw malformedPolicy("a string has an invalid escape", { text: this.#text, at });
    // Half a surrogate pair is no text: whether a wildcard matches one would be a matter of taste.
    if (/\p{Surrogate}/u.test(text))
      throw malformedPolicy("a string is not Unicode", { text: this.#text, at });
    return { kind: "string", text, ...at };
  }

  #scalar(): ScalarNode {
    const start = this.#at;
    const word = this.#match(WORD);
    const text = word ?? this.#match(NUMBER);
    if (text === undefined) throw this.#unexpected();
    const kind = word === undefined ? "number" : word === "null" ? "null" : "boolean";
    return { kind, text, start, end: this.#at };
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #takes(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #take(char: string): void {
    if (!this.#takes(char)) throw this.#unexpected();
  }

  #unexpected() {
    const at = { start: this.#at, end: Math.min(this.#at + 1, this.#text.length) };
    const found =
      at.end > at.start ? `unexpected ${JSON.stringify(this.#text[at.start])}` : "the text ends too early";
    return malformedPolicy(`this is not JSON, ${found}`, { text: this.#text, at });
  }
}

function unescape(raw: string): string | undefined {
  try {
    return JSON.parse(raw) as string;
  } catch {
    return undefined;
  }
}
