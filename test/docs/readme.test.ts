import { readFileSync } from "node:fs";
import { loadScenario, runScenario } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";

const readme = readFileSync("README.md", "utf8");

const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text!);

describe("README", () => {
  it.each(blocks("yaml").map((text, index) => [index, text] as const))(
    "shows a scenario that runs and passes (block %i)",
    async (_index, text) => {
      const loaded = loadScenario("readme.yaml", { readFile: () => text, env: {} });
      if (!loaded.ok) expect(loaded.diagnostics).toEqual([]);
      else {
        const identity = {
          file: "readme.yaml",
          sha256: "",
          seed: 1,
          clock: "virtual",
          variant: "main",
          replay: "",
          gitSha: null,
        } as const;
        const record = await runScenario({ scenario: loaded.scenario, folder: ".", identity });
        expect(record.expectations.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
        expect(record.verdict).toBe("passed");
      }
    },
  );

  it.each(["npm ci && npm start", "npm ci && npm test"])("shows %s", (command) => {
    expect(readme).toContain(command);
  });

  it("names only files that exist", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path!);
    expect(links.length).toBeGreaterThan(5);
    for (const path of links)
      expect(() =>
        readFileSync(path === "scenarios/library" ? `${path}/smart-building.yaml` : path),
      ).not.toThrow();
  });

  it("has no placeholder left", () => {
    expect(readme).not.toContain("@@");
  });
});
