import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkBench, message, MS, SECOND } from "./link-bench.js";

const constant = (us: number) => ({ latency: { dist: "constant", value: us } }) as const;

describe("a link in memory", () => {
  it("opens after one round trip and carries packets in half of one", () => {
    const bench = new LinkBench(constant(20 * MS));
    bench.dial();
    bench.time.advance(40 * MS);
    expect(bench.dials).toEqual(["40000 opened"]);
    bench.client!.send(message("a"));
    bench.time.advance(20 * MS);
    bench.server!.send(message("b"));
    bench.time.advance(20 * MS);
    expect([bench.up, bench.down]).toEqual([["60000 a"], ["80000 b"]]);
  });

  it("never calls back from inside dial or send, even without latency", () => {
    const bench = new LinkBench();
    bench.dial();
    expect(bench.dials).toEqual([]);
    bench.time.advance(0);
    bench.client!.send(message("a"));
    expect(bench.up).toEqual([]);
    bench.time.advance(0);
    expect(bench.up).toEqual(["0 a"]);
  });

  it("does not open after it was abandoned", () => {
    const bench = new LinkBench(constant(20 * MS));
    bench.dial();
    bench.pending!.abandon();
    bench.time.advance(SECOND);
    expect(bench.dials).toEqual([]);
  });

  it("sends one packet after the other when bandwidth is limited", () => {
    const bench = new LinkBench({ bitsPerSecond: 100_000 }).open();
    const startUs = bench.time.nowUs();
    for (const topic of ["a", "b", "c"]) bench.client!.send(message(topic));
    expect(bench.client!.bufferedBytes).toBe(375);
    bench.time.advance(SECOND);
    expect(bench.up).toEqual(["a", "b", "c"].map((topic, i) => `${startUs + (i + 1) * 10 * MS} ${topic}`));
    expect(bench.client!.bufferedBytes).toBe(0);
  });

  it("keeps the order of a direction under any latency, loss and bandwidth, and loses nothing", () => {
    const profile = fc.record({
      latency: fc.constant({ dist: "uniform", min: 0, max: 300 * MS } as const),
      loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
      bitsPerSecond: fc.constantFrom(0, 9_600, 1_000_000),
    });
    fc.assert(
      fc.property(profile, fc.nat(), fc.array(fc.nat(50 * MS), { maxLength: 40 }), (link, seed, pauses) => {
        const bench = new LinkBench(link, seed).open();
        pauses.forEach((pauseUs, i) => {
          bench.client!.send(message(`m${i}`));
          bench.server!.send(message(`m${i}`));
          bench.time.advance(pauseUs);
        });
        bench.time.advance(3_600 * SECOND);
        const topics = (log: string[]) => log.map((entry) => entry.split(" ")[1]);
        expect(topics(bench.up)).toEqual(pauses.map((_, i) => `m${i}`));
        expect(topics(bench.down)).toEqual(pauses.map((_, i) => `m${i}`));
      }),
      { numRuns: 60 },
    );
  });

  it("delays a lost segment by the retransmission timer, doubled for each loss in a row", () => {
    const bench = new LinkBench({ ...constant(50 * MS), loss: 0.3 }).open();
    const delays = new Set<number>();
    for (let i = 0; i < 300; i += 1) {
      const sentUs = bench.time.nowUs();
      bench.client!.send(message("a"));
      bench.time.advance(100 * SECOND);
      delays.add(Number(bench.up.at(-1)!.split(" ")[0]) - sentUs);
    }
    const possible = Array.from({ length: 9 }, (_, losses) => 50 * MS + (2 ** losses - 1) * 300 * MS);
    expect(delays.size).toBeGreaterThan(3);
    for (const delay of delays) expect(possible).toContain(delay);
  });
});

describe("the end of a link in memory", () => {
  it("comes after everything that was sent when it is closed", () => {
    const bench = new LinkBench(constant(20 * MS)).open();
    const startUs = bench.time.nowUs();
    bench.client!.send(message("last"));
    bench.client!.close();
    bench.client!.send(message("too late"));
    bench.server!.send(message("unheard"));
    bench.time.advance(SECOND);
    expect(bench.up).toEqual([`${startUs + 20 * MS} last`, `${startUs + 20 * MS} closed`]);
    expect(bench.down).toEqual([`${startUs} local`]);
  });

  it("is a reset for the other side when it is destroyed", () => {
    const bench = new LinkBench(constant(20 * MS)).open();
    const startUs = bench.time.nowUs();
    bench.server!.destroy();
    bench.server!.destroy();
    bench.time.advance(SECOND);
    expect(bench.down).toEqual([`${startUs + 20 * MS} reset`]);
    expect(bench.up).toEqual([`${startUs} local`]);
  });

  it("takes what was not yet transmitted with it when it is destroyed", () => {
    const bench = new LinkBench({ ...constant(20 * MS), bitsPerSecond: 100_000 }).open();
    const startUs = bench.time.nowUs();
    for (const topic of ["a", "b", "c"]) bench.client!.send(message(topic));
    bench.time.advance(15 * MS);
    bench.client!.destroy();
    bench.time.advance(SECOND);
    expect(bench.up).toEqual([`${startUs + 30 * MS} a`, `${startUs + 35 * MS} reset`]);
  });

  it("is told once to each side when both end it at the same time", () => {
    const bench = new LinkBench(constant(20 * MS)).open();
    bench.client!.close();
    bench.server!.close();
    bench.time.advance(SECOND);
    expect([bench.up.length, bench.down.length]).toEqual([1, 1]);
  });
});
