import { describe, expect, it } from "vitest";
import { checkImports, importViolations } from "./import-rules.js";

describe("import direction", () => {
  it("points one way in the whole repository", () => {
    expect(checkImports(process.cwd())).toEqual([]);
  });

  it.each([
    ["sim/device/planted.ts", 'import { createCloud } from "fleetrig/broker";'],
    ["sim/device/planted.ts", 'export { MqttBroker } from "../../broker/engine/mqtt-broker.js";'],
    ["reports/planted.ts", 'import type { Fleet } from "fleetrig/sim";'],
    ["broker/jobs/planted.ts", 'const x = await import("fleetrig/scenarios");'],
    ["broker/kernel/planted.ts", 'import { REASON } from "fleetrig/protocol";'],
    ["broker/kernel/planted.ts", 'import { openListener } from "../listeners/listener.js";'],
    ["hil/planted.ts", 'import { runScenario } from "fleetrig/scenarios";'],
  ])("finds a violation planted in %s: %s", (file, source) => {
    expect(importViolations(file, source)).toHaveLength(1);
  });

  it.each([
    ["sim/device/fine.ts", 'import { REASON } from "fleetrig/protocol";'],
    ["scenarios/runner/fine.ts", 'import { createCloud } from "fleetrig/broker";'],
    ["broker/jobs/fine.ts", 'import { ApplicationMessage } from "../message.js";'],
    ["reports/render/fine.ts", 'import { z } from "zod";'],
  ])("allows %s: %s", (file, source) => {
    expect(importViolations(file, source)).toEqual([]);
  });
});
