import { expect, it } from "vitest";
import { lacksEmulator } from "../../rigs.js";
import { runWithBoards } from "../bench/run-with-boards.js";

const SCENARIO = `
version: 1
name: two-clocks
seed: 3
fleet:
  - group: sensors
    model: builtin:temperature-sensor
    count: 2
    thingName: "sensor-{index}"
    telemetry:
      - { name: climate, every: 100ms, topic: "bench/{thingName}/climate", qos: 1, payload: { seq: "{seq}" } }
stages:
  - { name: arrive, until: connections.online == 2, timeout: 60s, measure: false }
  - { name: steady, duration: 4s }
expect:
  - latency.e2e p(50) < 10s
  - latency.e2e p(50) < 1us
`;

it.skipIf(lacksEmulator)(
  "times from boards to the host are known to ± u of their clocks, and no verdict is finer than that",
  { timeout: 90_000 },
  async () => {
    const record = await runWithBoards(SCENARIO, { boards: ["sensors=rv32,count=2"] });
    const latency = record.metrics.find(({ name }) => name === "latency.e2e");
    const worstMs = Math.max(...(record.boards ?? []).map(({ clock }) => clock?.worstMs ?? 0));
    expect(record.boards).toHaveLength(2);
    expect(latency?.uncertaintyMs).toBeGreaterThan(0);
    expect(latency?.uncertaintyMs).toBeLessThanOrEqual(worstMs);
    const [loose, tight] = record.expectations;
    expect(loose!.verdict).not.toBe("fail");
    expect(tight!.verdict).toBe("inconclusive");
    expect(tight!.measured).toMatch(/ ± /);
  },
);
