import { readdirSync } from "node:fs";
import { runScenarioFile } from "fleetrig/testing";
import { describe, expect, it } from "vitest";
import { reproducibleBytes } from "./run-text.js";

/** The large ones have their turn every night, twenty times each and under four versions of Node: .ci/determinism. */
const shipped = [
  ...readdirSync("scenarios/library/must-fail").map((name) => `scenarios/library/must-fail/${name}`),
  "scenarios/library/real-sockets.yaml",
].filter((path) => path.endsWith(".yaml"));

describe("a shipped scenario in virtual time", () => {
  it.each(shipped)("is reproducible to the byte: %s", async (path) => {
    const first = await runScenarioFile(path, { clock: "virtual" });
    const second = await runScenarioFile(path, { clock: "virtual" });
    expect(first.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(reproducibleBytes(second)).toBe(reproducibleBytes(first));
  });

  it.each(shipped.slice(0, 1))("takes its seed seriously: %s", async (path) => {
    const [one, other] = await Promise.all([1, 2].map((seed) => runScenarioFile(path, { seed })));
    expect(one!.fingerprint).not.toBe(other!.fingerprint);
  });
});
