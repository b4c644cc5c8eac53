import { readFileSync } from "node:fs";
import { loadScenario } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { needsCounterfactual } from "../../scenarios/runner/counterfactual.js";
import { runAndMeasure } from "../../scenarios/runner/run-scenario.js";

const FILE = "scenarios/library/ota-rollout-abort.yaml";

/** The OTA example with fewer devices, and a sweep that asks what its aborts prevent. */
function smallRollout() {
  const text = readFileSync(FILE, "utf8")
    .replace("count: 1000", "count: 60")
    .replace(
      "  expect:\n    - job.blast_radius",
      "  expect:\n    - job.prevented p(50) > 0\n    - job.blast_radius",
    );
  const loaded = loadScenario(FILE, { readFile: () => text, env: {} });
  if (!loaded.ok) throw new RangeError(loaded.diagnostics.map(({ message }) => message).join(" "));
  return loaded.scenario;
}

describe("what an abort prevented", () => {
  it("is measured by one further run when only the sweep asks for it", async () => {
    const scenario = smallRollout();
    const { expect: alsoAsked } = scenario.sweep!;
    expect(needsCounterfactual(alsoAsked)).toBe(true);
    const identity = {
      file: FILE,
      sha256: "",
      seed: 1,
      clock: "virtual",
      variant: "main",
      replay: "",
      gitSha: null,
    } as const;
    const { reading } = await runAndMeasure(
      { scenario: { ...scenario, expect: [] }, alsoAsked, identity, folder: "." },
      (measurement) => measurement.observation.store.measure("job.prevented", {}),
    );
    expect(reading).toMatchObject({ kind: "gauge" });
    expect((reading as { last: number }).last).toBeGreaterThan(0);
  });
});
