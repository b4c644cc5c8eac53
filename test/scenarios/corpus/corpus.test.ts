import { readdirSync, readFileSync } from "node:fs";
import { formatDiagnostic, loadScenario } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";

/**
 * Broken scenarios, one mistake each. The first line of a file says what must be found: `# expect: CODE line`.
 * A good refusal names the right line, says something, and comes at once.
 */
const folder = "test/scenarios/corpus/";
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

const CPU_LIMIT_MS = 1000;

function load(name: string) {
  const readFile = (path: string) => readFileSync(path, "utf8");
  const before = process.cpuUsage();
  const result = loadScenario(folder + name, { readFile, env: {} });
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1000 };
}

describe("the corpus of broken scenarios", () => {
  it("is large", () => {
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  it.each(names)("%s is refused at the right line, with a sentence", (name) => {
    const [, code, line] = /^# expect: (\S+) (\d+)/.exec(readFileSync(folder + name, "utf8")) ?? [];
    const { result, cpuMs } = load(name);
    if (result.ok) expect.fail(`${name} was accepted`);
    const errors = result.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
    expect(errors.map((error) => `${error.code} ${error.line}`)).toContain(`${code} ${line}`);
    expect(errors[0]).toMatchObject({ code, line: Number(line) });
    for (const { message, hint, column } of errors) {
      expect(message).toMatch(/^\S.{10,}[.?]$/);
      if (hint !== undefined) expect(hint).toMatch(/^\S.{5,}/);
      expect(column).toBeGreaterThan(0);
    }
    expect(cpuMs).toBeLessThan(CPU_LIMIT_MS);
  });

  it("leaves no trace in Object.prototype", () => {
    for (const name of names.filter((each) => each.includes("proto") || each.includes("constructor")))
      load(name);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("never shows control characters of a file", () => {
    for (const name of names) {
      const { result } = load(name);
      if (result.ok) continue;
      for (const diagnostic of result.diagnostics) {
        const text = formatDiagnostic(
          diagnostic,
          result.sources.find(({ path }) => path === diagnostic.file)?.text,
        );
        expect(text.replaceAll("\n", " ")).not.toMatch(/\p{Cc}/u);
      }
    }
  });
});
