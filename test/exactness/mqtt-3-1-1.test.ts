import type { RunRecord } from "fleetrig/reports";
import { loadScenario } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { metric, runText } from "../determinism/run-text.js";

interface Stream {
  readonly version?: string;
  readonly topic?: string;
  readonly payload?: string;
  readonly more?: string;
}

/** 5 devices, 41 ticks of one second, cut off for 2 s. */
const textOf = ({
  version = "3.1.1",
  topic = "t/{thingName}/a",
  payload = '{ v: "{index}", n: "{seq}" }',
  more = "",
}: Stream = {}): string => `
version: 1
name: old-clients
services: { rules: true }
rules:
  - { name: hot, sql: "SELECT v FROM 't/+/a' WHERE v > 2", actions: [{ republish: { topic: "alert/\${topic(2)}", qos: 1 } }] }
fleet:
  - group: old
    model: builtin:temperature-sensor
    count: 5
    mqtt: { protocolVersion: ${version}, cleanStart: false }
    telemetry:
      - { name: a, every: 1s, phase: aligned, topic: "${topic}", qos: 1, payload: ${payload}${more} }
stages:
  - name: steady
    duration: 40500ms
    actions:
      - { at: 2500ms, disconnect: { id: cut, hold: 2s } }
  - { name: drain, duration: 30s, measure: false }
`;

const figures = (record: RunRecord) =>
  Object.fromEntries(
    ["delivery.sent", "delivery.received", "delivery.lost", "delivery.duplicates", "delivery.unexpected"]
      .concat(["rules.fired", "rules.precision", "rules.recall", "rules.untimed"])
      .map((name) => [name, metric(record, name)]),
  );

const warningsOf = (stream: Stream): string[] => {
  const loaded = loadScenario("scenario.yaml", { readFile: () => textOf(stream) });
  const found = loaded.ok ? loaded.warnings : loaded.diagnostics;
  return found.map(({ code, message }) => `${code} ${message}`);
};

describe("devices that speak MQTT 3.1.1", () => {
  it("are measured by topic and sequence number as MQTT 5 devices are by their tag", async () => {
    const [old, modern] = await Promise.all([runText(textOf()), runText(textOf({ version: "5" }))]);
    expect(figures(old)).toEqual({
      "delivery.sent": 205,
      "delivery.received": 205,
      "delivery.lost": 0,
      "delivery.duplicates": 0,
      "delivery.unexpected": 0,
      "rules.fired": 82,
      "rules.precision": 1,
      "rules.recall": 1,
      "rules.untimed": 0,
    });
    expect(figures(modern)).toEqual(figures(old));
  });

  it("find the sequence number in the field that the scenario names", async () => {
    const payload = '{ boot: "{seq}", n: "{seq}" }';
    const record = await runText(textOf({ payload, more: ", traceField: n" }));
    expect(metric(record, "delivery.received")).toBe(205);
  });

  it.each([
    ["no key of its payload holds {seq}", { payload: '{ v: "no. {seq}" }' }],
    ["all its things share one topic", { topic: "t/all/a" }],
    ["its topic changes from message to message", { topic: "t/{thingName}/{seq}" }],
  ])("cannot be followed when %s: a warning, and no data instead of loss", async (reason, stream) => {
    expect(warningsOf(stream)).toEqual([
      `SCENARIO_UNTRACEABLE Delivery and latency of this stream cannot be measured: ${reason}.`,
    ]);
    const record = await runText(
      `${textOf(stream)}expect:\n  - delivery.lost == 0\n  - latency.e2e max < 1s\n`,
    );
    expect(record.expectations.map(({ verdict, reason: why }) => [verdict, why])).toEqual(
      Array.from({ length: 2 }, () => ["fail", `No data: the stream a cannot be followed: ${reason}.`]),
    );
    expect(metric(record, "delivery.acked")).toBe(205);
  });

  it("cannot be followed when things of two groups share a topic", async () => {
    const twice = textOf({ topic: "t/{index}/a" }).replace(
      "stages:",
      `  - group: more
    model: builtin:temperature-sensor
    count: 1
    mqtt: { protocolVersion: 4 }
    telemetry:
      - { name: b, every: 1s, topic: "t/{index}/a", payload: { n: "{seq}" } }
stages:`,
    );
    const record = await runText(`${twice}expect:\n  - delivery.lost == 0\n`);
    expect(record.expectations[0]?.reason).toBe(
      "No data: the stream a cannot be followed: several things share one of its topics.",
    );
  });

  it("are refused a trace field that the payload does not have", () => {
    expect(warningsOf({ more: ", traceField: v" })).toEqual([
      "SCENARIO_DANGLING_REFERENCE The payload has no key v that holds {seq}.",
    ]);
  });

  it("need no warning in MQTT 5", () => {
    expect(warningsOf({ version: "5", payload: "{ v: 1 }" })).toEqual([]);
  });
});
