import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACKED, MessageTable } from "../../../reports/ledger/message-table.js";
import { SequenceRanges } from "../../../reports/ledger/sequence-ranges.js";
import {
  CountCurve,
  LatencyCurve,
  LevelCurve,
  MAX_BINS,
  TimeBins,
} from "../../../reports/ledger/time-bins.js";
import { SequenceSet } from "../../../reports/metrics/sequence-set.js";

const key = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 40 }));

describe("MessageTable", () => {
  it("behaves like a map, through growth and removals", () => {
    const step = fc.record({ verb: fc.constantFrom("insert", "insert", "remove", "mark"), key });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new MessageTable();
        const model = new Map<string, { scheduled: number; acked: boolean }>();
        steps.forEach(({ verb, key: [slot, sequence] }, at) => {
          const name = `${slot}/${sequence}`;
          const entry = table.find(slot, sequence);
          expect(entry >= 0).toBe(model.has(name));
          if (verb === "insert" && entry < 0) {
            table.insert(slot, sequence, at, at + 1);
            model.set(name, { scheduled: at, acked: false });
          } else if (verb === "remove" && entry >= 0) {
            table.remove(entry);
            model.delete(name);
          } else if (verb === "mark" && entry >= 0) {
            table.mark(entry, ACKED);
            model.get(name)!.acked = true;
          }
        });
        expect(table.size).toBe(model.size);
        for (const [name, { scheduled, acked }] of model) {
          const entry = table.find(...(name.split("/").map(Number) as [number, number]));
          expect([table.scheduledUs(entry), table.sentUs(entry), table.has(entry, ACKED)]).toEqual([
            scheduled,
            scheduled + 1,
            acked,
          ]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("finds every one of 20,000 messages, and none after removing them in another order", () => {
    const table = new MessageTable();
    for (let i = 0; i < 20_000; i += 1) table.insert(i % 977, i, i, i);
    for (let i = 0; i < 20_000; i += 1) expect(table.scheduledUs(table.find(i % 977, i))).toBe(i);
    for (let i = 0; i < 20_000; i += 1) {
      const other = (i * 7919) % 20_000;
      table.remove(table.find(other % 977, other));
    }
    expect(table.size).toBe(0);
    expect(table.find(0, 0)).toBe(-1);
  });
});

describe("SequenceRanges", () => {
  it("behaves like a set", () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 120 }), (keys) => {
        const ranges = new SequenceRanges();
        for (const [slot, sequence] of keys) ranges.add(slot, sequence);
        for (let slot = 0; slot <= 4; slot += 1) {
          for (let sequence = 0; sequence <= 41; sequence += 1) {
            expect(ranges.has(slot, sequence)).toBe(keys.some(([s, n]) => s === slot && n === sequence));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("SequenceSet", () => {
  it("behaves like a set", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5000 })), (numbers) => {
        const set = new SequenceSet();
        const model = new Set<number>();
        for (const number of numbers) {
          expect(set.add(number)).toBe(!model.has(number));
          model.add(number);
        }
        for (let number = 0; number <= 5001; number += 1) expect(set.has(number)).toBe(model.has(number));
      }),
      { numRuns: 50 },
    );
  });
});

describe("TimeBins", () => {
  const S = 1_000_000;

  it("merges neighbours when the run outgrows its bins, losing no event", () => {
    const bins = new TimeBins();
    const curve = new CountCurve(bins);
    for (let second = 0; second < 5000; second += 1) curve.add(second * S);
    expect(bins.widthUs).toBe(16 * S);
    expect(bins.used).toBeLessThanOrEqual(MAX_BINS);
    expect(curve.perSecond().slice(0, 312)).toEqual(Array.from({ length: 312 }, () => 1));
  });

  it("holds a level until it changes, and keeps the later one when merging", () => {
    const bins = new TimeBins();
    const curve = new LevelCurve(bins);
    curve.set(1 * S, 5);
    curve.set(4 * S, 7);
    expect(curve.values()).toEqual([null, 5, 5, 5, 7]);
    curve.set(5 * S, 9);
    curve.set(700 * S, 1);
    expect(curve.values().slice(0, 4)).toEqual([5, 5, 9, 9]);
    expect(curve.values().at(-1)).toBe(1);
  });

  it("keeps percentiles within 6 %, also after merging", () => {
    const bins = new TimeBins();
    const curve = new LatencyCurve(bins);
    for (let i = 0; i < 1000; i += 1) curve.record(0, 1000 + i * 1000);
    const check = () => {
      for (const percent of [50, 95, 99]) {
        expect(curve.percentiles(percent)[0]! / (percent * 10_000)).toBeGreaterThan(0.94);
        expect(curve.percentiles(percent)[0]! / (percent * 10_000)).toBeLessThan(1.06);
      }
    };
    check();
    curve.record(1300 * S, 0);
    check();
    expect(curve.percentiles(50).at(-1)).toBe(0);
    expect(curve.percentiles(50)[5]).toBeNull();
    curve.record(1300 * S, 1e12);
    expect(curve.percentiles(100).at(-1)).toBeGreaterThan(4e9);
  });
});
