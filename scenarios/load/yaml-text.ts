import { Composer, CST, type Document, Lexer, LineCounter, Parser } from "yaml";
import type { Diagnostic } from "./diagnostics.js";
import {
  MAX_ALIASES,
  MAX_DEPTH,
  MAX_PARTS,
  MAX_SCENARIO_BYTES,
  rangeAt,
  Refusal,
  refuse,
  tooDeep,
  tooManyParts,
} from "./refusal.js";
import {
  type Complaint,
  diagnosticAt,
  type SourceFile,
  type SourceNode,
  type SourceRange,
} from "./source-tree.js";
import { TreeBuilder } from "./tree-builder.js";

/**
 * YAML text to a source tree. Scenario files may come from anywhere, so everything is bounded before it is
 * built: bytes, nesting, values, aliases. Only plain data is accepted: no tags, directives, merge keys or
 * second documents.
 */
/** What the lexer may hand out: several lexemes belong to each part. */
const MAX_LEXEMES = 8 * MAX_PARTS;

export type YamlResult =
  | { readonly ok: true; readonly root: SourceNode }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads one file. */
export function readYaml(path: string, rawText: string): { readonly file: SourceFile } & YamlResult {
  const text = rawText.startsWith("\uFEFF") ? rawText.slice(1) : rawText;
  const file: SourceFile = { path, text, lines: indexLines(text) };
  try {
    checkText(file);
    checkParts(file);
    const document = compose(file);
    const errors = syntaxErrors(file, document);
    if (errors.length > 0) return { file, ok: false, diagnostics: errors };
    return { file, ok: true, root: new TreeBuilder(file, document).build() };
  } catch (error) {
    if (error instanceof Refusal) return { file, ok: false, diagnostics: [error.diagnostic] };
    throw error;
  }
}

function indexLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}

function checkText(file: SourceFile): void {
  if (file.text.length > MAX_SCENARIO_BYTES)
    refuse(rangeAt(file, 0), {
      code: "SCENARIO_TOO_LARGE",
      message: "The file is larger than 1 MiB.",
      hint: "Share common parts with extends, and generate values instead of listing them.",
    });
  // The lexer uses some of these characters for itself. [YAML 1.2 §5.1]
  // oxlint-disable-next-line no-control-regex -- they are what we look for
  const control = file.text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/);
  if (control >= 0) {
    const code = file.text.charCodeAt(control).toString(16).padStart(4, "0");
    refuse(rangeAt(file, control), {
      code: "SCENARIO_CONTROL_CHARACTER",
      message: `The file contains the control character U+${code.toUpperCase()}.`,
      hint: "Remove it; in quoted text, write it as an escape.",
    });
  }
}

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Lexing a megabyte of punctuation takes seconds; counting it takes a millisecond. */
function checkParts(file: SourceFile): void {
  let parts = 0;
  for (let at = 0; at < file.text.length; at += 1) {
    const code = file.text.charCodeAt(at);
    if (code !== NEWLINE && code !== COMMA && code !== BRACKET && code !== BRACE) continue;
    parts += 1;
    if (parts > MAX_PARTS) tooManyParts(rangeAt(file, at));
  }
}

/** Feeds the parser one lexeme at a time, so that a bomb is refused before its tree exists. */
function* boundedTokens(file: SourceFile): Generator<CST.Token> {
  const parser = new Parser();
  let lexemes = 0;
  let aliases = 0;
  let isScalarText = false;
  const openBrackets: SourceRange[] = [];
  for (const lexeme of new Lexer().lex(file.text)) {
    const here = rangeAt(file, parser.offset, parser.offset + lexeme.length);
    const type: CST.TokenType | null = isScalarText ? null : CST.tokenType(lexeme);
    if (type === "double-quoted-scalar" || type === "single-quoted-scalar") checkClosedQuote(lexeme, here);
    isScalarText = type === "scalar";
    if (type === "flow-seq-start" || type === "flow-map-start") openBrackets.push(here);
    if (type === "flow-seq-end" || type === "flow-map-end") openBrackets.pop();
    if (type === "flow-error-end") checkClosedBrackets(openBrackets);
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) tooManyParts(here);
    if (type === "alias") aliases += 1;
    if (aliases > MAX_ALIASES)
      refuse(here, {
        code: "SCENARIO_TOO_MANY_ALIASES",
        message: `The file uses more than ${MAX_ALIASES} aliases.`,
        hint: "Write ${vars.<name>} for values that are used often.",
      });
    const forbidden = type === null ? undefined : FORBIDDEN[type];
    if (forbidden !== undefined) refuse(here, forbidden);
    yield* parser.next(lexeme);
    // Beside the nesting the parser keeps the document and the scalar it is reading.
    if (parser.stack.length > MAX_DEPTH + 2) tooDeep(here);
  }
  yield* parser.end();
}

// The library reports what is not closed at the end of the file, which helps nobody.
function checkClosedQuote(lexeme: string, range: SourceRange): void {
  const quote = lexeme[0];
  if ((quote !== '"' && quote !== "'") || (lexeme.length > 1 && lexeme.endsWith(quote))) return;
  refuse(range, {
    code: "SCENARIO_SYNTAX",
    message: `The quote ${quote} is never closed.`,
    hint: `Add ${quote} at the end of the text.`,
  });
}

function checkClosedBrackets(open: readonly SourceRange[]): void {
  const range = open.at(-1);
  if (range === undefined) return;
  const bracket = range.file.text[range.start];
  refuse(range, {
    code: "SCENARIO_SYNTAX",
    message: `The bracket ${bracket} is never closed.`,
    hint: `Add ${bracket === "[" ? "]" : "}"} where the ${bracket === "[" ? "list" : "block"} ends.`,
  });
}

/** Lexemes that no scenario has. */
const FORBIDDEN: Readonly<Partial<Record<CST.TokenType, Complaint>>> = {
  tag: {
    code: "SCENARIO_TAG",
    message: "YAML tags are not allowed in a scenario.",
    hint: "Write the value itself; quote it when it must be text.",
  },
  "directive-line": {
    code: "SCENARIO_DIRECTIVE",
    message: "YAML directives are not allowed in a scenario.",
    hint: "Scenarios are YAML 1.2; remove the line.",
  },
};

function compose(file: SourceFile): Document.Parsed {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    // The library compares every key with every other; we look them up instead.
    uniqueKeys: false,
    strict: true,
    keepSourceTokens: false,
  });
  let first: Document.Parsed | undefined;
  for (const document of composer.compose(boundedTokens(file), true, file.text.length)) {
    if (first === undefined) first = document;
    else
      refuse(rangeAt(file, document.range[0]), {
        code: "SCENARIO_SECOND_DOCUMENT",
        message: "The file contains a second YAML document.",
        hint: "Put each scenario into its own file.",
      });
  }
  return first!;
}

const syntaxErrors = (file: SourceFile, document: Document.Parsed): Diagnostic[] =>
  document.errors.slice(0, 10).map((error) =>
    diagnosticAt(rangeAt(file, error.pos[0], error.pos[1]), {
      code: "SCENARIO_SYNTAX",
      message: sentence(error.message),
      ...(error.code === "TAB_AS_INDENT" ? { hint: "Indent with spaces." } : {}),
    }),
  );

const sentence = (text: string): string => {
  const line = text.split("\n", 1)[0]!.trim();
  return `The YAML cannot be read: ${line.endsWith(".") ? line : `${line}.`}`;
};
