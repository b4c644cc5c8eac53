import type { JsonObject, JsonValue } from "fleetrig/kernel";
import type { LineCounter } from "yaml";
import type { Diagnostic } from "./diagnostics.js";

/**
 * A scenario as a tree of values that remember where they were written. Merging and substitution work on this
 * tree, so that an error in an inherited value points into the file it came from.
 */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: LineCounter;
}

/** Offsets into the file's text, end exclusive. */
export interface SourceRange {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
  readonly range: SourceRange;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  readonly range: SourceRange;
}

export interface MapEntry {
  readonly key: SourceRange;
  readonly value: SourceNode;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly range: SourceRange;
}

export type SourceNode = ScalarNode | ListNode | MapNode;

/** Keys and list indices from the root of a document to a node. */
export type SourcePath = readonly (string | number)[];

/** The plain value of a tree. Keys were checked when the tree was built, so none can reach a prototype. */
export function toJson(node: SourceNode): JsonValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toJson);
    case "map":
      return Object.fromEntries(
        [...node.entries].map(([key, entry]) => [key, toJson(entry.value)]),
      ) satisfies JsonObject;
  }
}

/** The child of a node, if there is one. */
export function childOf(node: SourceNode | undefined, step: string | number): SourceNode | undefined {
  if (node?.kind === "map") return node.entries.get(String(step))?.value;
  if (node?.kind === "list") return node.items[Number(step)];
  return undefined;
}

/** Where something is: `line` and `column` from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function positionOf(range: SourceRange): SourcePosition {
  const { line, col } = range.file.lines.linePos(Math.min(range.start, range.file.text.length));
  return { file: range.file.path, line: Math.max(1, line), column: Math.max(1, col) };
}

export interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly path?: SourcePath;
  readonly severity?: "error" | "warning";
}

/** A diagnostic about a place. */
export function diagnosticAt(range: SourceRange, complaint: Complaint): Diagnostic {
  return {
    code: complaint.code,
    severity: complaint.severity ?? "error",
    ...positionOf(range),
    length: underlineLength(range),
    message: complaint.message,
    ...(complaint.hint === undefined ? {} : { hint: complaint.hint }),
    ...(complaint.path === undefined ? {} : { path: complaint.path.join(".") }),
  };
}

function underlineLength(range: SourceRange): number {
  const text = range.file.text.slice(range.start, Math.min(range.end, range.start + 200));
  const lineEnd = text.search(/[\r\n]/);
  return Math.max(1, (lineEnd < 0 ? text : text.slice(0, lineEnd)).trimEnd().length);
}

/** Finds the place of a path in the file it came from. */
export class SourceMap {
  constructor(private readonly root: SourceNode) {}

  /** The value at a path, or the nearest block around it when the path does not exist. */
  rangeOf(path: SourcePath): SourceRange {
    let node = this.root;
    for (const step of path) {
      const child = childOf(node, step);
      if (child === undefined) break;
      node = child;
    }
    return node.range;
  }

  /** The key at the end of a path; its value, or the block around it, when there is no such key. */
  keyRangeOf(path: SourcePath): SourceRange {
    let node: SourceNode | undefined = this.root;
    for (const step of path.slice(0, -1)) node = childOf(node, step);
    const entry = node?.kind === "map" ? node.entries.get(String(path.at(-1))) : undefined;
    return entry?.key ?? this.rangeOf(path);
  }

  /** File, line and column of a path: expectations report theirs. */
  locate(path: SourcePath): SourcePosition {
    return positionOf(this.rangeOf(path));
  }

  /**
   * A part of the text at a path, by offset into its value. Falls back to the whole text where the value is not
   * written verbatim in the file: escapes, folded lines, substituted variables.
   */
  partOf(path: SourcePath, offset: number, length: number): SourceRange {
    const range = this.rangeOf(path);
    let node: SourceNode | undefined = this.root;
    for (const step of path) node = childOf(node, step);
    if (node?.kind !== "scalar" || typeof node.value !== "string") return range;
    const written = range.file.text.slice(range.start, range.end);
    const base = written.indexOf(node.value);
    if (base < 0) {
      const inBlock = offsetInBlock(written, node.value, offset);
      if (inBlock === undefined) return range;
      const start = range.start + inBlock;
      return { file: range.file, start, end: start + Math.max(1, length) };
    }
    const start = range.start + base + Math.min(offset, node.value.length);
    return { file: range.file, start, end: start + Math.max(1, length) };
  }
}

/** Where a character of a literal block (`|`) stands: its lines are those of the value, indented. */
function offsetInBlock(written: string, value: string, offset: number): number | undefined {
  if (!written.startsWith("|")) return undefined;
  const before = value.slice(0, offset);
  const line = before.split("\n").length - 1;
  const column = before.length - (before.lastIndexOf("\n") + 1);
  const lines = written.split("\n");
  const indent = lines[line + 1]?.indexOf(value.split("\n")[line] ?? "") ?? -1;
  if (indent < 0) return undefined;
  return lines.slice(0, line + 1).reduce((sum, each) => sum + each.length + 1, 0) + indent + column;
}
