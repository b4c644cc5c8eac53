import { EXIT } from "fleetrig/kernel";
import { type Diagnostic, formatDiagnostic } from "../load/diagnostics.js";
import { type LoadOptions, type LoadResult, loadScenario } from "../load/load-scenario.js";
import { type Host, writeLine } from "./host.js";
import { resolveScenarioFiles } from "./scenario-files.js";

/** The scenarios a command was given. `ok` is false when anything was wrong; it has been reported on stderr. */
export interface LoadedFiles {
  readonly ok: boolean;
  readonly loaded: readonly { readonly path: string; readonly result: LoadResult }[];
}

/** Finds, reads and checks scenarios, and reports everything that is wrong with them. */
export function loadFiles(
  host: Host,
  patterns: readonly string[],
  overrides: Pick<LoadOptions, "seedOverride" | "clockOverride"> = {},
): LoadedFiles {
  const { files, problems } = resolveScenarioFiles(host, patterns);
  for (const { message, hint } of problems) writeLine(host.stderr, `error: ${message}\n  hint: ${hint}`);
  const loaded = files.map((path) => ({ path, result: loadFile(host, path, overrides) }));
  for (const { result } of loaded) reportDiagnostics(host, result);
  return { ok: problems.length === 0 && loaded.every(({ result }) => result.ok), loaded };
}

/** A scenario may extend files of the folder the command runs in. */
export function loadFile(
  host: Host,
  path: string,
  overrides: Pick<LoadOptions, "seedOverride" | "clockOverride">,
): LoadResult {
  const { files, env } = host;
  const isBelow = !path.startsWith("/") && !path.startsWith("../");
  return loadScenario(path, {
    readFile: (file, maxBytes) => files.readFile(file, maxBytes),
    realPath: (file) => files.realPath(file),
    env,
    ...(isBelow ? { project: "." } : {}),
    ...overrides,
  });
}

function reportDiagnostics(host: Host, result: LoadResult): void {
  const diagnostics: readonly Diagnostic[] = result.ok ? result.warnings : result.diagnostics;
  for (const diagnostic of diagnostics) {
    const source = result.sources.find(({ path }) => path === diagnostic.file);
    writeLine(host.stderr, `${formatDiagnostic(diagnostic, source?.text)}\n`);
  }
}

/** A usage error with its hint. @returns the exit code */
export function refuseUsage(host: Host, message: string, hint: string): number {
  writeLine(host.stderr, `error: ${message}\n  hint: ${hint}`);
  return EXIT.usage;
}
