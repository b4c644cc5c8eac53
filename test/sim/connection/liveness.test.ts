import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "fleetrig/kernel";
import type { DisconnectMode } from "fleetrig/sim";
import { DeviceRig, SECOND } from "./device-rig.js";

type Step =
  | { readonly do: "publish"; readonly count: number }
  | { readonly do: "fault"; readonly fault: string; readonly detail: JsonObject }
  | { readonly do: "disconnect"; readonly mode: DisconnectMode; readonly holdUs: number }
  | { readonly do: "server"; readonly forgets: boolean; readonly withholdsAcks: boolean }
  | { readonly do: "restart" };

const FAULTS: readonly { readonly fault: string; readonly detail: JsonObject }[] = [
  { fault: "link.latency", detail: { by: "300ms", jitter: "200ms" } },
  { fault: "link.bandwidth", detail: { rate: "2kbit/s" } },
  { fault: "link.loss", detail: { share: "20%" } },
  { fault: "link.blackhole", detail: {} },
  { fault: "link.reset", detail: {} },
  { fault: "link.flap", detail: { down: "2s", up: "3s" } },
  { fault: "link.refuse", detail: { probability: "70%" } },
  { fault: "link.no-connack", detail: {} },
  { fault: "link.drop-publish", detail: { probability: "50%" } },
  { fault: "link.stall", detail: { hold: "4s" } },
];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  fc.constantFrom(...FAULTS).map((fault) => ({ do: "fault" as const, ...fault })),
  fc.record({
    do: fc.constant("disconnect" as const),
    mode: fc.constantFrom<DisconnectMode>("graceful", "ungraceful", "blackhole", "no-connack"),
    holdUs: fc.integer({ min: 0, max: 20 * SECOND }),
  }),
  fc.record({ do: fc.constant("server" as const), forgets: fc.boolean(), withholdsAcks: fc.boolean() }),
  fc.constant({ do: "restart" as const }),
);

const run = fc.record({
  seed: fc.nat(),
  protocolVersion: fc.constantFrom(4 as const, 5 as const),
  receiveMaximum: fc.constantFrom(1, 3, 100),
  policy: fc.constantFrom("constant" as const, "full-jitter" as const, "decorrelated" as const),
  steps: fc.array(fc.tuple(step, fc.integer({ min: 0, max: 15 * SECOND })), { maxLength: 25, size: "max" }),
});

function perform(rig: DeviceRig, step: Step): void {
  switch (step.do) {
    case "publish":
      for (let i = 0; i < step.count; i += 1) rig.publish();
      return;
    case "fault":
      rig.inject(step.fault, step.detail);
      return;
    case "disconnect":
      rig.connection.disconnect(step.mode, step.holdUs, "wave");
      return;
    case "server":
      rig.broker.script.forgetsSessions = step.forgets;
      rig.broker.script.withholdsAcks = step.withholdsAcks;
      return;
    case "restart":
      for (const link of rig.broker.links) link.destroy();
  }
}

function heal(rig: DeviceRig): void {
  for (const { fault } of FAULTS) rig.heal(fault);
  rig.broker.script.withholdsAcks = false;
  rig.time.advance(120 * SECOND);
  // A publish that was swallowed waits for the next connection: a link that works never repeats it.
  rig.inject("link.reset");
  rig.time.advance(120 * SECOND);
}

describe("QoS 1 publishes of a device", () => {
  it("are all acknowledged once the link heals, whatever happened before", () => {
    fc.assert(
      fc.property(run, ({ seed, protocolVersion, receiveMaximum, policy, steps }) => {
        const rig = new DeviceRig({
          seed,
          mqtt: { protocolVersion, receiveMaximum, keepAliveS: 10 },
          script: { receiveMaximum },
          reconnect: { policy, capUs: 30 * SECOND },
        });
        rig.connection.start(0);
        for (const [action, pauseUs] of steps) {
          perform(rig, action);
          rig.time.advance(pauseUs);
        }
        heal(rig);
        const published = new Set(rig.broker.publishes.map(({ topic }) => topic));
        const sent = rig.probe.of("sent");
        expect(rig.connection.outstanding).toBe(0);
        expect(new Set(rig.probe.of("acked"))).toEqual(new Set(sent));
        expect(rig.probe.of("discarded")).toEqual([]);
        expect(published.size).toBe(sent.length);
        expect(sent).toEqual([...sent].sort((a, b) => a - b));
      }),
      { numRuns: 150 },
    );
  });

  it("never have more in flight than the server's receive maximum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        (receiveMaximum, count) => {
          const rig = new DeviceRig({ script: { receiveMaximum, withholdsAcks: true } }).online();
          for (let i = 0; i < count; i += 1) rig.publish();
          rig.time.advance(SECOND);
          expect(rig.broker.publishes).toHaveLength(Math.min(receiveMaximum, count));
        },
      ),
      { numRuns: 50 },
    );
  });
});
