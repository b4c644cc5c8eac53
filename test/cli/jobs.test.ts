import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSuiteRecord } from "fleetrig/reports";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scenario } from "./command.js";
import { build, type Ending, start } from "./process.js";

const SWEEP = "expect: []\nsweep: { seeds: 1..6, expect: [connections.online min == 10] }";

let folder = "";
beforeAll(() => {
  build();
  folder = mkdtempSync(join(tmpdir(), "fleetrig-jobs-"));
  const files = {
    "a.yaml": scenario("a").replace("duration: 2m", "duration: 2h"),
    "b.yaml": scenario("b"),
    "c.yaml": scenario("c", "expect: [connections.online == 11]"),
    "w.yaml": scenario("w", SWEEP),
    "lost.yaml": scenario("lost").replace("builtin:temperature-sensor", "./nowhere.mjs"),
    "leaving.yaml": scenario("leaving").replace("builtin:temperature-sensor", "./leaving.mjs"),
    "leaving.mjs": 'import process from "node:process"; process.exit(5);',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Ending> => start(["run", ...args], { cwd: folder }).ended;
const recordOf = (name: string) => parseSuiteRecord(readFileSync(join(folder, name), "utf8"), name);

describe("--jobs", () => {
  it("gives the results in the order of the scenarios, the same as without threads", async () => {
    const files = ["a.yaml", "b.yaml", "c.yaml"];
    const two = await run(...files, "--jobs", "2", "--report", "json=two.json");
    const one = await run(...files, "--report", "json=one.json");
    expect([one.code, two.code]).toEqual([1, 1]);
    const [inTwo, inOne] = ["two.json", "one.json"].map((name) =>
      recordOf(name).runs.map((record) => ({ ...record, environment: null })),
    );
    expect(inTwo?.map((record) => record.scenario.name)).toEqual(["a", "b", "c"]);
    expect(inTwo).toEqual(inOne);
  });

  it("spreads the seeds of a sweep, and judges them as one", async () => {
    const { code, stderr } = await run("w.yaml", "--sweep", "--jobs", "2", "--report", "json=w.json");
    expect(code).toBe(0);
    expect(stderr).toContain("6 of 6 runs done");
    expect(recordOf("w.json").sweeps).toMatchObject([
      { seeds: [1, 2, 3, 4, 5, 6], verdict: "passed", environment: { jobs: 2 } },
    ]);
  });

  it("stops every thread when interrupted, and judges the seeds that ran", async () => {
    const seeds = ["--seeds", "1..10000", "--jobs", "2", "--report", "json=i.json"];
    const command = start(["run", "b.yaml", ...seeds], { cwd: folder });
    await command.says("50 of 10000 runs done");
    command.child.kill("SIGINT");
    expect(await command.ended).toMatchObject({ code: 130, signal: null });
    const { verdict, sweeps } = recordOf("i.json");
    expect(verdict).toBe("interrupted");
    expect(sweeps[0]?.seeds.length).toBeGreaterThanOrEqual(50);
    expect(sweeps[0]?.seeds.length).toBeLessThan(10_000);
  });

  it("reports a run that cannot begin beside the others", async () => {
    const { code, stdout } = await run("lost.yaml", "b.yaml", "--jobs", "2");
    expect(code).toBe(2);
    expect(stdout).toContain("[MODEL_FILE_FAILED]");
    expect(stdout).toContain("✓ b seed 1");
  });

  it("says which run took its thread down", async () => {
    const { code, stderr } = await run("leaving.yaml", "b.yaml", "--jobs", "2");
    expect(code).toBe(3);
    expect(stderr).toContain("error: The thread of leaving.yaml seed 1 crashed: it left with code 5.");
    expect(stderr).toContain("hint: Run the scenario with --jobs 1 to see where.");
  });
});
