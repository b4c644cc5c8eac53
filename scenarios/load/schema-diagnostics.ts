import type { z } from "zod";
import { splitMessage } from "../schema/message.js";
import type { Diagnostic } from "./diagnostics.js";
import { childOf, diagnosticAt, type SourceMap, type SourceNode, type SourcePath } from "./source-tree.js";
import { suggestion } from "./suggest.js";

/** Unknown keys of one block that are worth a suggestion each. */
const MAX_KEYS = 50;

type Issue = z.core.$ZodIssue;

/** What the schema found wrong, each at its place in the file. */
export function schemaDiagnostics(
  issues: readonly Issue[],
  root: SourceNode,
  sourceMap: SourceMap,
): Diagnostic[] {
  return issues.flatMap((issue) => flatten(issue, [])).flatMap((issue) => describe(issue, root, sourceMap));
}

/** Replaces the failure of a union by the failures of the one alternative that was meant. */
function flatten(issue: Issue, base: SourcePath): Issue[] {
  const path = [...base, ...issue.path] as (string | number)[];
  if (issue.code !== "invalid_union") return [{ ...issue, path }];
  const meant = meantAlternative(issue.errors);
  if (meant === undefined) return [{ ...issue, path }];
  return meant.flatMap((inner) => flatten(inner, path));
}

function meantAlternative(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const inside = alternatives.filter((issues) => issues.every((issue) => issue.path.length > 0));
  if (inside.length === 1) return inside[0];
  const blocks = alternatives.filter((issues) =>
    issues.some((issue) => issue.code === "unrecognized_keys" || issue.path.length > 0),
  );
  if (blocks.length === 1) return blocks[0];
  // Text that is of the right kind and only malformed.
  const malformed = alternatives.filter((issues) => issues.every((issue) => issue.code !== "invalid_type"));
  return blocks.length === 0 && malformed.length === 1 ? malformed[0] : undefined;
}

const CODES: Readonly<Partial<Record<Issue["code"], string>>> = {
  invalid_type: "SCENARIO_WRONG_TYPE",
  invalid_union: "SCENARIO_WRONG_TYPE",
  too_small: "SCENARIO_OUT_OF_RANGE",
  too_big: "SCENARIO_OUT_OF_RANGE",
};

function describe(issue: Issue, root: SourceNode, sourceMap: SourceMap): Diagnostic[] {
  const path = issue.path as SourcePath;
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(" ");
    return issue.keys.slice(0, MAX_KEYS).map((key) =>
      diagnosticAt(sourceMap.keyRangeOf([...path, key]), {
        code: "SCENARIO_UNKNOWN_KEY",
        message: `Unknown key "${shorten(key)}"${placeName(path)}.`,
        hint: suggestion(key, known),
        path: [...path, key],
      }),
    );
  }
  const key = path.at(-1);
  if (key !== undefined && isMissing(root, path)) {
    return [
      diagnosticAt(blockStart(sourceMap, path), {
        code: "SCENARIO_MISSING_KEY",
        message: `The key "${key}" is missing${placeName(path.slice(0, -1))}.`,
        hint: splitMessage(issue.message).hint,
        path,
      }),
    ];
  }
  if (issue.code === "invalid_key")
    return issue.issues.flatMap((inner) => describeKey(inner, path, sourceMap));
  const { sentence, hint, code } = splitMessage(issue.message);
  const range = sourceMap.rangeOf(path);
  return [
    diagnosticAt(range, {
      code: code ?? CODES[issue.code] ?? "SCENARIO_INVALID_VALUE",
      message: sentence,
      hint: hint ?? nearestOption(issue, root),
      path,
    }),
  ];
}

/** A key of the author's choice that is not allowed as a name. */
function describeKey(inner: Issue, path: SourcePath, sourceMap: SourceMap): Diagnostic[] {
  const { sentence, hint } = splitMessage(inner.message);
  return [
    diagnosticAt(sourceMap.keyRangeOf(path), {
      code: "SCENARIO_INVALID_NAME",
      message: sentence,
      hint,
      path,
    }),
  ];
}

function nearestOption(issue: Issue, root: SourceNode): string | undefined {
  if (issue.code !== "invalid_value" || issue.values.length < 2) return undefined;
  let node: SourceNode | undefined = root;
  for (const step of issue.path as SourcePath) node = childOf(node, step);
  if (node?.kind !== "scalar" || typeof node.value !== "string") return undefined;
  const hint = suggestion(node.value, issue.values.map(String));
  return hint.startsWith("Did you mean") ? hint : undefined;
}

function isMissing(root: SourceNode, path: SourcePath): boolean {
  let node: SourceNode | undefined = root;
  for (const step of path.slice(0, -1)) node = childOf(node, step);
  return node?.kind === "map" && !node.entries.has(String(path.at(-1)));
}

/** Something missing is reported at the first character of the block that should have it. */
function blockStart(sourceMap: SourceMap, path: SourcePath) {
  const { file, start } = sourceMap.rangeOf(path.slice(0, -1));
  return { file, start, end: start + 1 };
}

const placeName = (path: SourcePath): string => (path.length === 0 ? "" : ` in ${path.join(".")}`);

const shorten = (key: string): string => (key.length > 60 ? `${key.slice(0, 57)}...` : key);
