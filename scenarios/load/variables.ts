import type { Diagnostic } from "./diagnostics.js";
import {
  type Complaint,
  childOf,
  diagnosticAt,
  type MapNode,
  type ScalarNode,
  type SourceNode,
  type SourceRange,
} from "./source-tree.js";
import { suggestion } from "./suggest.js";
import { MAX_NODES } from "./refusal.js";

/**
 * `${vars.<name>}` and `${env.<NAME>}`. A text that is nothing but one reference takes the value with its type;
 * inside other text the value is written out. Everything under `rules` is left alone, because `${...}` is AWS's
 * own notation there, and so are AWS's `${aws:...}` placeholders of job documents and the variables of policies,
 * such as `${iot:ClientId}`, wherever they stand.
 */
const REFERENCE = /\$\{([^{}$]{0,256})\}/g;
const WHOLE = /^\$\{([^{}$]{0,256})\}$/;

/** Characters that substitution may add in all: a short file must not grow into a huge one. */
const MAX_SUBSTITUTED_CHARS = 1_048_576;

export interface Variables {
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Substitution {
  readonly root: SourceNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** Replaces all references of a scenario. */
export function substitute(root: SourceNode, { env }: Variables): Substitution {
  const substituter = new Substituter(root, env);
  return { root: substituter.run(), diagnostics: substituter.diagnostics };
}

class Substituter {
  readonly diagnostics: Diagnostic[] = [];
  private vars: SourceNode | undefined;
  private readonly listedEnv: ReadonlySet<unknown>;
  private chars = 0;
  private nodes = 0;

  constructor(
    private readonly root: SourceNode,
    private readonly env: Variables["env"],
  ) {
    const listed = childOf(root, "env");
    this.listedEnv = new Set(
      listed?.kind === "list" ? listed.items.map((item) => (item.kind === "scalar" ? item.value : "")) : [],
    );
  }

  run(): SourceNode {
    if (this.root.kind !== "map") return this.root;
    // Variables may read the environment but not each other, so there is no order and no cycle.
    const vars = childOf(this.root, "vars");
    const resolvedVars = vars === undefined ? undefined : this.node(vars);
    this.vars = resolvedVars;
    const entries = new Map(this.root.entries);
    for (const [key, entry] of entries) {
      if (key === "rules") continue;
      const value = key === "vars" ? entry.value : this.node(entry.value);
      entries.set(key, { key: entry.key, value: key === "vars" ? (resolvedVars ?? value) : value });
    }
    return { ...this.root, entries };
  }

  private node(node: SourceNode): SourceNode {
    switch (node.kind) {
      case "scalar":
        return typeof node.value === "string" && node.value.includes("${")
          ? this.text(node, node.value)
          : node;
      case "list":
        return { ...node, items: node.items.map((item) => this.node(item)) };
      case "map": {
        const entries: MapNode["entries"] = new Map(
          [...node.entries].map(([key, entry]) => [key, { key: entry.key, value: this.node(entry.value) }]),
        );
        return { ...node, entries };
      }
    }
  }

  private text(node: ScalarNode, text: string): SourceNode {
    const whole = WHOLE.exec(text)?.[1];
    if (whole !== undefined) return isForeign(whole) ? node : this.whole(node, whole);
    const value = text.replace(REFERENCE, (written, name: string) => {
      if (isForeign(name)) return written;
      const found = this.lookUp(name, node.range);
      if (found === undefined) return written;
      if (found.kind !== "scalar") {
        this.complain(node.range, {
          code: "SCENARIO_VARIABLE_NOT_TEXT",
          message: `\${${name}} is a ${found.kind === "list" ? "list" : "block"}, which cannot stand inside text.`,
          hint: "Use it as a whole value, or name one of its parts.",
        });
        return written;
      }
      return this.count(`${found.value ?? ""}`, node.range);
    });
    return { ...node, value };
  }

  private whole(node: ScalarNode, name: string): SourceNode {
    const found = this.lookUp(name, node.range);
    if (found === undefined) return node;
    if (found.kind === "scalar") {
      if (typeof found.value === "string") this.count(found.value, node.range);
      return { ...found, range: node.range };
    }
    this.nodes += sizeOf(found);
    if (this.nodes <= MAX_NODES) return found;
    this.complain(node.range, {
      code: "SCENARIO_TOO_MANY_VALUES",
      message: "The scenario has more than 100,000 values after its variables are filled in.",
      hint: "Generate things with count and thingName instead of listing them.",
    });
    return node;
  }

  private lookUp(name: string, range: SourceRange): SourceNode | undefined {
    const [scope, ...steps] = name.trim().split(".");
    if (scope === "env" && steps.length === 1) return this.fromEnv(steps[0]!, range);
    if (scope === "vars" && steps.length > 0) return this.fromVars(name, steps, range);
    this.complain(range, {
      code: "SCENARIO_UNKNOWN_VARIABLE",
      message: `There is no variable \${${name}}.`,
      hint: "Variables are ${vars.<name>} and ${env.<NAME>}; placeholders of devices have no dollar sign.",
    });
    return undefined;
  }

  private fromVars(name: string, steps: readonly string[], range: SourceRange): SourceNode | undefined {
    let found = this.vars;
    let around = this.vars;
    for (const step of steps) {
      around = found;
      found = childOf(found, step);
      if (found === undefined) break;
    }
    if (found !== undefined) return found;
    const known = around?.kind === "map" ? [...around.entries.keys()] : [];
    this.complain(range, {
      code: "SCENARIO_UNKNOWN_VARIABLE",
      message: `There is no variable \${${name}}.`,
      hint:
        this.vars === undefined
          ? "Define it under vars; variables cannot use each other."
          : suggestion(steps.at(-1)!, known),
    });
    return undefined;
  }

  private fromEnv(name: string, range: SourceRange): SourceNode | undefined {
    if (!name.startsWith("FLEETRIG_") && !this.listedEnv.has(name)) {
      this.complain(range, {
        code: "SCENARIO_ENV_NOT_LISTED",
        message: `The scenario does not say that it reads the environment variable ${name}.`,
        hint: `Add ${name} to the list env, or use a name that starts with FLEETRIG_.`,
      });
      return undefined;
    }
    const text = Object.hasOwn(this.env, name) ? this.env[name] : undefined;
    if (text === undefined) {
      this.complain(range, {
        code: "SCENARIO_ENV_MISSING",
        message: `The environment variable ${name} is not set.`,
        hint: `Set it before the run: ${name}=... fleetrig run ...`,
      });
      return undefined;
    }
    return { kind: "scalar", value: plainValue(text), range };
  }

  private count(text: string, range: SourceRange): string {
    const isWithinLimit = this.chars <= MAX_SUBSTITUTED_CHARS;
    this.chars += text.length;
    if (this.chars <= MAX_SUBSTITUTED_CHARS) return text;
    if (isWithinLimit)
      this.complain(range, {
        code: "SCENARIO_TOO_LARGE",
        message: "The scenario grows by more than 1 MiB when its variables are filled in.",
        hint: "Use shorter values.",
      });
    return "";
  }

  private complain(range: SourceRange, complaint: Complaint): void {
    this.diagnostics.push(diagnosticAt(range, complaint));
  }
}

const isForeign = (name: string): boolean =>
  /^(?:aws|iot|cognito-identity\.amazonaws\.com):/.test(name) || name === "*" || name === "?";

/** The environment has only text: numbers and booleans are recognised when they read back the same. */
function plainValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && text.length <= 20 && String(Number(text)) === text && Number.isFinite(Number(text))
    ? Number(text)
    : text;
}

function sizeOf(node: SourceNode): number {
  if (node.kind === "list") return node.items.reduce((sum, item) => sum + sizeOf(item), 1);
  if (node.kind === "map")
    return [...node.entries.values()].reduce((sum, entry) => sum + 1 + sizeOf(entry.value), 1);
  return 1;
}
