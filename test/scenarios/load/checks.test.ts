import { describe, expect, it } from "vitest";
import { findings, loadFrom, SMALL } from "./memory-files.js";

/** What a load finds: the code, and the text that the caret underlines. */
function underlined(text: string): string[] {
  const result = loadFrom({ "a.yaml": text });
  const lines = text.split("\n");
  return (result.ok ? result.warnings : result.diagnostics).map(({ code, line, column, length }) => {
    const written = lines[line - 1]?.slice(column - 1, column - 1 + length) ?? "";
    return `${code.replace("SCENARIO_", "")}: ${written}`;
  });
}

const group = (more: string): string => SMALL.replace("floor: 7 }", `floor: 7 }, ${more}`);
const action = (written: string, more = ""): string =>
  SMALL.replace("duration: 1m", `duration: 1m, actions: [{ at: 1s, ${written} }]`) + more;
const job = (more: string): string =>
  action(`createJob: { jobId: j, targets: {}, document: {}, ${more} }`, "services: { jobs: true }\n");
const end = (more: string): string => SMALL + more;
const board = "clock: real\nbridges: [{ id: x, board: { port: p }, thing: b }]\n";

const CASES: readonly (readonly [text: string, ...found: string[]])[] = [
  // Broker and clock
  [end('broker: { url: "mqtt://x" }\n'), "CONTRADICTION: url"],
  [end("broker: { listen: here }\n"), "INVALID_VALUE: here"],
  [end('broker: { listen: "[::1]:0" }\n')],
  [end("broker: { limits: { connectRate: 0/s } }\n"), "OUT_OF_RANGE: 0/s"],
  [end('broker: { mode: external, url: "http://x" }\nclock: real\n'), 'INVALID_VALUE: "http://x"'],
  [
    end(
      'broker: { mode: external, url: "wss://x/mqtt", profile: oasis }\nclock: real\nservices: { jobs: true }\n',
    ),
    "CONTRADICTION: profile",
    "CONTRADICTION: jobs",
  ],
  [end('broker: { mode: external, url: "mqtt://x" }\n'), "CLOCK: external"],
  [
    end("bridges: [{ id: x, board: { port: p }, thing: b }]\n"),
    "CLOCK: [{ id: x, board: { port: p }, thing: b }]",
    "DANGLING_REFERENCE: b",
  ],
  [end(board), "DANGLING_REFERENCE: b"],
  [end("clock: real\nbridges: []\n")],
  [end("clock: real\nbridges: [{ id: x, board: { virtual: rv32 }, group: a, count: 2 }]\n")],
  [end("clock: real\nbridges: [{ id: x, board: { virtual: rv32 }, group: b }]\n"), "DANGLING_REFERENCE: b"],
  [end("clock: real\nbridges: [{ id: x, board: {}, group: a }]\n"), "MISSING_KEY: {"],
  [end("clock: real\nbridges: [{ id: x, board: { chip: c }, group: a, thing: b }]\n"), "CONTRADICTION: {"],
  [end("clock: real\nbridges: [{ id: x, board: { chip: c } }]\n"), "MISSING_KEY: {"],
  [action("reset: { select: { group: nobody } }"), "DANGLING_REFERENCE: nobody"],
  [action("stimulate: {}"), "MISSING_KEY: {"],
  [action('awaitLog: { pattern: "(?<=x)y" }'), 'INVALID_VALUE: "(?<=x)y"'],
  [action("inject: { fault: serial.noise, detail: { volume: 11 } }"), "UNKNOWN_KEY: volume"],
  // Network and distributions
  [end("network: { w: { latency: { dist: uniform, min: 2s, max: 1s } } }\n"), "OUT_OF_RANGE: 1s"],
  [end("network: { w: { latency: { dist: lognormal, median: 2s, p99: 1s } } }\n"), "OUT_OF_RANGE: 1s"],
  [end("network: { w: { latency: { dist: lognormal, median: 0s, p99: 1s } } }\n"), "OUT_OF_RANGE: 0s"],
  [
    end(
      "network: { w: { latency: { dist: normal, mean: 1s, stddev: 1ms } }, x: { latency: { dist: exponential, mean: 1s } }, y: { latency: { dist: constant, value: 1s } } }\n",
    ),
  ],
  [end("network: { w: { latency: { dist: empirical, samples: [] } } }\n"), "OUT_OF_RANGE: []"],
  [end("network: { w: { latency: [1s] } }\n"), "WRONG_TYPE: [1s]"],
  [end('network: { "w w": {} }\n'), 'INVALID_NAME: "w w"'],
  // Fleet
  [SMALL.replace('model: "builtin:shadow-device", ', ""), "MISSING_KEY: {"],
  [SMALL.replace("builtin:shadow-device", "shadow-device"), 'INVALID_VALUE: "shadow-device"'],
  [SMALL.replace("builtin:shadow-device", "./models/a.ts#default")],
  [SMALL.replace(", count: 20", ""), "MISSING_KEY: {"],
  [
    SMALL.replace('count: 20, thingName: "a-{index}"', "things: [a-1, b.2, a-1]"),
    "INVALID_NAME: b.2",
    "DUPLICATE_NAME: a-1",
  ],
  [group("things: [x]"), "CONTRADICTION: count", "CONTRADICTION: thingName"],
  [group("requires: hardware").replace(', count: 20, thingName: "a-{index}"', ""), "MISSING_KEY: {"],
  [group("requires: hardware")],
  [group("requires: software"), "INVALID_VALUE: software"],
  [SMALL.replace("a-{index}", "{floor}"), 'NAMES_NOT_UNIQUE: "{floor}"'],
  [SMALL.replace("a-{index}", "a-{n}").replace("floor: 7", "n: { cycle: { from: 1, to: 20 } }")],
  [
    SMALL.replace("a-{index}", "a-{n}").replace("floor: 7", "n: { cycle: { from: 1, to: 19 } }"),
    'NAMES_NOT_UNIQUE: "a-{n}"',
  ],
  [SMALL.replace("a-{index}", "{n}").replace("floor: 7", "n: { identity: uuid }")],
  [SMALL.replace("floor: 7", "n: { identity: passport }"), "INVALID_VALUE: passport"],
  [SMALL.replace("floor: 7", "n: { cycle: { from: 3, to: 1 } }"), "OUT_OF_RANGE: 1"],
  [SMALL.replace("floor: 7", "n: [1]"), "WRONG_TYPE: [1]"],
  [group("mqtt: { protocolVersion: 3 }"), "INVALID_VALUE: 3"],
  [group("mqtt: { keepAlive: 20h }"), "OUT_OF_RANGE: 20h"],
  [group("mqtt: { publishRetry: 10s }"), "CONTRADICTION: 10s"],
  [group("mqtt: { protocolVersion: 4, publishRetry: 0s }"), "OUT_OF_RANGE: 0s"],
  [group('mqtt: { will: { topic: "w/#", delay: 10ms } }'), 'TOPIC: "w/#"', "OUT_OF_RANGE: 10ms"],
  [group('mqtt: { will: { topic: "w", payload: "{nobody}" } }'), "PLACEHOLDER: {nobody}"],
  [group("reconnect: { policy: constant, base: 5s, cap: 1s }"), "OUT_OF_RANGE: 1s"],
  [group("reconnect: { policy: constant, base: 5m }"), "OUT_OF_RANGE: 5m"],
  [group("connect: { arrival: { rate: 0/s } }"), "OUT_OF_RANGE: 0/s"],
  [group("connect: { arrival: { rate: 1/s, distribution: uniform } }"), "CONTRADICTION: uniform"],
  [group("connect: { arrival: { spread: 1s, distribution: poisson } }"), "CONTRADICTION: poisson"],
  [group("connect: { arrival: { spread: 1s, distribution: linear } }")],
  [
    group("telemetry: [{ name: x, every: 1us, topic: t }, { name: x, every: 1s, topic: t }]"),
    "OUT_OF_RANGE: 1us",
    "DUPLICATE_NAME: x",
  ],
  [group('telemetry: [{ every: 1s, topic: t, payload: [{ a: "{seqq}" }] }]'), "PLACEHOLDER: {seqq}"],
  [group("shadow: { name: a.b }"), "INVALID_NAME: a.b"],
  [group("signals: { t: { shape: sine, mean: 1, amplitude: 1, period: 0s } }"), "OUT_OF_RANGE: 0s"],
  [group("signals: { t: { shape: random-walk, start: 1, step: 1, min: 2, max: 1 } }"), "OUT_OF_RANGE: 1"],
  [group("signals: { t: { shape: replay, values: [1], every: 0s } }"), "OUT_OF_RANGE: 0s"],
  [group("signals: { t: { shape: square } }"), "WRONG_TYPE: square"],
  [
    group(
      "signals: { t: { shape: battery, start: 100, perDay: 1, perSample: 0 }, u: { shape: constant, value: 1 } }",
    ),
  ],
  // Stages and actions
  [SMALL.replace("duration: 1m", "duration: 0s"), "OUT_OF_RANGE: 0s"],
  [SMALL.replace("duration: 1m", "duration: 1m, timeout: 2m"), "CONTRADICTION: timeout"],
  [action("checkpoint: a b"), "INVALID_VALUE: a b"],
  [action("connect: { id: x } }, { at: 2s, connect: { id: x }"), "DUPLICATE_NAME: x"],
  [action("setState: { select: { group: a } }"), "MISSING_KEY: {"],
  [action("setState: { t: { rampTo: 1 } }"), "MISSING_KEY: {"],
  [action("setState: { t: [1] }"), "WRONG_TYPE: [1]"],
  [
    action("updateShadow: { desired: {}, shadowName: a.b }", "services: { shadows: true }\n"),
    "INVALID_NAME: a.b",
  ],
  [action("inject: { fault: ota.slow }"), "SERVICE_OFF: inject"],
  [action("inject: { fault: link.latency }"), "MISSING_KEY: fault"],
  [action('publish: { topic: "a/+" }'), 'TOPIC: "a/+"'],
  [action('publish: { topic: "a/{floor}" }'), "PLACEHOLDER: {floor}"],
  [action('publish: { topic: "a/{floor}", select: { group: a } }')],
  [action("restartBroker: {}")],
  [
    action("restartBroker: {}", 'clock: real\nbroker: { mode: external, url: "mqtt://x" }\n'),
    "CONTRADICTION: restartBroker",
  ],
  [action("connect: { select: { things: [a-1, a-7] } }")],
  [action('connect: { select: { where: { floor: "7" } } }'), 'EMPTY_SELECTION: "7"'],
  [action("connect: { select: { where: { c: x } } }").replace("floor: 7", "c: { choice: { x: 100% } }")],
  [
    action("connect: { select: { where: { c: y } } }").replace("floor: 7", "c: { choice: { x: 100% } }"),
    "EMPTY_SELECTION: y",
  ],
  [
    action("connect: { select: { where: { c: 21 } } }").replace(
      "floor: 7",
      "c: { cycle: { from: 1, to: 99 } }",
    ),
    "EMPTY_SELECTION: 21",
  ],
  [action("connect: { select: { where: { c: s } } }").replace("floor: 7", "c: { identity: serial }")],
  // Jobs
  [job("description: d")],
  [job(`description: "${"d".repeat(2029)}"`), `OUT_OF_RANGE: "${"d".repeat(199)}`],
  [job("x: 1"), "UNKNOWN_KEY: x"],
  [
    job(
      "jobExecutionsRolloutConfig: { maximumPerMinute: 5, exponentialRate: { baseRatePerMinute: 10, incrementFactor: 1.25, rateIncreaseCriteria: {} } }",
    ),
    "OUT_OF_RANGE: 10",
    "OUT_OF_RANGE: 1.25",
    "CONTRADICTION: rateIncreaseCriteria",
  ],
  [
    job(
      "abortConfig: { criteriaList: [{ failureType: ALL, action: CANCEL, thresholdPercentage: 0.125, minNumberOfExecutedThings: 1 }] }",
    ),
    "OUT_OF_RANGE: 0.125",
  ],
  [job("timeoutConfig: { inProgressTimeoutInMinutes: 10081 }"), "OUT_OF_RANGE: 10081"],
  [job("targetSelection: ALL"), "INVALID_VALUE: ALL"],
  [
    action(
      `createJob: { jobId: fw.1, targets: {}, document: { a: "${"x".repeat(32_768)}" } }`,
      "services: { jobs: true }\n",
    ),
    "NOT_AWS: fw.1",
    "OUT_OF_RANGE: document",
  ],
  // Accepted, because real files have them, but pointed out
  [
    action("createJob: { jobId: fw-2.4.0, targets: {}, document: {} }", "services: { jobs: true }\n"),
    "NOT_AWS: fw-2.4.0",
  ],
  // Expectations
  [end("expect: [delivery.ratio > 100%]\n"), "IMPOSSIBLE_EXPECTATION: 100%"],
  [end("expect: [delivery.ratio == 101%]\n"), "IMPOSSIBLE_EXPECTATION: 101%"],
  [end("expect: [delivery.lost <= -1]\n"), "IMPOSSIBLE_EXPECTATION: -1"],
  [
    end("expect: [delivery.lost >= 0, delivery.ratio < 150%, delivery.lost != -1, delivery.lost > -1]\n"),
    "CERTAIN_EXPECTATION: 0",
    "CERTAIN_EXPECTATION: 150%",
    "CERTAIN_EXPECTATION: -1",
    "CERTAIN_EXPECTATION: -1",
  ],
  [end("expect: ['delivery.lots == 0']\n"), "EXPECTATION: delivery.lots"],
  [end('expect: ["delivery.\\u006cots == 0"]\n'), 'EXPECTATION: "delivery.\\u006cots == 0"'],
  [end("expect:\n  - expr: >\n      delivery.lost{stage=other}\n      == 0\n"), "DANGLING_REFERENCE: >"],
  [end("expect: [{ expr: delivery.lost == 0, delayAbortEval: 1s }]\n"), "CONTRADICTION: delayAbortEval"],
  [
    end("expect: [{ expr: delivery.lost == 0, severity: warn, abortOnFail: true }]\n"),
    "CONTRADICTION: abortOnFail",
  ],
  [
    end("sweep: { seeds: 1..2, expect: [{ expr: delivery.lost max == 0, abortOnFail: true }] }\n"),
    "CONTRADICTION: abortOnFail",
  ],
  // Rules, sweep, report
  [
    end(
      "services: { rules: true }\nrules: [{ name: a-b, sql: \"SELECT * FROM 'x'\", actions: [{ a: {}, b: {} }], errorAction: { sqss: {} } }]\n",
    ),
    "NOT_AWS: a-b",
    "RULE_ACTION: { a: {}, b: {} }",
    "RULE_ACTION: sqss",
  ],
  [end("sweep: { seeds: [1, 1], expect: [delivery.lost max == 0] }\n"), "DUPLICATE_NAME: [1, 1]"],
  [end("sweep: { seeds: many, expect: [delivery.lost max == 0] }\n"), "INVALID_VALUE: many"],
  [end("sweep: { seeds: 7, expect: [delivery.lost max == 0] }\n"), "WRONG_TYPE: 7"],
  [end("report: { baseline: { file: b.json, tolerance: { latency.e2e: 5ms } } }\n"), "INVALID_VALUE: 5ms"],
];

describe("the checks of a scenario", () => {
  it.each(CASES)("%s", (text, ...found) => {
    expect(underlined(text)).toEqual(found);
  });

  it("are all reported at once, in the order of the file", () => {
    const text =
      `${group("network: nowhere")}expect: [delivery.lost < 0]\nservices: { jobs: true }\n`.replace(
        "duration: 1m",
        "duration: 0s",
      );
    expect(findings(loadFrom({ "a.yaml": text })).map((found) => found.split(" ")[0])).toEqual([
      "SCENARIO_DANGLING_REFERENCE",
      "SCENARIO_OUT_OF_RANGE",
      "SCENARIO_IMPOSSIBLE_EXPECTATION",
    ]);
  });
});
