import { posix } from "node:path";
import { type ScenarioDocument, scenarioDocument } from "../schema/document.js";
import type { Scenario, SweepVariant } from "../scenario.js";
import { checkDocument } from "./checks/check-document.js";
import type { Diagnostic } from "./diagnostics.js";
import { readWithBases, type ScenarioFiles } from "./extends.js";
import { normalise, normaliseExpectations, sweepSeeds } from "./normalise.js";
import { applyOverride } from "./override.js";
import { schemaDiagnostics } from "./schema-diagnostics.js";
import { diagnosticAt, SourceMap, type SourceNode, type SourcePath, toJson } from "./source-tree.js";
import { substitute } from "./variables.js";

/** Where a scenario's parts come from, and what the command line says instead of the file. */
export interface LoadOptions extends ScenarioFiles {
  /** For `${env.<NAME>}`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that `extends` must not leave. Default: the folder of the scenario. */
  readonly project?: string;
  /** As from `--seed`: wins over the file. */
  readonly seedOverride?: number | undefined;
  /** As from `--clock`: wins over the file, before the checks that depend on it. */
  readonly clockOverride?: "virtual" | "real" | undefined;
}

/** A text that was read, for code frames and for the hash of the scenario. */
export interface ScenarioSource {
  readonly path: string;
  readonly text: string;
}

/** The scenario with its sources and warnings, or what is wrong with it. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly scenario: Scenario;
      readonly sourceMap: SourceMap;
      readonly warnings: readonly Diagnostic[];
      /** Every file read: the scenario first, then what it extends. */
      readonly sources: readonly ScenarioSource[];
    }
  | {
      readonly ok: false;
      /** In the order of the file; at least one is an error. */
      readonly diagnostics: readonly Diagnostic[];
      readonly sources: readonly ScenarioSource[];
    };

/** More than anyone reads; a hostile file has one per key. */
const MAX_DIAGNOSTICS = 50;

/** Reads, checks and normalises one scenario. Never throws for what a file may contain. */
export function loadScenario(path: string, options: LoadOptions): LoadResult {
  const { root, diagnostics, sources } = readWithBases(path, options, options.project ?? posix.dirname(path));
  if (root === undefined) return failure(diagnostics, sources);
  const substitution = substitute(root, { env: options.env ?? {} });
  const found = [...diagnostics, ...substitution.diagnostics];
  if (found.some(isError)) return failure(found, sources);
  const built = buildScenario(substitution.root, options);
  const all = [...found, ...built.diagnostics];
  if (built.scenario === undefined || all.some(isError)) return failure(all, sources);
  return { ok: true, scenario: built.scenario, sourceMap: built.sourceMap, warnings: inOrder(all), sources };
}

interface Built {
  readonly scenario: Scenario | undefined;
  readonly sourceMap: SourceMap;
  readonly diagnostics: readonly Diagnostic[];
}

type Overrides = Pick<LoadOptions, "seedOverride" | "clockOverride">;

function buildScenario(root: SourceNode, overrides: Overrides): Built {
  const sourceMap = new SourceMap(root);
  if (root.kind !== "map") {
    const complaint = { code: "SCENARIO_WRONG_TYPE", message: "A scenario is a block of keys." };
    return { scenario: undefined, sourceMap, diagnostics: [diagnosticAt(root.range, complaint)] };
  }
  const parsed = scenarioDocument.safeParse(toJson(root));
  if (!parsed.success) {
    const diagnostics = schemaDiagnostics(parsed.error.issues, root, sourceMap);
    return { scenario: undefined, sourceMap, diagnostics };
  }
  const document: ScenarioDocument = {
    ...parsed.data,
    clock: overrides.clockOverride ?? parsed.data.clock,
    seed: overrides.seedOverride ?? parsed.data.seed,
  };
  const diagnostics = checkDocument(document, sourceMap);
  if (diagnostics.some(isError)) return { scenario: undefined, sourceMap, diagnostics };
  const scenario = normalise(document, sourceMap);
  return buildSweep({ scenario, sourceMap, diagnostics }, { root, document, overrides });
}

interface SweepContext {
  readonly root: SourceNode;
  readonly document: ScenarioDocument;
  readonly overrides: Overrides;
}

/** Each variant of a sweep is a scenario of its own, checked like the one it changes. */
function buildSweep(built: Built & { readonly scenario: Scenario }, context: SweepContext): Built {
  const { sweep } = context.document;
  if (sweep === undefined) return built;
  const { scenario, sourceMap } = built;
  const diagnostics = [...built.diagnostics];
  const variants = variantSpecs(sweep).flatMap((spec): SweepVariant[] => {
    const variant = buildVariant(spec, context);
    diagnostics.push(...variant.diagnostics);
    if (variant.scenario === undefined) return [];
    const expect = normaliseExpectations(spec.expect, [...spec.path, "expect"], sourceMap);
    // What holds for the scenario itself need not hold for its variants: only the sweep judges them.
    return [{ name: spec.name, scenario: { ...variant.scenario, expect: [] }, expect }];
  });
  const expect = normaliseExpectations(sweep.expect, ["sweep", "expect"], sourceMap);
  return {
    ...built,
    diagnostics,
    scenario: { ...scenario, sweep: { seeds: sweepSeeds(sweep.seeds), expect, variants } },
  };
}

interface VariantSpec {
  readonly name: string;
  readonly path: SourcePath;
  readonly expect: NonNullable<ScenarioDocument["sweep"]>["expect"];
}

const variantSpecs = ({ control, variants = [] }: NonNullable<ScenarioDocument["sweep"]>): VariantSpec[] => [
  ...(control === undefined ? [] : [{ name: "control", path: ["sweep", "control"], expect: control.expect }]),
  ...variants.map(({ name, expect }, index) => ({ name, path: ["sweep", "variants", index], expect })),
];

function buildVariant(
  { path }: VariantSpec,
  { root, overrides }: SweepContext,
): Pick<Built, "scenario" | "diagnostics"> {
  const overridden = applyOverride(root, [...path, "override"]);
  return overridden.diagnostics.length > 0
    ? { scenario: undefined, diagnostics: overridden.diagnostics }
    : buildScenario(overridden.root, overrides);
}

const isError = (diagnostic: Diagnostic): boolean => diagnostic.severity === "error";

const failure = (diagnostics: readonly Diagnostic[], sources: readonly ScenarioSource[]): LoadResult => ({
  ok: false,
  diagnostics: inOrder(diagnostics),
  sources,
});

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map((diagnostic) => diagnostic.file))];
  return [...diagnostics]
    .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
    .slice(0, MAX_DIAGNOSTICS);
}
