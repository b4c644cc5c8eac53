import { posix } from "node:path";
import type { Diagnostic } from "./diagnostics.js";
import {
  type Complaint,
  diagnosticAt,
  type ListNode,
  type MapEntry,
  type MapNode,
  type SourceFile,
  type SourceNode,
  type SourceRange,
} from "./source-tree.js";
import { MAX_SCENARIO_BYTES } from "./refusal.js";
import { readYaml } from "./yaml-text.js";

/** How the loader reaches files. Paths use forward slashes. */
export interface ScenarioFiles {
  /**
   * Text of a file, at most `maxBytes` of it.
   * @throws anything when there is no such file
   */
  readFile(path: string, maxBytes: number): string;
  /** The path without symbolic links; when given, `extends` is confined to the project behind links too. */
  realPath?(path: string): string;
}

/** Files may extend files that extend files, so many in all. */
const MAX_CHAIN = 8;

export interface Inheritance {
  readonly root: SourceNode | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Every file read, the first one first. */
  readonly sources: readonly SourceFile[];
}

/**
 * Reads a scenario and everything it extends. Blocks merge key by key, lists by the `group`, `name` or `id` of
 * their items, everything else is replaced.
 */
export function readWithBases(path: string, files: ScenarioFiles, project: string): Inheritance {
  const reader = new ChainReader(files, project);
  const root = reader.read(path, undefined, []);
  return { root, diagnostics: reader.diagnostics, sources: reader.sources };
}

class ChainReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly sources: SourceFile[] = [];

  constructor(
    private readonly files: ScenarioFiles,
    private readonly project: string,
  ) {}

  read(path: string, from: SourceRange | undefined, chain: readonly string[]): SourceNode | undefined {
    const text = this.text(path, from);
    if (text === undefined) return undefined;
    const yaml = readYaml(path, text);
    this.sources.push(yaml.file);
    if (!yaml.ok) {
      this.diagnostics.push(...yaml.diagnostics);
      return undefined;
    }
    const entry = yaml.root.kind === "map" ? yaml.root.entries.get("extends") : undefined;
    if (yaml.root.kind !== "map" || entry === undefined) return yaml.root;
    const base = this.base(path, entry.value, [...chain, posix.normalize(path)]);
    return base === undefined ? undefined : mergeMaps(base, withoutKey(yaml.root, "extends"));
  }

  private text(path: string, from: SourceRange | undefined): string | undefined {
    try {
      return this.files.readFile(path, MAX_SCENARIO_BYTES + 1);
    } catch {
      const complaint = {
        code: "SCENARIO_FILE_MISSING",
        message: `The file ${path} cannot be read.`,
        hint: "Check the name and the folder.",
      };
      if (from === undefined)
        this.diagnostics.push({ ...complaint, severity: "error", file: path, line: 1, column: 1, length: 1 });
      else this.complain(from, complaint);
      return undefined;
    }
  }

  private base(path: string, value: SourceNode, chain: readonly string[]): SourceNode | undefined {
    if (value.kind !== "scalar" || typeof value.value !== "string")
      return this.complain(value.range, {
        code: "SCENARIO_WRONG_TYPE",
        message: "extends names one file.",
        hint: "Write extends: ./base.yaml.",
        path: ["extends"],
      });
    const target = posix.normalize(posix.join(posix.dirname(path), value.value));
    if (/^(?:[A-Za-z][A-Za-z0-9+.-]*:|[\\/])/.test(value.value) || !this.isInside(target))
      return this.complain(value.range, {
        code: "SCENARIO_EXTENDS_OUTSIDE",
        message: `${value.value.slice(0, 200)} is outside of the project folder.`,
        hint: "Write a relative path to a file of the same project.",
        path: ["extends"],
      });
    if (chain.includes(target))
      return this.complain(value.range, {
        code: "SCENARIO_EXTENDS_CYCLE",
        message: `The files extend each other: ${[...chain, target].join(" -> ")}.`,
        hint: "Move what they share into a third file.",
        path: ["extends"],
      });
    if (chain.length >= MAX_CHAIN)
      return this.complain(value.range, {
        code: "SCENARIO_EXTENDS_CHAIN",
        message: `More than ${MAX_CHAIN} files extend each other.`,
        hint: "Merge some of them.",
        path: ["extends"],
      });
    const base = this.read(target, value.range, chain);
    if (base === undefined || base.kind === "map") return base;
    return this.complain(base.range, {
      code: "SCENARIO_WRONG_TYPE",
      message: "A scenario is a block of keys.",
    });
  }

  private isInside(target: string): boolean {
    if (!isWithin(this.project, target)) return false;
    if (this.files.realPath === undefined) return true;
    try {
      return isWithin(this.files.realPath(this.project), this.files.realPath(target));
    } catch {
      // A file that does not exist is reported when it is read.
      return true;
    }
  }

  private complain(range: SourceRange, complaint: Complaint): undefined {
    this.diagnostics.push(diagnosticAt(range, complaint));
    return undefined;
  }
}

/** By the text of the paths alone: nothing here knows the working directory. */
function isWithin(folder: string, path: string): boolean {
  const around = posix.normalize(folder).replace(/(?<=.)\/$/, "");
  const inner = posix.normalize(path);
  if (around === ".") return !posix.isAbsolute(inner) && !leavesUpwards(inner);
  if (around === "/") return posix.isAbsolute(inner);
  return inner.startsWith(`${around}/`) && !leavesUpwards(inner.slice(around.length + 1));
}

const leavesUpwards = (path: string): boolean => path === ".." || path.startsWith("../");

const withoutKey = (node: MapNode, key: string): MapNode => ({
  ...node,
  entries: new Map([...node.entries].filter(([name]) => name !== key)),
});

function merge(base: SourceNode, own: SourceNode): SourceNode {
  if (base.kind === "map" && own.kind === "map") return mergeMaps(base, own);
  if (base.kind === "list" && own.kind === "list") return mergeLists(base, own);
  return own;
}

function mergeMaps(base: SourceNode, own: MapNode): MapNode {
  if (base.kind !== "map") return own;
  const entries = new Map<string, MapEntry>(base.entries);
  for (const [key, entry] of own.entries) {
    const inherited = base.entries.get(key);
    entries.set(
      key,
      inherited === undefined ? entry : { key: entry.key, value: merge(inherited.value, entry.value) },
    );
  }
  return { kind: "map", entries, range: own.range };
}

const IDENTIFYING_KEYS = ["group", "name", "id"] as const;

/** What tells an item of a list from the others: its `group`, `name` or `id`. */
export function identityOf(node: SourceNode): string | undefined {
  if (node.kind !== "map") return undefined;
  for (const key of IDENTIFYING_KEYS) {
    const value = node.entries.get(key)?.value;
    if (value?.kind === "scalar" && value.value !== null) return `${value.value}`;
  }
  return undefined;
}

function mergeLists(base: ListNode, own: ListNode): ListNode {
  const isNamed = [...base.items, ...own.items].every((item) => identityOf(item) !== undefined);
  if (!isNamed || own.items.length === 0) return own;
  const ownByName = new Map(own.items.map((item) => [identityOf(item), item]));
  const merged = base.items.map((item) => {
    const change = ownByName.get(identityOf(item));
    return change === undefined ? item : merge(item, change);
  });
  const inherited = new Set(base.items.map(identityOf));
  const added = own.items.filter((item) => !inherited.has(identityOf(item)));
  return { kind: "list", items: [...merged, ...added], range: own.range };
}
