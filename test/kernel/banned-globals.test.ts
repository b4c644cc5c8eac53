import { withBannedGlobals } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

describe("withBannedGlobals", () => {
  it.each([
    ["Date.now", () => Date.now()],
    ["new Date()", () => new Date()],
    ["Date()", () => Date()],
    ["Math.random", () => Math.random()],
    ["performance.now", () => performance.now()],
    ["process.hrtime", () => process.hrtime()],
    ["setTimeout", () => setTimeout(() => undefined, 0)],
    ["setInterval", () => setInterval(() => undefined, 1).unref()],
    ["setImmediate", () => setImmediate(() => undefined)],
    ["queueMicrotask", () => queueMicrotask(() => undefined)],
    ["crypto.randomUUID", () => crypto.randomUUID()],
    ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ])("makes %s throw inside the slice and work again after it", (_name, use) => {
    expect(() => withBannedGlobals(use)).toThrow("KERNEL_BANNED_GLOBAL");
    expect(() => use()).not.toThrow();
  });

  it("still lets pure uses of Date through", () => {
    expect(withBannedGlobals(() => new Date(0).toISOString())).toBe("1970-01-01T00:00:00.000Z");
    expect(withBannedGlobals(() => Date.UTC(2026, 0, 1))).toBe(1_767_225_600_000);
  });

  it("restores the globals when the slice throws", () => {
    const before = Date;
    expect(() =>
      withBannedGlobals(() => {
        throw new RangeError("inside");
      }),
    ).toThrow("inside");
    expect(Date).toBe(before);
  });
});
