import { pathToFileURL } from "node:url";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createCloud } from "fleetrig/broker";
import { FleetrigError } from "fleetrig/kernel";
import { expectPassed, runScenarioFile } from "fleetrig/testing";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const program = "test/embedding/plain-program.mjs";
const scenario = (name: string): URL => pathToFileURL(`test/embedding/${name}`);

/**
 * Whatever keeps a process alive or listens to it, counted by kind. Timers are left to the test of a process of
 * its own: in this one the test runner's come and go.
 */
function openThings(): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (kind: string, by = 1): void => {
    counts[kind] = (counts[kind] ?? 0) + by;
  };
  for (const kind of process.getActiveResourcesInfo()) if (kind !== "Timeout") count(kind);
  for (const event of process.eventNames()) count(`on ${String(event)}`, process.listenerCount(event));
  return counts;
}

describe("nothing is left open or listening", () => {
  let before: Record<string, number>;

  beforeEach(() => {
    before = openThings();
  });

  // The system confirms the end of a socket a few turns of the event loop after we asked for it.
  afterEach(() => vi.waitFor(() => expect(openThings()).toEqual(before), { timeout: 1_000, interval: 5 }));

  it("by a virtual run", async () => {
    expectPassed(await runScenarioFile(scenario("sensor-wave.yaml")));
  });

  it("by a real run (realtime)", async () => {
    expectPassed(await runScenarioFile(scenario("sensor-wave.yaml"), { clock: "real" }));
  });

  it("by a real run that is interrupted, which ends at once (realtime)", async () => {
    const ending = new AbortController();
    const record = await runScenarioFile(scenario("sensor-wave.yaml"), {
      clock: "real",
      signal: ending.signal,
      listening: () => setTimeout(() => ending.abort(), 100),
    });
    expect(record.verdict).toBe("interrupted");
    expect(record.durationMs).toBeLessThan(10_000);
    expect(() => expectPassed(record)).toThrow("interrupted");
  });

  it("by a virtual run that is interrupted before it began", async () => {
    const record = await runScenarioFile(scenario("sensor-wave.yaml"), { signal: AbortSignal.abort() });
    expect(record.verdict).toBe("interrupted");
  });

  it("by a cloud of its own, clients still connected (realtime)", async () => {
    const cloud = await createCloud();
    const { port } = await cloud.listen();
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    const closed = new Promise((resolve) => client.once("close", () => resolve(undefined)));
    await cloud.stop();
    await closed;
    client.end(true);
  });

  it("by a cloud that nobody ever used", async () => {
    await (await createCloud({ listen: [{ port: 0 }, { port: 0 }] })).stop();
  });

  it("so that a plain program ends by itself, timers included (realtime)", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 20_000 });
    const { verdicts, left } = JSON.parse(stdout) as { verdicts: string[]; left: string[] };
    expect(verdicts).toEqual(["passed", "passed"]);
    expect(left).toEqual([]);
  });
});

describe("expectPassed", () => {
  it("lists what was not met, where it is written, and how to repeat the run", async () => {
    const record = await runScenarioFile(scenario("lossy.yaml"), { seed: 9 });
    const failure = await Promise.resolve()
      .then(() => expectPassed(record))
      .catch((error: unknown) => error as FleetrigError);
    expect(failure).toBeInstanceOf(FleetrigError);
    expect((failure as FleetrigError).message.split("\n")).toEqual([
      "Scenario lossy did not pass: failed (seed 9, virtual time).",
      "  fail: delivery.lost{qos=0} == 0",
      "    delivery.lost{qos=0} = 3, expected == 0. (test/embedding/lossy.yaml:18:5)",
      "  replay: fleetrig run test/embedding/lossy.yaml --seed 9 --clock virtual",
      "1 of 2 expectations were not met. (TESTING_RUN_NOT_PASSED)",
    ]);
  });

  it("names every problem of a scenario that cannot run", async () => {
    const failure = await runScenarioFile("test/scenarios/corpus/no-verb.yaml").catch(
      (error: unknown) => error as FleetrigError,
    );
    expect(failure).toMatchObject({ code: "TESTING_SCENARIO_INVALID", exitCode: 2 });
    expect((failure as FleetrigError).message).toContain("test/scenarios/corpus/no-verb.yaml:");
  });
});
