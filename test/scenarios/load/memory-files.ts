import { loadScenario, type LoadOptions, type LoadResult } from "fleetrig/scenarios";

/** Loads one of several files in memory; the first is the scenario unless another is named. */
export function loadFrom(
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> & { readonly path?: string } = {},
): LoadResult {
  const { path = Object.keys(files)[0] ?? "scenario.yaml", ...rest } = options;
  return loadScenario(path, {
    readFile: (file, maxBytes) => {
      const text = files[file];
      if (text === undefined) throw new Error(`no ${file}`);
      return text.slice(0, maxBytes);
    },
    ...rest,
  });
}

/** A scenario that must be valid. */
export function loadValid(text: string, options: Partial<LoadOptions> = {}) {
  const result = loadFrom({ "scenario.yaml": text }, options);
  if (!result.ok)
    throw new Error(result.diagnostics.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  return result;
}

/** `CODE line:column` of everything found. */
export const findings = (result: LoadResult): string[] =>
  (result.ok ? result.warnings : result.diagnostics).map(
    ({ code, line, column }) => `${code} ${line}:${column}`,
  );

/** The shortest valid scenario, as lines to add to. */
export const SMALL = `version: 1
name: small
fleet:
  - { group: a, model: "builtin:shadow-device", count: 20, thingName: "a-{index}", attributes: { floor: 7 } }
stages:
  - { name: steady, duration: 1m }
`;
