import { parseSuiteRecord } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { command, scenario } from "./command.js";

/** Ten sensors; at 1 m 10 s of the run, three lose their connection. */
const outage = (...expectations: string[]): string =>
  scenario("cut", ["expect:", ...expectations.map((text) => `  - ${text}`)].join("\n")).replace(
    "- { name: steady, duration: 2m }",
    "- name: steady\n    duration: 2m\n    actions: [{ at: 1m, disconnect: { id: cut, select: { count: 3 }, hold: 30s } }]",
  );

async function run(...expectations: string[]) {
  const { code, files } = await command("run a.yaml --report json=r.json", {
    "a.yaml": outage(...expectations),
  });
  const [record] = parseSuiteRecord(files.get("r.json") ?? "", "r.json").runs;
  return { code, record: record! };
}

const LOST = "connections.lost == 0";

describe("abortOnFail", () => {
  it("ends the run within a second of the failure, and the record says why", async () => {
    const { code, record } = await run(`{ expr: ${LOST}, abortOnFail: true }`);
    expect(code).toBe(1);
    expect(record.verdict).toBe("failed");
    expect(record.durationMs).toBe(71_000);
    expect(record.expectations[0]).toMatchObject({
      verdict: "fail",
      value: 3,
      reason: "connections.lost = 3, expected == 0. It ended the run after 1m 11s.",
    });
  });

  it("looks again every second, and at nothing before delayAbortEval", async () => {
    const { record } = await run(`{ expr: ${LOST}, abortOnFail: true, delayAbortEval: 100s }`);
    expect(record.durationMs).toBe(100_000);
  });

  it("leaves the run alone while the expectation holds or has no data", async () => {
    const { record } = await run(
      "{ expr: connections.lost <= 3, abortOnFail: true }",
      "{ expr: 'reconnect.time{action=cut} max < 10m', abortOnFail: true }",
    );
    expect(record).toMatchObject({ verdict: "passed", durationMs: 130_000 });
  });

  it("does not end a run without being asked to", async () => {
    const { code, record } = await run(LOST);
    expect({ code, durationMs: record.durationMs }).toEqual({ code: 1, durationMs: 130_000 });
  });

  it("calls inconclusive what the rest of the run might have met, and keeps what has passed", async () => {
    const { record } = await run(
      `{ expr: ${LOST}, abortOnFail: true }`,
      "telemetry.published{stage=steady} == 120",
      "connections.online >= 0",
    );
    expect(record.expectations.map(({ verdict }) => verdict)).toEqual(["fail", "inconclusive", "pass"]);
    expect(record.expectations[1]?.reason).toContain(`because ${LOST} failed.`);
    expect(record.verdict).toBe("failed");
  });

  it("gives the same report twice", async () => {
    const [first, second] = [
      await run(`{ expr: ${LOST}, abortOnFail: true }`),
      await run(`{ expr: ${LOST}, abortOnFail: true }`),
    ];
    expect({ ...first.record, environment: null }).toEqual({ ...second.record, environment: null });
  });
});
