import { didYouMean, nearestName } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const names = ["latency.e2e", "latency.ack", "delivery.lost", "p99"];

describe("nearestName", () => {
  it.each([
    ["latency.e2", "latency.e2e"],
    ["Latency.E2E", "latency.e2e"],
    ["delivery.lots", "delivery.lost"],
    ["p98", "p99"],
  ])("takes %s for %s", (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it.each(["", "throughput", "p1"])("has no suggestion for %j", (typed) => {
    expect(nearestName(typed, names)).toBeUndefined();
  });

  it("asks in words, or says nothing", () => {
    expect(didYouMean("latency.e2", names)).toBe('Did you mean "latency.e2e"?');
    expect(didYouMean("throughput", names)).toBeUndefined();
  });
});
