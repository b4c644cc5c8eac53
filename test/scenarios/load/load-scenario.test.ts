import { readdirSync, readFileSync } from "node:fs";
import { loadScenario } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { findings, loadFrom, loadValid, SMALL } from "./memory-files.js";

const library = "scenarios/library/";
const shipped = ["", "must-fail/"].flatMap((folder) =>
  readdirSync(library + folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => folder + name),
);

describe("a scenario in the library", () => {
  it("is one of at least eight, three of which must fail", () => {
    expect(shipped.length).toBeGreaterThanOrEqual(8);
    expect(shipped.filter((name) => name.startsWith("must-fail/")).length).toBeGreaterThanOrEqual(3);
  });

  it.each(shipped)("%s is valid, without warnings, and named like its file", (name) => {
    const result = loadScenario(library + name, { readFile: (path) => readFileSync(path, "utf8") });
    expect(findings(result)).toEqual([]);
    if (!result.ok) return;
    expect(result.scenario.description).not.toBe("");
    expect(readFileSync(library + name, "utf8")).toMatch(
      /^# yaml-language-server: \$schema=(?:\.\.\/){1,2}scenario\.schema\.json\n/,
    );
  });
});

describe("a loaded scenario", () => {
  it("has a default for everything that is not written", () => {
    const { scenario } = loadValid(SMALL);
    expect(scenario).toMatchObject({
      description: "",
      tags: [],
      seed: 1,
      clock: "virtual",
      broker: {
        mode: "embedded",
        profile: "aws",
        url: undefined,
        limits: { connectRatePerSecond: undefined, overload: "refuse" },
      },
      services: { shadows: false, jobs: false, rules: false },
      network: {},
      bench: { file: undefined, host: undefined },
      bridges: [],
      rules: [],
      expect: [],
      sweep: undefined,
      report: { formats: ["json", "junit", "html", "markdown"], baseline: undefined },
    });
    expect(scenario.fleet[0]).toMatchObject({
      network: undefined,
      mqtt: { protocolVersion: 5, keepAliveS: 60, cleanStart: true, sessionExpiryS: 0, will: undefined },
      arrival: { kind: "spread", spreadUs: 0 },
      reconnect: { policy: "full-jitter", baseUs: 1e6, capUs: 60e6, resetAfterUs: 60e6 },
      telemetry: [],
      shadow: undefined,
      ota: undefined,
      buffer: { capacity: 100, overflow: "drop-oldest" },
      signals: {},
      settings: {},
    });
    expect(scenario.stages[0]).toMatchObject({
      durationUs: 60e6,
      until: undefined,
      measure: true,
      actions: [],
    });
  });

  it("has numbers instead of quantities", () => {
    const { scenario } = loadValid(`version: 1
name: full
clock: real
services: { shadows: true, jobs: true }
broker: { listen: "127.0.0.1:0", limits: { connectRate: 120/m, overload: queue, maxQueuedPerSession: 5, maxInflight: 7 } }
network:
  lte:
    latency: { dist: lognormal, median: 90ms, p99: 1.5s }
    loss: 0.2%
    bandwidth: 256kbit/s
  lab: { latency: { dist: empirical, samples: [1ms, 2ms] } }
  far: { latency: 3ms }
fleet:
  - group: trackers
    model: ./models/tracker.machine.ts#tracker
    count: 10
    thingName: "trk-{index:04}"
    attributes:
      site: hq
      hw: { choice: { revA: 70%, revB: 30% } }
      floor: { cycle: { from: 1, to: 3 } }
      serial: { identity: serial }
    network: lte
    mqtt:
      protocolVersion: 3.1.1
      keepAlive: 2m
      sessionExpiry: 24h
      will: { topic: "gone/{thingName}", payload: bye, qos: 1, retain: true, delay: 10s }
    connect: { arrival: { rate: 30/m, distribution: poisson } }
    reconnect: { policy: decorrelated, base: 500ms, cap: PT2M, resetAfter: 1m30s }
    telemetry:
      - { every: 30s, phase: index, topic: "t/{thingName}", qos: 1, retain: true, payload: { t: "{state.t}" } }
    shadow: { name: config, applyTime: 1s }
    ota: { executionTime: { dist: uniform, min: 60s, max: 180s }, blockBytes: 1024 }
    buffer: { capacity: 0, overflow: drop-newest }
    signals:
      t: { shape: sine, mean: 20, amplitude: 3, period: 24h, noise: 0.1, decimals: 1 }
      s: { shape: sawtooth, min: 0, max: 1, period: 1m }
      r: { shape: replay, values: [1, 2], every: 5s }
      w: { shape: random-walk, start: 1, step: 1, min: 0, max: 2, decimals: 2 }
    settings: { model: { deep: [1, true, null] } }
  - { group: boards, things: [b-1, b-2], requires: hardware }
bridges:
  - { id: desk, board: { mac: "7C:DF:A1:00:11:22", tags: [lab] }, thing: b-1, path: direct }
stages:
  - name: all
    until: job.terminal{job=j}
    timeout: 30m
    measure: false
    actions:
      - { at: 9s, checkpoint: late }
      - at: 0s
        disconnect: { id: wave, select: { group: trackers, where: { site: hq }, percent: 40% }, mode: graceful, over: 1s, hold: 2s, repeat: 3 }
      - { at: 1s, connect: { select: { things: [b-1] }, over: 5s } }
      - { at: 2s, setState: { select: { count: 2 }, t: { rampTo: 34, over: 2m }, mode: eco, v: { to: 3 } } }
      - { at: 3s, updateShadow: { desired: { a: 1 }, shadowName: config, version: 4 } }
      - at: 4s
        createJob:
          jobId: j
          targets: { group: trackers }
          document: { v: 2 }
          abortConfig: { criteriaList: [{ failureType: ALL, action: CANCEL, thresholdPercentage: 10.25, minNumberOfExecutedThings: 1 }] }
      - { at: 5s, inject: { fault: ota.slow, probability: 30%, for: 1m, detail: { factor: 2 } } }
      - { at: 6s, publish: { topic: "x/{thingName}", select: { group: boards }, payload: { a: 1 }, qos: 1, retain: true } }
      - { at: 6s, publish: { topic: y } }
      - { at: 7s, restartBroker: { downFor: 3s } }
      - { at: 8s, cancelJob: { jobId: j, force: true, comment: enough } }
expect:
  - expr: broker.connect_queue max < 2000
    name: queue stays short
    severity: fail
    abortOnFail: true
    delayAbortEval: 10s
    allowEmpty: true
report: { formats: [json], baseline: { file: b.json, tolerance: { latency.e2e: 15% } } }
`);
    expect(scenario).toMatchSnapshot();
  });

  it("has actions in the order of their times, with ids that tell where they stand", () => {
    const { scenario } = loadValid(
      SMALL.replace(
        "{ name: steady, duration: 1m }",
        "{ name: s, duration: 1m, actions: [{ at: 2s, checkpoint: b }, { at: 1s, checkpoint: a }, { at: 2s, connect: { id: c } }] }",
      ),
    );
    expect(scenario.stages[0]?.actions.map(({ id, atUs }) => [id, atUs])).toEqual([
      ["s#1", 1e6],
      ["s#0", 2e6],
      ["c", 2e6],
    ]);
  });

  it("knows where its expectations are written", () => {
    const { scenario, sourceMap } = loadValid(
      `${SMALL}expect:\n  - delivery.lost == 0\n  - severity: warn\n    expr: 'delivery.ratio > 99%'\n`,
    );
    expect(scenario.expect.map(({ position }) => [position.line, position.column])).toEqual([
      [8, 5],
      [10, 11],
    ]);
    expect(scenario.expect[1]?.expectation).toMatchObject({ metric: "delivery.ratio", operator: ">" });
    expect(sourceMap.locate(["fleet", 0, "group"])).toEqual({ file: "scenario.yaml", line: 4, column: 14 });
    expect(sourceMap.locate(["fleet", 0, "nothing", "here"])).toMatchObject({ line: 4 });
  });

  it("takes seed and clock from the command when it gives them", () => {
    const { scenario } = loadValid(SMALL, { seedOverride: 7, clockOverride: "real" });
    expect(scenario).toMatchObject({ seed: 7, clock: "real" });
  });

  it("is checked for the clock that the command asks for", () => {
    const external = `${SMALL}clock: real\nbroker: { mode: external, url: "mqtt://127.0.0.1" }\n`;
    expect(loadFrom({ "a.yaml": external }).ok).toBe(true);
    expect(findings(loadFrom({ "a.yaml": external }, { clockOverride: "virtual" }))).toEqual([
      "SCENARIO_CLOCK 7:8",
    ]);
  });
});

describe("a sweep", () => {
  const sweep = (override: string) =>
    `${SMALL}sweep:\n  seeds: 3..5\n  expect: [delivery.lost max == 0]\n  control:\n    override: { ${override} }\n    expect: [delivery.lost max < 9]\n`;

  it("has its seeds and a control run that is a scenario of its own", () => {
    const { scenario } = loadValid(sweep("stages.steady.duration: 2m, fleet.a.count: 3, seed: 9"));
    expect(scenario.sweep?.seeds).toEqual([3, 4, 5]);
    expect(scenario.sweep?.expect[0]?.position.line).toBe(9);
    expect(scenario.sweep?.variants[0]?.scenario).toMatchObject({
      seed: 9,
      fleet: [{ count: 3 }],
      stages: [{ durationUs: 120e6 }],
      sweep: undefined,
    });
    expect(scenario.fleet[0]?.count).toBe(20);
  });

  it("takes a list of seeds", () => {
    expect(
      loadValid(`${SMALL}sweep: { seeds: [4, 2], expect: [delivery.lost max == 0] }\n`).scenario.sweep?.seeds,
    ).toEqual([4, 2]);
  });

  it("reports a mistake of the control run where the override stands", () => {
    expect(findings(loadFrom({ "a.yaml": sweep("stages.0.duration: soon") }))).toEqual([
      "SCENARIO_UNIT 11:36",
    ]);
    expect(findings(loadFrom({ "a.yaml": sweep("fleet.b.count: 1") }))).toEqual([
      "SCENARIO_UNKNOWN_PATH 11:17",
    ]);
    expect(findings(loadFrom({ "a.yaml": sweep("name.first: x") }))).toEqual(["SCENARIO_UNKNOWN_PATH 11:17"]);
  });
});
