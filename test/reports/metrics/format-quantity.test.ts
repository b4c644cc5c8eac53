import { formatQuantity } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

describe("formatQuantity", () => {
  it.each([
    [212_000, "us", "212 ms"],
    [0, "us", "0 µs"],
    [-1500, "us", "-1.5 ms"],
    [150_000, "count", "150,000"],
    [999, "count", "999"],
    [1_234_567.5, "count", "1,234,567.5"],
    [1, "ratio", "100 %"],
    [0.9997, "ratio", "99.97 %"],
    [0.999996, "ratio", "99.9996 %"],
    [0.999999999999, "ratio", "> 99.999999 %"],
    [0, "ratio", "0 %"],
    [0.0000001, "ratio", "0.00001 %"],
    [1e-12, "ratio", "< 0.000001 %"],
    [148.26, "per-second", "148.3/s"],
    [1.234, "per-second", "1.23/s"],
    [60, "per-minute", "60/min"],
    [2 ** 29, "bytes", "512 MiB"],
    [1536, "bytes", "1.5 KiB"],
    [12, "bytes", "12 B"],
    [3.14159, "number", "3.14"],
    [1234.5, "thing-seconds", "1,234.5 thing·s"],
    [0.1234, "none", "0.123"],
    [Number.NaN, "count", "–"],
    [1e21, "count", "1e+21"],
    [true, "none", "true"],
    ["jittered", "none", "jittered"],
  ] as const)("writes %j %s as %s", (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });
});
