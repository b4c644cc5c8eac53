import {
  Composer,
  CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Diagnostic } from "./diagnostics.js";
import {
  type Complaint,
  diagnosticAt,
  type MapEntry,
  type SourceFile,
  type SourceNode,
  type SourceRange,
} from "./source-tree.js";

/**
 * YAML text to a source tree. Scenario files may come from anywhere, so everything is bounded before it is
 * built: bytes, nesting, values, aliases. Only plain data is accepted: no tags, directives, merge keys or
 * second documents.
 */
export const MAX_SCENARIO_BYTES = 1_048_576;
/** Nesting of lists and blocks, as written and after aliases are expanded. */
export const MAX_DEPTH = 64;
/** Values and keys, as written and after aliases are expanded. */
export const MAX_NODES = 100_000;
export const MAX_ALIASES = 50;
/** Punctuation and line ends count too: what the lexer may hand out before we give up. */
const MAX_LEXEMES = 8 * MAX_NODES;

export type YamlResult =
  | { readonly ok: true; readonly root: SourceNode; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Ends the reading at the first thing that makes going on pointless. */
class Refusal {
  constructor(readonly diagnostic: Diagnostic) {}
}

const refuse = (range: SourceRange, complaint: Complaint): never => {
  // oxlint-disable-next-line no-throw-literal -- never leaves this file
  throw new Refusal(diagnosticAt(range, complaint));
};

/** Reads one file. */
export function readYaml(path: string, rawText: string): { readonly file: SourceFile } & YamlResult {
  const text = rawText.startsWith("\uFEFF") ? rawText.slice(1) : rawText;
  const file: SourceFile = { path, text, lines: indexLines(text) };
  try {
    checkText(file);
    const document = compose(file);
    const errors = syntaxErrors(file, document);
    if (errors.length > 0) return { file, ok: false, diagnostics: errors };
    const builder = new TreeBuilder(file, document);
    return { file, ok: true, root: builder.build(), warnings: builder.warnings };
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

const rangeAt = (file: SourceFile, start: number, end = start + 1): SourceRange => ({ file, start, end });

function checkText(file: SourceFile): void {
  if (file.text.length > MAX_SCENARIO_BYTES)
    refuse(rangeAt(file, 0), {
      code: "SCENARIO_TOO_LARGE",
      message: "The file is larger than 1 MiB.",
      hint: "Share common parts with extends, and generate values instead of listing them.",
    });
  // The lexer uses some of these characters for itself. [YAML 1.2 §5.1]
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
    if (lexemes > MAX_LEXEMES) tooManyNodes(here);
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

const tooManyNodes = (range: SourceRange): never =>
  refuse(range, {
    code: "SCENARIO_TOO_MANY_VALUES",
    message: `The scenario has more than 100,000 values.`,
    hint: "Generate things with count and thingName instead of listing them.",
  });

const tooDeep = (range: SourceRange): never =>
  refuse(range, {
    code: "SCENARIO_TOO_DEEP",
    message: `The scenario is nested more than ${MAX_DEPTH} levels deep.`,
    hint: "No part of the format needs such nesting.",
  });

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

const RESERVED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const nothing = (range: SourceRange): SourceNode => ({ kind: "scalar", value: null, range });

/** Adds up the bounds of a list or block while it is built. */
class Bounds {
  size = 1;
  height = 1;

  add(part: Pick<Built, "size" | "height">, range: SourceRange): void {
    this.size += part.size;
    this.height = Math.max(this.height, part.height + 1);
    if (this.size > MAX_NODES) tooManyNodes(range);
  }
}

/** A part of the tree, with what it adds to the bounds. */
interface Built {
  readonly node: SourceNode;
  /** Values and keys in it. */
  readonly size: number;
  /** Levels of nesting in it; 1 for a scalar. */
  readonly height: number;
}

/**
 * Copies the document into a source tree. An alias shares what its anchor built, so that expansion costs nothing
 * until its size is known, and the bounds hold for the expanded tree.
 */
class TreeBuilder {
  readonly warnings: Diagnostic[] = [];
  private readonly anchors = new Map<string, Built | "open">();

  constructor(
    private readonly file: SourceFile,
    private readonly document: Document.Parsed,
  ) {}

  build(): SourceNode {
    const { contents } = this.document;
    if (contents === null || (isScalar(contents) && contents.value === null))
      refuse(rangeAt(this.file, 0), {
        code: "SCENARIO_EMPTY",
        message: "The file is empty.",
        hint: "fleetrig init writes a scenario to start from.",
      });
    return this.part(contents!).node;
  }

  private part(node: Node): Built {
    const range = this.rangeOf(node);
    if (isAlias(node)) return this.alias(node.source, range);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.anchors.set(anchor, "open");
    const built = this.unaliased(node, range);
    if (built.size > MAX_NODES) tooManyNodes(range);
    if (built.height > MAX_DEPTH) tooDeep(range);
    if (anchor !== undefined) this.anchors.set(anchor, built);
    return built;
  }

  private unaliased(node: Node, range: SourceRange): Built {
    if (isMap(node)) return this.map(node, range);
    if (isSeq(node)) return this.list(node, range);
    return { node: isScalar(node) ? this.scalar(node, range) : nothing(range), size: 1, height: 1 };
  }

  private alias(name: string, range: SourceRange): Built {
    const target = this.anchors.get(name);
    if (target === "open")
      return refuse(range, {
        code: "SCENARIO_CIRCULAR_ALIAS",
        message: `The alias *${name} stands inside its own anchor.`,
        hint: "Repeat the value, or give it a name under vars.",
      });
    if (target === undefined)
      return refuse(range, {
        code: "SCENARIO_UNKNOWN_ANCHOR",
        message: `The alias *${name} has no anchor &${name} before it.`,
        hint: "Anchors come first; text that starts with an asterisk must be quoted.",
      });
    return target;
  }

  private scalar(node: Scalar, range: SourceRange): SourceNode {
    const { value } = node;
    if (typeof value === "number" && !Number.isFinite(value))
      refuse(range, {
        code: "SCENARIO_NOT_FINITE",
        message: "Infinity and NaN are not values of a scenario.",
        hint: "Write a finite number, or quote the text.",
      });
    return { kind: "scalar", value: value as null | boolean | number | string, range };
  }

  private list(seq: YAMLSeq, range: SourceRange): Built {
    const items: SourceNode[] = [];
    const bounds = new Bounds();
    for (const item of seq.items) {
      const built = this.part(item as Node);
      bounds.add(built, range);
      items.push(built.node);
    }
    return { node: { kind: "list", items, range }, size: bounds.size, height: bounds.height };
  }

  private map(map: YAMLMap, range: SourceRange): Built {
    const entries = new Map<string, MapEntry>();
    const bounds = new Bounds();
    for (const pair of map.items) {
      const key = this.key(pair.key as Node, range);
      if (entries.has(key.text))
        refuse(key.range, {
          code: "SCENARIO_DUPLICATE_KEY",
          message: `The key ${key.text} appears twice in this block.`,
          hint: "Remove one of the two: YAML would silently keep only the last.",
        });
      const value =
        pair.value === null
          ? { node: nothing(key.range), size: 1, height: 1 }
          : this.part(pair.value as Node);
      bounds.add({ size: value.size + 1, height: value.height }, key.range);
      entries.set(key.text, { key: key.range, value: value.node });
    }
    return { node: { kind: "map", entries, range }, size: bounds.size, height: bounds.height };
  }

  private key(
    node: Node | null,
    around: SourceRange,
  ): { readonly text: string; readonly range: SourceRange } {
    const range = node === null ? around : this.rangeOf(node);
    if (!isScalar(node) || node.value === null)
      return refuse(range, {
        code: "SCENARIO_KEY_NOT_TEXT",
        message: "A key must be a single word or quoted text.",
      });
    // The key as written: 1.10 must not become 1.1.
    const text = typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
    if (RESERVED_KEYS.has(text))
      refuse(range, {
        code: "SCENARIO_RESERVED_KEY",
        message: `The key ${text} is not allowed.`,
        hint: "Choose another name; this one has a meaning inside JavaScript objects.",
      });
    if (text === "<<")
      refuse(range, {
        code: "SCENARIO_MERGE_KEY",
        message: "Merge keys (<<) are not allowed in a scenario.",
        hint: "Repeat the keys, or share them between files with extends.",
      });
    return { text, range };
  }

  private rangeOf(node: Node): SourceRange {
    const [start, end] = node.range ?? [0, 0];
    return rangeAt(this.file, start, end);
  }
}
