import { describe, expect, it } from "vitest";
import { QUALIFICATION_CASES, QUALIFICATION_SET } from "../../scenarios/qualify/cases/index.js";
import { loadSuite, qualificationSuite } from "../../scenarios/qualify/suite/load-suite.js";

const load = (text: string) => loadSuite("suite.yaml", text);
const complaints = (text: string): readonly string[] => {
  const result = load(text);
  return result.ok ? [] : result.diagnostics.map(({ line, message }) => `${line}: ${message}`);
};

describe("a suite", () => {
  it("is AWS's qualification set without a file, with AWS's time", () => {
    const { cases } = qualificationSuite();
    expect(cases.map((planned) => planned.case.id)).toEqual(QUALIFICATION_SET);
    for (const { parameters } of cases) expect(parameters.EXECUTION_TIMEOUT).toBe(300);
    expect(new Set(QUALIFICATION_CASES.map(({ id }) => id)).size).toBe(27);
  });

  it("gives defaults to the cases that know them, and takes numbers in quotes as AWS writes them", () => {
    const result = load(`version: 1
name: mine
defaults: { EXECUTION_TIMEOUT: "120", PAYLOAD_SIZE: 4 }
cases:
  - MQTT_Connect
  - id: MQTT_Client_Puback_Qos1
    configuration: { EXECUTION_TIMEOUT: 30 }
policies: [policy.json]
`);
    expect(result).toMatchObject({ ok: true, suite: { name: "mine", policies: ["policy.json"] } });
    const cases = result.ok ? result.suite.cases : [];
    expect(cases.map(({ parameters }) => parameters)).toEqual([
      { EXECUTION_TIMEOUT: 120 },
      { EXECUTION_TIMEOUT: 30, PAYLOAD_SIZE: 4 },
    ]);
  });

  it("knows cases however AWS spells them", () => {
    const result = load("version: 1\nname: mine\ncases: [MQTT_Client_Puback_QoS1, { id: mqtt_connect }]\n");
    const cases = result.ok ? result.suite.cases : [];
    expect(cases.map((planned) => planned.case.id)).toEqual(["MQTT_Client_Puback_Qos1", "MQTT_Connect"]);
  });

  it("says at which line what is wrong", () => {
    const head = "version: 1\nname: mine\ncases:\n";
    expect(complaints(`${head}  - id: MQTT_Conect\n`)).toEqual(["4: There is no such case."]);
    expect(complaints(`${head}  - id: MQTT_Connect\n    configuration: { PAYLOAD_SIZE: 3 }\n`)).toEqual([
      "5: MQTT_Connect has no use for PAYLOAD_SIZE.",
    ]);
    expect(complaints(`${head}  - id: MQTT_Publish\n    configuration: { TOPIC: x }\n`)[0]).toMatch(
      /^5: Unknown key "TOPIC"/,
    );
    expect(
      complaints(`${head}  - id: MQTT_Connect\n    configuration: { EXECUTION_TIMEOUT: 20000 }\n`)[0],
    ).toMatch(/^5: /);
  });
});
