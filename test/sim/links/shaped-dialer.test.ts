import fc from "fast-check";
import type { Distribution, JsonObject } from "fleetrig/kernel";
import type { LinkProfile } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { LinkBench, message, MS, SECOND } from "./link-bench.js";

const LATENCIES: readonly Distribution[] = [
  { dist: "constant", value: 0 },
  { dist: "constant", value: 20 * MS },
  { dist: "uniform", min: 0, max: 300 * MS },
];

const FAULTS: readonly (readonly [string, JsonObject])[] = [
  ["link.latency", { by: "50ms", jitter: "50ms" }],
  ["link.bandwidth", { rate: "9600bit/s" }],
  ["link.stall", { hold: "2s" }],
  ["link.drop-publish", { probability: "30%" }],
];

const profiles: fc.Arbitrary<Partial<LinkProfile>> = fc.record({
  latency: fc.constantFrom(...LATENCIES),
  loss: fc.constantFrom(0, 0.2),
  bitsPerSecond: fc.constantFrom(0, 100_000),
});

/** A conversation over a link; everything that arrived, and when. */
function converse(
  bench: LinkBench,
  pauses: readonly number[],
  fault: readonly [string, JsonObject],
): unknown {
  bench.open();
  pauses.forEach((pauseUs, i) => {
    if (i === 5) bench.inject(...fault);
    if (i === 15) bench.heal(fault[0]);
    bench.client!.send(message(`up ${i}`));
    bench.server!.send(message(`down ${i}`));
    bench.time.advance(pauseUs);
  });
  bench.time.advance(600 * SECOND);
  return { dials: bench.dials, up: bench.up, down: bench.down };
}

describe("a shaped dialer", () => {
  it("makes a perfect link behave to the microsecond as a memory link of that profile", () => {
    const pauses = fc.array(fc.nat(300 * MS), { maxLength: 25 });
    fc.assert(
      fc.property(profiles, fc.nat(), pauses, fc.constantFrom(...FAULTS), (profile, seed, times, fault) => {
        const [memory, shaped] = (["memory", "shaped"] as const).map((kind) =>
          converse(new LinkBench(profile, seed, kind), times, fault),
        );
        expect(shaped).toEqual(memory);
      }),
      { numRuns: 100 },
    );
  });

  it("passes everything straight through when nothing bends it", () => {
    const bench = new LinkBench({}, 1, "shaped").open();
    bench.client!.send(message("a"));
    expect(bench.time.heap.size).toBe(1);
    bench.client!.close();
    bench.time.advance(0);
    expect(bench.up).toEqual(["1000 a", "1000 closed"]);
    expect(bench.down).toEqual(["1000 local"]);
  });

  it.each([
    { fault: "link.refuse", outcome: "refused" },
    { fault: "link.flap", outcome: "unreachable" },
  ])("answers an attempt under $fault with $outcome", ({ fault, outcome }) => {
    const bench = new LinkBench({}, 1, "shaped");
    bench.inject(fault, fault === "link.flap" ? { down: "1s", up: "1s" } : {});
    bench.dial();
    bench.time.advance(0);
    expect(bench.dials).toEqual([`0 ${outcome}`]);
    expect(bench.server).toBeUndefined();
  });

  it("resets both sides", () => {
    const bench = new LinkBench({}, 1, "shaped").open();
    bench.inject("link.reset");
    bench.time.advance(0);
    expect([bench.up, bench.down]).toEqual([["1000 reset"], ["1000 reset"]]);
  });

  it("tells neither side of a blackhole, and resets who sends when it is over", () => {
    const bench = new LinkBench({}, 1, "shaped").open();
    bench.inject("link.blackhole");
    bench.client!.send(message("lost"));
    bench.server!.send(message("lost"));
    bench.dial();
    bench.time.advance(SECOND);
    expect([bench.up, bench.down, bench.dials.length]).toEqual([[], [], 1]);
    bench.heal("link.blackhole");
    bench.client!.send(message("hello?"));
    bench.time.advance(0);
    expect([bench.up, bench.down]).toEqual([["1001000 reset"], ["1001000 reset"]]);
  });

  it("does not open after it was abandoned, in whatever part of the handshake", () => {
    const bench = new LinkBench({ latency: { dist: "constant", value: SECOND } }, 1, "shaped");
    bench.dial();
    bench.pending!.abandon();
    bench.dial();
    bench.time.advance(SECOND);
    bench.pending!.abandon();
    bench.time.advance(10 * SECOND);
    expect(bench.dials).toEqual([]);
    expect(bench.up).toEqual([`${SECOND} reset`]);
  });
});
