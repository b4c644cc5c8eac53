import { EXIT, FleetrigError } from "fleetrig/kernel";

type TokenKind = "word" | "number" | "string" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Words as written; strings without quotes and with `''` and backslash escapes resolved. */
  readonly text: string;
  readonly offset: number;
}

/** AWS: SQL statement at most 256 KB. */
const MAX_STATEMENT_CHARS = 262_144;

const SYMBOLS = [
  "<>",
  ">=",
  "<=",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  ".",
  "*",
  "=",
  ">",
  "<",
  "+",
  "-",
  "/",
  "%",
];
const WORD = /[A-Za-z_$@][A-Za-z0-9_$]*/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SPACE = /\s+/y;

/** Splits a statement into tokens. @throws FleetrigError `RULE_SQL_SYNTAX` with the offset in its context. */
export function tokenize(sql: string): Token[] {
  if (sql.length > MAX_STATEMENT_CHARS)
    throw syntaxError(
      sql,
      0,
      `The statement has ${sql.length} characters; at most ${MAX_STATEMENT_CHARS} are allowed.`,
    );
  const tokens: Token[] = [];
  for (let offset = 0; offset < sql.length; ) {
    const space = matchAt(SPACE, sql, offset);
    if (space !== undefined) {
      offset += space.length;
      continue;
    }
    const { token, length } = readToken(sql, offset);
    tokens.push(token);
    offset += length;
  }
  tokens.push({ kind: "end", text: "", offset: sql.length });
  return tokens;
}

function readToken(sql: string, offset: number): { token: Token; length: number } {
  const quote = sql[offset];
  if (quote === "'" || quote === '"') return readString(sql, offset, quote);
  for (const [kind, pattern] of [
    ["word", WORD],
    ["number", NUMBER],
  ] as const) {
    const text = matchAt(pattern, sql, offset);
    if (text !== undefined) return { token: { kind, text, offset }, length: text.length };
  }
  const symbol = SYMBOLS.find((candidate) => sql.startsWith(candidate, offset));
  if (symbol === undefined)
    throw syntaxError(sql, offset, `Unexpected character ${JSON.stringify(sql[offset])}.`);
  return { token: { kind: "symbol", text: symbol, offset }, length: symbol.length };
}

function readString(sql: string, start: number, quote: string): { token: Token; length: number } {
  let text = "";
  for (let i = start + 1; i < sql.length; i += 1) {
    const char = sql[i]!;
    if (char === quote && sql[i + 1] === quote) {
      text += quote;
      i += 1;
    } else if (char === "\\" && i + 1 < sql.length) {
      i += 1;
      text += sql[i]!;
    } else if (char === quote) {
      return { token: { kind: "string", text, offset: start }, length: i + 1 - start };
    } else {
      text += char;
    }
  }
  throw syntaxError(sql, start, "This string is not closed.");
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}

/** AWS answers SqlParseException; we also say where. */
export function syntaxError(sql: string, offset: number, message: string, hint?: string): FleetrigError {
  return new FleetrigError("RULE_SQL_SYNTAX", message, {
    hint: hint ?? "A rule reads: SELECT <items> FROM '<topic filter>' [WHERE <condition>].",
    context: { offset, near: sql.slice(offset, offset + 24), awsError: "SqlParseException" },
    exitCode: EXIT.usage,
  });
}
