import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostBench } from "fleetrig/hil";
import { loadScenario, runScenario, type RunOptions } from "fleetrig/scenarios";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIRMWARE_BUILDS, lacksEmulator } from "../rigs.js";

const readme = readFileSync("README.md", "utf8");

const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text!);

/** The bench of this machine, on files of its own. */
const openBench: RunOptions["openBench"] = ({ time, random, events }) =>
  createHostBench({
    time,
    random,
    events,
    stateFolder: folder,
    temporaryFolder: folder,
    buildFolder: FIRMWARE_BUILDS,
    hostName: "test",
    purpose: "README",
  });
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-readme-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("README", () => {
  it.for(blocks("yaml").map((text, index) => [index, text] as const))(
    "shows a scenario that runs and passes (block %i)",
    { timeout: 180_000 },
    async ([, text], { skip }) => {
      const loaded = loadScenario("readme.yaml", { readFile: () => text, env: {} });
      if (!loaded.ok) {
        expect(loaded.diagnostics).toEqual([]);
        return;
      }
      const { scenario } = loaded;
      if (scenario.bridges.length > 0 && lacksEmulator) skip("no emulator for its boards");
      const identity = {
        file: "readme.yaml",
        sha256: "",
        seed: 1,
        clock: scenario.clock,
        variant: "main",
        replay: "",
        gitSha: null,
      };
      const record = await runScenario({ scenario, folder: ".", identity, openBench });
      expect(record.expectations.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
      expect(record.verdict).toBe("passed");
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
