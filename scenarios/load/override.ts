import type { Diagnostic } from "./diagnostics.js";
import { identityOf } from "./extends.js";
import { childOf, diagnosticAt, type MapEntry, type SourceNode, type SourcePath } from "./source-tree.js";
import { suggestion } from "./suggest.js";

export interface OverrideResult {
  readonly root: SourceNode;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Applies the values that stand at `at` by their paths, such as `stages.rollout.actions.0.inject.probability`: a step is a key, an index, or
 * the `group`, `name` or `id` of an item. The last step may be a new key. The result has no sweep of its own.
 */
export function applyOverride(root: SourceNode, at: SourcePath): OverrideResult {
  const override = at.reduce<SourceNode | undefined>((node, step) => childOf(node, step), root);
  const diagnostics: Diagnostic[] = [];
  let changed = withoutSweep(root);
  if (override?.kind !== "map") return { root: changed, diagnostics };
  for (const [path, entry] of override.entries) {
    const outcome = put(changed, path.split("."), entry);
    if (outcome.ok) changed = outcome.node;
    else
      diagnostics.push(
        diagnosticAt(entry.key, {
          code: "SCENARIO_UNKNOWN_PATH",
          message: `The scenario has no ${outcome.step} at ${path}.`,
          hint: suggestion(outcome.step, outcome.known),
          path: [...at, path],
        }),
      );
  }
  return { root: changed, diagnostics };
}

function withoutSweep(root: SourceNode): SourceNode {
  if (root.kind !== "map") return root;
  return { ...root, entries: new Map([...root.entries].filter(([key]) => key !== "sweep")) };
}

type Put =
  | { readonly ok: true; readonly node: SourceNode }
  | { readonly ok: false; readonly step: string; readonly known: readonly string[] };

function put(node: SourceNode, steps: readonly string[], entry: MapEntry): Put {
  if (steps.length === 0) return { ok: true, node: entry.value };
  const known = stepsOf(node);
  // Names may contain dots: prefer the longest sequence of steps that is a name.
  for (let taken = steps.length; taken > 0; taken -= 1) {
    const key = known.get(steps.slice(0, taken).join("."));
    if (key === undefined) continue;
    const child =
      node.kind === "map" ? node.entries.get(`${key}`)!.value : (node as ListLike).items[Number(key)]!;
    const inner = put(child, steps.slice(taken), entry);
    return inner.ok ? { ok: true, node: replaceChild(node, key, inner.node) } : inner;
  }
  const [step = ""] = steps;
  if (node.kind !== "map" || steps.length > 1) return { ok: false, step, known: [...known.keys()] };
  return { ok: true, node: { ...node, entries: new Map([...node.entries, [step, entry]]) } };
}

type ListLike = Extract<SourceNode, { kind: "list" }>;

/** What a step from a node may be called, with the key or index it leads to. */
function stepsOf(node: SourceNode): ReadonlyMap<string, string | number> {
  if (node.kind === "map") return new Map([...node.entries.keys()].map((key) => [key, key]));
  if (node.kind === "scalar") return new Map();
  const steps = new Map<string, string | number>(node.items.map((_, index) => [`${index}`, index]));
  node.items.forEach((item, index) => {
    const name = identityOf(item);
    if (name !== undefined && !steps.has(name)) steps.set(name, index);
  });
  return steps;
}

function replaceChild(node: SourceNode, key: string | number, child: SourceNode): SourceNode {
  if (node.kind === "list")
    return { ...node, items: node.items.map((item, index) => (index === key ? child : item)) };
  if (node.kind !== "map") return node;
  const entries = new Map(node.entries);
  const old = node.entries.get(`${key}`)!;
  return { ...node, entries: entries.set(`${key}`, { key: old.key, value: child }) };
}
