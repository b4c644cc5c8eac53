import {
  formatDurationUs,
  parseBitsPerSecond,
  parseBytes,
  parseDurationUs,
  parsePercent,
  parseRatePerSecond,
} from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

describe("parseDurationUs", () => {
  it.each([
    ["250ms", 250_000],
    ["30s", 30_000_000],
    ["1h30m", 5_400_000_000],
    ["1.5s", 1_500_000],
    ["7d", 604_800_000_000],
    ["12us", 12],
    ["PT5M", 300_000_000],
    ["P1DT1H", 90_000_000_000],
    ["PT0.5S", 500_000],
  ])("reads %s", (text, us) => {
    expect(parseDurationUs(text)).toBe(us);
  });

  it.each(["30", "", "s", "30 s", "-5s", "5S", "1h-30m", "P", "PT", "P1DT", "1e3s", "1h".repeat(40)])(
    "refuses %j: a number without its unit is never a duration",
    (text) => {
      expect(parseDurationUs(text)).toBeUndefined();
    },
  );
});

describe("rates, percentages and sizes", () => {
  it.each([
    [parseRatePerSecond, "100/s", 100],
    [parseRatePerSecond, "30/m", 0.5],
    [parseRatePerSecond, "3600/h", 1],
    [parsePercent, "40%", 0.4],
    [parsePercent, "0.1%", 0.001],
    [parseBytes, "1GiB", 2 ** 30],
    [parseBytes, "512KB", 512_000],
    [parseBitsPerSecond, "256kbit/s", 256_000],
    [parseBitsPerSecond, "1Mbit/s", 1e6],
  ] as const)("%o reads %s as %d", (parse, text, value) => {
    expect(parse(text)).toBeCloseTo(value, 9);
  });

  it.each([
    [parseRatePerSecond, "100"],
    [parseRatePerSecond, "100/d"],
    [parsePercent, "40"],
    [parsePercent, "-1%"],
    [parseBytes, "1GB/s"],
    [parseBitsPerSecond, "256kb"],
  ] as const)("%o refuses %s", (parse, text) => {
    expect(parse(text)).toBeUndefined();
  });
});

describe("formatDurationUs", () => {
  it.each([
    [12, "12 µs"],
    [4_200, "4.2 ms"],
    [12_500_000, "12.5 s"],
    [1_590_000_000, "26m 30s"],
    [90_000_000_000, "1d 1h"],
  ])("shows %d µs as %s", (us, text) => {
    expect(formatDurationUs(us)).toBe(text);
  });
});
