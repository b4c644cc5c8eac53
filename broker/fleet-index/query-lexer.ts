import { queryError } from "./errors.js";
import { isWhitespace } from "./words.js";

/** A word of a query: literal text and wildcards, in order. */
type WordPart = string | { readonly wild: "*" | "?" };

/** A piece of a query; `at` counts from 0. */
export interface Token {
  readonly kind:
    | "open"
    | "close"
    | "rangeOpen"
    | "rangeClose"
    | "colon"
    | "compare"
    | "minus"
    | "word"
    | "quoted"
    | "end";
  /** As written, without quotes and with escapes resolved. */
  readonly text: string;
  readonly at: number;
  readonly parts: readonly WordPart[];
  /** An escaped character makes `\AND` a word like any other. */
  readonly isEscaped: boolean;
}

const SINGLE: Readonly<Record<string, Token["kind"]>> = {
  "(": "open",
  ")": "close",
  "[": "rangeOpen",
  "{": "rangeOpen",
  "]": "rangeClose",
  "}": "rangeClose",
  ":": "colon",
};

/** AWS's list of characters that queries do not support, and Lucene's operators, which it does not have either. */
const UNSUPPORTED = "`@#%/';,^~!&|";
const ENDS_WORD = '()[]{}:<>"';
const NO_PARTS: readonly WordPart[] = [];

/** Splits a query into tokens, the last of which is `end`. @throws FleetrigError `CLOUD_INVALID_QUERY`. */
export function tokensOf(query: string): readonly Token[] {
  const lexer = new Lexer(query);
  const tokens: Token[] = [];
  do tokens.push(lexer.next(tokens.at(-1)));
  while (tokens.at(-1)!.kind !== "end");
  return tokens;
}

class Lexer {
  private at = 0;
  private isInRange = false;

  constructor(private readonly query: string) {}

  next(before: Token | undefined): Token {
    while (this.at < this.query.length && isWhitespace(this.query[this.at]!)) this.at += 1;
    const character = this.query[this.at];
    if (character === undefined) return this.token("end", "", 0);
    const single = SINGLE[character];
    if (single !== undefined) {
      this.isInRange = single === "rangeOpen" || (this.isInRange && single !== "rangeClose");
      return this.token(single, character, 1);
    }
    if (character === "<" || character === ">") {
      const operator = this.query[this.at + 1] === "=" ? `${character}=` : character;
      return this.token("compare", operator, operator.length);
    }
    if (character === '"') return this.quoted();
    return character === "-" && this.isExclusion(before) ? this.minus() : this.word();
  }

  /** A hyphen excludes, except where a value must follow: there it is the sign of a number. */
  private isExclusion(before: Token | undefined): boolean {
    return !this.isInRange && before?.kind !== "colon" && before?.kind !== "compare";
  }

  private minus(): Token {
    const after = this.query[this.at + 1];
    if (after !== undefined && !isWhitespace(after)) return this.token("minus", "-", 1);
    throw queryError(
      this.at,
      "a hyphen stands by itself",
      "Write it directly before what it excludes: -term.",
    );
  }

  private token(kind: Token["kind"], text: string, length: number): Token {
    const token = { kind, text, at: this.at, parts: NO_PARTS, isEscaped: false };
    this.at += length;
    return token;
  }

  private quoted(): Token {
    const start = this.at;
    let text = "";
    for (let at = start + 1; at < this.query.length; at += 1) {
      const character = this.query[at]!;
      if (character === '"') {
        this.at = at + 1;
        return { kind: "quoted", text, at: start, parts: NO_PARTS, isEscaped: false };
      }
      if (character === "\\") at += 1;
      text += this.query[at] ?? "";
    }
    throw queryError(
      start,
      "this quotation has no end",
      'Close it with ", or escape the quotation mark: \\".',
    );
  }

  private word(): Token {
    const start = this.at;
    const parts: WordPart[] = [];
    let literal = "";
    let text = "";
    let isEscaped = false;
    for (; this.at < this.query.length; this.at += 1) {
      const character = this.query[this.at]!;
      if (isWhitespace(character) || ENDS_WORD.includes(character)) break;
      if (character === "*" || character === "?") {
        if (literal !== "") parts.push(literal);
        literal = "";
        parts.push({ wild: character });
        text += character;
        continue;
      }
      const isEscape = character === "\\";
      const plain = isEscape ? this.escaped() : character;
      if (!isEscape) this.assertSupported(character, this.at === start);
      isEscaped ||= isEscape;
      literal += plain;
      text += plain;
    }
    if (literal !== "") parts.push(literal);
    return { kind: "word", text, at: start, parts, isEscaped };
  }

  private escaped(): string {
    this.at += 1;
    const character = this.query[this.at];
    if (character !== undefined) return character;
    throw queryError(this.at - 1, "a backslash escapes nothing", "Write \\\\ for a backslash.");
  }

  private assertSupported(character: string, isFirst: boolean): void {
    if (!UNSUPPORTED.includes(character) && !(isFirst && character === "+")) return;
    throw queryError(
      this.at,
      `the character ${character} is not supported`,
      `Escape it (\\${character}) or put the value between quotation marks.`,
    );
  }
}
