import type { Diagnostic } from "../../load/diagnostics.js";
import { schemaDiagnostics } from "../../load/schema-diagnostics.js";
import { diagnosticAt, SourceMap, toJson } from "../../load/source-tree.js";
import { readYaml } from "../../load/yaml-text.js";
import { findCase, QUALIFICATION_SET } from "../cases/index.js";
import { type CaseParameters, DEFAULT_PARAMETERS, type ParameterName } from "../parameters.js";
import type { PlannedCase } from "../qualification.js";
import type { QualificationCase } from "../qualification-case.js";
import { knownTo, type SuiteDocument, suiteDocument } from "./suite-document.js";

/** What is to be run. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly PlannedCase[];
  /** Files with policies, as the suite names them. */
  readonly policies: readonly string[];
}

export type SuiteResult =
  | { readonly ok: true; readonly suite: Suite }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

type Given = Partial<CaseParameters>;

/** Reads a suite file. Never throws for what it may contain. */
export function loadSuite(path: string, text: string): SuiteResult {
  const read = readYaml(path, text);
  if (!read.ok) return read;
  const sourceMap = new SourceMap(read.root);
  const parsed = suiteDocument.safeParse(toJson(read.root));
  if (!parsed.success)
    return { ok: false, diagnostics: schemaDiagnostics(parsed.error.issues, read.root, sourceMap) };
  const document = parsed.data;
  const diagnostics = document.cases.flatMap((entry, index) =>
    strayParameters(entry).map(([name, id]) =>
      diagnosticAt(sourceMap.keyRangeOf(["cases", index, "configuration", name]), {
        code: "SUITE_STRAY_PARAMETER",
        message: `${id} has no use for ${name}.`,
        hint: `It takes ${[...knownTo(findCase(id)!)].join(", ")}.`,
        path: ["cases", index, "configuration", name],
      }),
    ),
  );
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return { ok: true, suite: suiteOf(document) };
}

function strayParameters(entry: SuiteDocument["cases"][number]): (readonly [name: string, id: string])[] {
  if (typeof entry === "string" || entry.configuration === undefined) return [];
  const known = knownTo(findCase(entry.id)!);
  return Object.keys(entry.configuration)
    .filter((name) => !known.has(name as ParameterName))
    .map((name) => [name, entry.id] as const);
}

const suiteOf = ({ name, cases, defaults = {}, policies = [] }: SuiteDocument): Suite => ({
  name,
  policies,
  cases: cases.map((entry) => {
    const { id, configuration = {} } = typeof entry === "string" ? { id: entry } : entry;
    return plannedCase(findCase(id)!, { ...(defaults as Given), ...(configuration as Given) });
  }),
});

/** A case with its defaults, and what it was given of what it knows. */
export function plannedCase(found: QualificationCase, given: Given = {}): PlannedCase {
  const known = knownTo(found);
  const kept = Object.entries(given).filter(
    ([name, value]) => known.has(name as ParameterName) && value !== undefined,
  );
  return {
    case: found,
    parameters: { ...DEFAULT_PARAMETERS, ...found.defaults, ...(Object.fromEntries(kept) as Given) },
  };
}

/** AWS's qualification set. */
export const qualificationSuite = (): Suite => suiteOfCases("qualification", QUALIFICATION_SET);

export const suiteOfCases = (name: string, ids: readonly string[]): Suite => ({
  name,
  cases: ids.flatMap((id) => {
    const found = findCase(id);
    return found === undefined ? [] : [plannedCase(found)];
  }),
  policies: [],
});
