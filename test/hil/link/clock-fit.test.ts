import fc from "fast-check";
import { createRandomSource } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { ClockFit } from "../../../hil/link/clock-fit.js";

const MS = 1_000;
const S = 1_000_000;

interface Board {
  readonly offsetUs: number;
  readonly skewPpm: number;
}

const boardUs = ({ offsetUs, skewPpm }: Board, hostUs: number): number =>
  offsetUs + hostUs * (1 + skewPpm * 1e-6);

interface Way {
  readonly thereUs: number;
  readonly backUs: number;
  readonly jitterUs: number;
  /** Part of the exchanges that wait for long, and how they share the wait between the two ways: 0 is all on the way back. */
  readonly stalls: number;
  readonly lopsided: number;
}

/** Exchanges every 250 ms over a line whose delays are anything but even. */
function exchange(
  fit: ClockFit,
  board: Board,
  options: Way & { readonly count: number; readonly seed: number },
) {
  const random = createRandomSource(options.seed).stream("line");
  let hostUs = 10 * S;
  for (let n = 0; n < options.count; n += 1) {
    hostUs += 250 * MS;
    const stallUs = random.chance(options.stalls) ? random.between(0, 200 * MS) : 0;
    const thereUs = options.thereUs + random.exponential() * options.jitterUs + stallUs * options.lopsided;
    const backUs =
      options.backUs + random.exponential() * options.jitterUs + stallUs * (1 - options.lopsided);
    const turnUs = random.between(0, 2 * MS);
    fit.add({
      t1Us: hostUs,
      t2Us: Math.round(boardUs(board, hostUs + thereUs)),
      t3Us: Math.round(boardUs(board, hostUs + thereUs + turnUs)),
      t4Us: Math.round(hostUs + thereUs + turnUs + backUs),
    });
  }
  return hostUs;
}

const board: fc.Arbitrary<Board> = fc.record({
  offsetUs: fc.integer({ min: 0, max: 1_000_000 * S }),
  skewPpm: fc.double({ min: -200, max: 200, noNaN: true }),
});

const way: fc.Arbitrary<Way> = fc.record({
  thereUs: fc.integer({ min: 0, max: 5 * MS }),
  backUs: fc.integer({ min: 0, max: 5 * MS }),
  jitterUs: fc.integer({ min: 0, max: 5 * MS }),
  stalls: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  lopsided: fc.constantFrom(0, 0.5, 1),
});

describe("ClockFit", () => {
  it("is never further off than it says, whatever the line does", () => {
    fc.assert(
      fc.property(board, way, fc.integer({ min: 1, max: 200 }), fc.nat(), (clock, line, count, seed) => {
        const fit = new ClockFit();
        fit.begin(1);
        const nowUs = exchange(fit, clock, { ...line, count, seed });
        for (const agoUs of [-5 * S, -S, 0, 100 * MS, 1 * S, 5 * S, 20 * S, 60 * S]) {
          const hostUs = nowUs - agoUs;
          const errorUs = Math.abs(fit.toHostUs(boardUs(clock, hostUs)) - hostUs);
          expect(errorUs).toBeLessThanOrEqual(fit.uncertaintyAtUs(hostUs));
          const backUs = Math.abs(fit.toBoardUs(hostUs) - boardUs(clock, hostUs));
          expect(backUs).toBeLessThanOrEqual(fit.uncertaintyAtUs(hostUs));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes no slope that is less certain than a crystal", () => {
    const fit = new ClockFit();
    fit.begin(1);
    const clock = { offsetUs: 671, skewPpm: 0 };
    const line = { thereUs: 0, backUs: 0, jitterUs: 5 * MS, stalls: 1, lopsided: 1, count: 4, seed: 2 };
    const hostUs = exchange(fit, clock, line) + 60 * S;
    expect(fit.uncertaintyAtUs(hostUs)).toBeLessThan(300 * MS);
    expect(Math.abs(fit.toHostUs(boardUs(clock, hostUs)) - hostUs)).toBeLessThan(300 * MS);
  });

  it("is as good as the fastest exchanges, though most are slow", () => {
    const fit = new ClockFit();
    fit.begin(1);
    const clock = { offsetUs: 3 * S, skewPpm: 50 };
    const nowUs = exchange(fit, clock, {
      thereUs: 150,
      backUs: 150,
      jitterUs: 300,
      stalls: 0.5,
      lopsided: 1,
      count: 120,
      seed: 5,
    });
    expect(fit.uncertaintyUs).toBeLessThan(600);
    expect(Math.abs(fit.skewPpm - 50)).toBeLessThan(20);
    expect(Math.abs(fit.toHostUs(boardUs(clock, nowUs)) - nowUs)).toBeLessThan(150);
  });

  it("comes to half the round trip where nothing disturbs it", () => {
    const fit = new ClockFit();
    fit.begin(1);
    exchange(
      fit,
      { offsetUs: 0, skewPpm: 0 },
      { thereUs: 200, backUs: 200, jitterUs: 0, stalls: 0, lopsided: 0, count: 120, seed: 1 },
    );
    expect(fit.uncertaintyUs).toBeGreaterThanOrEqual(200);
    expect(fit.uncertaintyUs).toBeLessThan(240);
  });

  it("grows less certain away from its samples", () => {
    const fit = new ClockFit();
    fit.begin(1);
    const nowUs = exchange(
      fit,
      { offsetUs: 0, skewPpm: 10 },
      { thereUs: 200, backUs: 200, jitterUs: 50, stalls: 0, lopsided: 0, count: 60, seed: 1 },
    );
    expect(fit.uncertaintyAtUs(nowUs + 60 * S)).toBeGreaterThan(2 * fit.uncertaintyAtUs(nowUs));
  });

  it("starts over with another run of the board, and not with the same", () => {
    const fit = new ClockFit();
    fit.begin(1);
    const sample = { t1Us: 0, t2Us: 5_000, t3Us: 5_010, t4Us: 100 };
    fit.add(sample);
    fit.begin(1);
    expect([fit.isReady, fit.samples, fit.bootId]).toEqual([true, 1, 1]);
    fit.begin(2);
    expect([fit.isReady, fit.samples, fit.bootId]).toEqual([false, 0, 2]);
  });

  it("says so while it knows nothing", () => {
    const fit = new ClockFit();
    expect([fit.toHostUs(1), fit.toBoardUs(1), fit.offsetUs, fit.skewPpm]).toEqual([NaN, NaN, NaN, NaN]);
    expect([fit.uncertaintyUs, fit.uncertaintyAtUs(5)]).toEqual([Infinity, Infinity]);
  });

  it.each([
    ["an answer before the question", { t1Us: 100, t2Us: 0, t3Us: 0, t4Us: 50 }],
    ["a board that answers before it was asked", { t1Us: 0, t2Us: 50, t3Us: 40, t4Us: 100 }],
    ["a board that takes longer than the whole exchange", { t1Us: 0, t2Us: 0, t3Us: 200, t4Us: 100 }],
  ])("refuses %s", (_, sample) => {
    const fit = new ClockFit();
    expect(fit.add(sample)).toBe(false);
    expect(fit.isReady).toBe(false);
  });
});
