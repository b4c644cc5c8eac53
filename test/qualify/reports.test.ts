import { describe, expect, it } from "vitest";
import { findCase } from "../../scenarios/qualify/cases/index.js";
import type { CaseEvidence } from "../../scenarios/qualify/evidence.js";
import type { Judgement } from "../../scenarios/qualify/judgement.js";
import { DEFAULT_PARAMETERS } from "../../scenarios/qualify/parameters.js";
import type { QualificationRecord } from "../../scenarios/qualify/qualification-record.js";
import { renderCase, renderSummary } from "../../scenarios/qualify/render/console-table.js";
import { renderQualificationJunit } from "../../scenarios/qualify/render/junit.js";
import { renderQualificationPage } from "../../scenarios/qualify/render/page.js";

const HOSTILE = `"><script>alert(1)</script>\u001b[31m`;
const evidence: CaseEvidence = {
  connections: [{ openedUs: 0 }],
  packets: [
    {
      atUs: 1_000,
      connection: 0,
      from: "device",
      type: "publish",
      bytes: 9,
      packetId: 1,
      publish: {
        topic: HOSTILE,
        qos: 1,
        retain: false,
        dup: false,
        payloadBytes: 2,
        payload: HOSTILE,
        userProperties: [],
      },
    },
    { atUs: 2_000, connection: 0, from: "endpoint", type: "puback", bytes: 4, packetId: 1, isWithheld: true },
  ],
  droppedPackets: 0,
  handshakes: [
    { atUs: 0, outcome: "refused", reason: HOSTILE, certificateBytes: 400, largestRecordBytes: 0 },
  ],
  outcomes: {},
  startedUs: 0,
  nowUs: 3_000_000,
  isOver: true,
};
const base = {
  group: "MQTT",
  title: "does it",
  parameters: {},
  durationMs: 1_500,
  warnings: [],
  reasons: [],
  measurements: [],
} as const;
const record: QualificationRecord = {
  schemaVersion: 1,
  tool: { name: "fleetrig", version: "0.1.0" },
  suite: "mine",
  device: { kind: "board", name: HOSTILE, path: "direct", firmware: "1.0.0" },
  startedAt: "2026-11-21T11:00:00.000Z",
  durationMs: 4_000,
  isStrict: false,
  verdict: "failed",
  cases: [
    { ...base, id: "MQTT_Publish", verdict: "fail", reasons: [HOSTILE], evidence },
    {
      ...base,
      id: "MQTT_Connect_Jitter_Backoff_Retries",
      verdict: "pass-with-warnings",
      warnings: ["No jitter."],
      measurements: [{ name: "attempts", value: 12 }],
      gaps: [{ name: "round 1", gapsMs: [1000, 2000, 4000, 8000, 16_000], grade: "exponential" }],
    },
    {
      ...base,
      id: "TLS_Connect",
      group: "TLS",
      verdict: "not-applicable",
      reasons: ["It comes over the line."],
    },
    { ...base, id: "MQTT_Connect", verdict: "inconclusive", reasons: ["Nothing connected."] },
  ],
};

describe("reports of a qualification", () => {
  it("are a page that loads nothing and runs its own script only, whatever a device said of itself", () => {
    const page = renderQualificationPage(record);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).toMatch(/default-src 'none'.*script-src 'sha256-/);
    expect(page).not.toContain("\u001b");
    expect(page).toContain("&lt;script&gt;");
    expect(page).toContain("round 1: exponential");
    expect(page).toMatch(/<svg viewBox="0 0 1000 180"/);
    expect(page).toContain("PUBACK");
  });

  it("are JUnit with failures, errors and skipped cases", () => {
    const xml = renderQualificationJunit(record);
    expect(xml).toContain('tests="4" failures="1" errors="1" skipped="1"');
    expect(xml).toContain("warning: No jitter.");
    expect(xml).not.toContain("<script");
    expect(renderQualificationJunit({ ...record, isStrict: true })).toContain('failures="2"');
  });

  it("are lines for a terminal", () => {
    const plain = { color: false, width: 80 };
    expect(renderCase(record.cases[1]!, plain).split("\n")[0]).toBe(
      "pass with warnings  MQTT_Connect_Jitter_Backoff_Retries",
    );
    expect(renderSummary(record, plain)).toContain(
      "4 cases: 1 pass with warnings, 1 fail, 1 inconclusive, 1 not applicable",
    );
  });
});

const policyVerdict = (policies?: Readonly<Record<string, unknown>>): Judgement => {
  const texts = Object.fromEntries(
    Object.entries(policies ?? {}).map(([name, policy]) => [name, JSON.stringify(policy)]),
  );
  const outcomes = policies === undefined ? {} : { policies: texts };
  return findCase("Security_Device_Policies")!.judge({ ...evidence, outcomes }, DEFAULT_PARAMETERS)!;
};

const allow = (Action: string, Resource: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource }],
});

describe("policies of a device's certificate", () => {
  it.each([
    [allow("iot:Publish", "arn:aws:iot:us-east-1:123456789012:topic/data/${iot:ClientId}"), "pass"],
    [allow("*", "*"), "fail"],
    [allow("iot:*", "arn:aws:iot:us-east-1:123456789012:topic/a"), "fail"],
    [allow("iot:Publish", "*"), "fail"],
  ])("%j is judged %s", (policy, verdict) => {
    expect(policyVerdict({ "policy.json": policy }).verdict).toBe(verdict);
  });

  it("are not applicable when there are none", () => {
    expect(policyVerdict().verdict).toBe("not-applicable");
  });
});
