import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { runText } from "./run-text.js";

const folder = resolve("test/determinism");

const scenarioOf = (model: string): string => `
version: 1
name: own-model
fleet:
  - { group: own, model: "./clock-reading-models.ts#${model}", count: 3, thingName: "own-{index}" }
stages:
  - { name: steady, duration: 1s }
`;

describe("a model of the user's in virtual time", () => {
  it.each([
    ["now", "Date.now"],
    ["random", "Math.random"],
    ["timeout", "setTimeout"],
    ["uuid", "crypto.randomUUID"],
    ["guarded", "Date.now"],
    ["early", "Date.now"],
  ])(
    "that reads the host (%s) fails the run with KERNEL_BANNED_GLOBAL and names %s",
    async (model, global) => {
      const { verdict, failure } = await runText(scenarioOf(model), { folder });
      expect(verdict).toBe("error");
      expect(failure?.code).toBe("KERNEL_BANNED_GLOBAL");
      expect(failure?.message).toContain(`${global} was called inside a virtual-time run`);
      expect(failure?.hint).toMatch(/clock|stream/);
    },
  );

  it("that throws fails the run, by its name", async () => {
    const { verdict, failure } = await runText(scenarioOf("throwing"), { folder });
    expect(verdict).toBe("error");
    expect(failure).toMatchObject({ code: "MODEL_THREW" });
    expect(failure?.message).toContain("out of paper");
  });
});

describe("a model of the user's in real time (realtime)", () => {
  it("may read the host", async () => {
    const record = await runText(scenarioOf("now"), { folder, clock: "real" });
    expect(record).toMatchObject({ verdict: "passed", failure: null, fingerprint: null });
  });

  it("that throws fails the run and leaves the process alone", async () => {
    const { verdict, failure } = await runText(scenarioOf("throwing"), { folder, clock: "real" });
    expect({ verdict, code: failure?.code }).toEqual({ verdict: "error", code: "MODEL_THREW" });
  });
});
