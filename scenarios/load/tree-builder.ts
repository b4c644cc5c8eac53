import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { MAX_DEPTH, MAX_NODES, rangeAt, refuse, tooDeep, tooManyNodes } from "./refusal.js";
import type { MapEntry, SourceFile, SourceNode, SourceRange } from "./source-tree.js";

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
export class TreeBuilder {
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
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
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
