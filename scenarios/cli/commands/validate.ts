import { EXIT } from "fleetrig/kernel";
import { type Host, writeLine } from "../host.js";
import { loadFiles, refuseUsage } from "../load-files.js";

/**
 * `fleetrig validate <files, folders, globs>`: checks scenarios without running them.
 * @returns 0 when all are valid, 2 otherwise
 */
export function validateCommand(host: Host, patterns: readonly string[]): number {
  if (patterns.length === 0)
    return refuseUsage(host, "validate needs a scenario.", "Write fleetrig validate scenarios/*.yaml.");
  const { ok, loaded } = loadFiles(host, patterns);
  let errors = 0;
  for (const { path, result } of loaded) {
    if (result.ok) writeLine(host.stdout, `ok    ${path}  ${result.scenario.name}`);
    else {
      errors += result.diagnostics.filter(({ severity }) => severity === "error").length;
      writeLine(host.stdout, `error ${path}`);
    }
  }
  const invalid = loaded.filter(({ result }) => !result.ok).length;
  if (invalid > 0) {
    const files = invalid === 1 ? "1 scenario is" : `${invalid} scenarios are`;
    writeLine(host.stdout, `${files} not valid: ${errors} ${errors === 1 ? "error" : "errors"}.`);
  }
  return ok ? EXIT.passed : EXIT.usage;
}
