import fc from "fast-check";
import { artifactFor } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { CLIMATE, S, TwinRig } from "./twin-rig.js";

/** Walks for each model; more by the environment variable. */
const RUNS = Number(process.env["FLEETRIG_FIRMWARE_WALKS"] ?? 25);

type Step =
  | { readonly do: "wait"; readonly us: number }
  | { readonly do: "leave" | "cut"; readonly holdS: number }
  | { readonly do: "connect" }
  | { readonly do: "desire"; readonly key: string; readonly value: number }
  | { readonly do: "fault"; readonly fault: string; readonly active: boolean }
  | { readonly do: "job" };

const wait = fc.record({ do: fc.constant("wait" as const), us: fc.integer({ min: 3, max: 6_000_000 }) });
const link = fc.record({
  do: fc.constantFrom("leave" as const, "cut" as const),
  holdS: fc.constantFrom(0.3, 1.7, 6.1),
});
const connect = fc.constant<Step>({ do: "connect" });
const desire = fc.record({
  do: fc.constant("desire" as const),
  key: fc.constantFrom("reporting_interval", "setpoint", "mode"),
  value: fc.integer({ min: 1, max: 5 }),
});
const FAULTS = [
  "offline",
  "rejected",
  "download-stall",
  "download-failed",
  "verify-failed",
  "flash-failed",
  "boot-loop-rollback",
  "hang",
  "slow",
];
const fault = fc.record({
  do: fc.constant("fault" as const),
  fault: fc.constantFrom(...FAULTS.map((name) => `ota.${name}`)),
  active: fc.boolean(),
});
const job = fc.constant<Step>({ do: "job" });

const reconnect = { policy: "constant", baseUs: 1_300_001, capUs: 60 * S, resetAfterUs: 3 * S } as const;
const buffer = { capacity: 4, overflow: "drop-oldest" } as const;

function walk(rig: TwinRig, steps: readonly Step[]): void {
  let jobs = 0;
  rig.start().advance(0.4001);
  for (const [place, step] of steps.entries()) {
    if (step.do === "wait") rig.time.advance(step.us);
    if (step.do === "leave") rig.both((member) => member.disconnect("graceful", step.holdS * S, `a${place}`));
    if (step.do === "cut") rig.both((member) => member.disconnect("ungraceful", step.holdS * S, `a${place}`));
    if (step.do === "connect") rig.both((member) => member.connect());
    if (step.do === "desire") rig.desire({ [step.key]: step.value }, "config");
    if (step.do === "fault") rig.both((member) => member.setFault(step.fault, step.active, {}));
    if (step.do === "job") {
      jobs += 1;
      const version = `2.${jobs}.0`;
      /* One job for each: the service does not notify all targets of a job in one instant. */
      for (const thing of ["twins-0", "twins-1"]) {
        rig.cloud.jobs.createJob({
          jobId: `${thing}-${jobs}`,
          targets: [thing],
          document: { operation: "ota", version, sha256: artifactFor(version).sha256 },
        });
      }
    }
    /* The board takes microseconds where the virtual device takes none. */
    rig.time.advance(1_007);
  }
  rig.advance(30);
}

describe.skipIf(lacksCompiler)("random walks of twins", () => {
  it(`come out the same for sensors that follow a shadow, ${RUNS} times`, () => {
    const step = fc.oneof({ weight: 4, arbitrary: wait }, link, connect, desire);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const settings = { shadow: { name: "config", applyTime: { dist: "constant", value: 400_003 } } };
        const rig = new TwinRig({ telemetry: [CLIMATE], reconnect, buffer, settings });
        walk(rig, steps);
        rig.board.close();
        expect(rig.boardTold).toEqual(rig.virtualTold);
        expect(rig.steps(1)).toEqual(rig.steps(0));
        expect(rig.reported("twins-1", "config")).toEqual(rig.reported("twins-0", "config"));
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  it(`come out the same for devices that update their firmware, ${RUNS} times`, () => {
    const step = fc.oneof({ weight: 4, arbitrary: wait }, link, connect, fault, job);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const settings = { ota: { executionTime: { dist: "constant", value: 8 * S }, blockBytes: 16_384 } };
        const attributes = () => ({ firmware: "1.0.0" });
        const rig = new TwinRig({
          model: "ota-device",
          attributes,
          telemetry: [],
          reconnect,
          buffer,
          settings,
        });
        walk(rig, steps);
        rig.board.close();
        expect(rig.boardTold).toEqual(rig.virtualTold);
        expect(rig.reported("twins-1")).toEqual(rig.reported("twins-0"));
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
