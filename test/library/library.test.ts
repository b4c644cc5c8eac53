import { readdirSync } from "node:fs";
import { runScenarioFile } from "fleetrig/testing";
import { describe, expect, it } from "vitest";

const scenariosIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => `${folder}/${name}`);

describe("the shipped library in virtual time", () => {
  it.each(scenariosIn("scenarios/library"))("%s passes", { timeout: 240_000 }, async (file) => {
    const record = await runScenarioFile(file, { clock: "virtual" });
    const missed = record.expectations.filter(({ verdict }) => verdict !== "pass");
    expect(missed.map(({ expr, measured, reason }) => `${expr}: ${measured} ${reason}`)).toEqual([]);
    expect(record.verdict).toBe("passed");
  });

  it.each(scenariosIn("scenarios/library/must-fail"))("%s fails, as it must", async (file) => {
    const record = await runScenarioFile(file, { clock: "virtual" });
    expect(record.failure).toBeNull();
    expect(record.verdict).toBe("failed");
  });
});
