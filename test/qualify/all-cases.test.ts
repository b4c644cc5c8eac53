import { describe, expect, it } from "vitest";
import { QUALIFICATION_CASES } from "../../scenarios/qualify/cases/index.js";
import { plannedCase } from "../../scenarios/qualify/suite/load-suite.js";
import { lacksCompiler } from "../rigs.js";
import { said } from "./real-rig.js";
import { qualifyVirtually, type VirtualKind } from "./virtual-bench.js";

const FORBIDDEN =
  "not-applicable: MQTT 5 forbids repeating a PUBLISH on a connection that stands [MQTT-4.4.0-1]; AWS runs this with MQTT 3.1.1.";

const SMALL =
  "pass-with-warnings: RECEIVE_LARGE_PAYLOAD: The device takes packets so small that the payload had 32667 bytes instead of 131072.";

interface Dut {
  readonly kind: VirtualKind;
  readonly version: 4 | 5;
}

/** What is not simply passed. */
const exceptions = ({ kind, version }: Dut): Readonly<Record<string, string>> =>
  version === 4
    ? {
        MQTT_Publish_User_Property:
          "not-applicable: User properties are of MQTT 5, and the device speaks an older version.",
      }
    : {
        MQTT_Publish_Retry_No_Puback: FORBIDDEN,
        ...(kind === "compiled firmware" && { MQTT_Long_Duration: SMALL }),
      };

const expected = (dut: Dut) =>
  Object.fromEntries(
    QUALIFICATION_CASES.map(({ id, group }) => {
      if (group === "TLS") return [id, "not-applicable: It comes over the line."];
      if (group === "Security") return [id, expect.stringMatching(/^not-applicable: No policies/)];
      return [id, exceptions(dut)[id] ?? "pass"];
    }),
  );

describe.each<Dut>([
  { kind: "virtual device", version: 5 },
  { kind: "virtual device", version: 4 },
  { kind: "compiled firmware", version: 5 },
  { kind: "compiled firmware", version: 4 },
])("every case, with a $kind that speaks MQTT version $version", (dut) => {
  it.skipIf(dut.kind === "compiled firmware" && lacksCompiler)("passes", () => {
    const plan = QUALIFICATION_CASES.map((found) => plannedCase(found));
    const records = qualifyVirtually(dut.kind, plan, dut.version);
    expect(said(records)).toEqual(expected(dut));
  });
});
