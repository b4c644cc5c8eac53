import { LINK_FAULTS } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { LinkBench, message, MS, SECOND } from "./link-bench.js";

/** Instants at which packets sent now arrive, as delays in ms. */
function delaysMs(bench: LinkBench, count: number = 1): number[] {
  const startUs = bench.time.nowUs();
  const before = bench.up.length;
  for (let i = 0; i < count; i += 1) bench.client!.send(message("m"));
  bench.time.advance(60 * SECOND);
  return bench.up.slice(before).map((entry) => (Number(entry.split(" ")[0]) - startUs) / MS);
}

describe("link faults", () => {
  it("are known by name, with their parameters as data", () => {
    const table = [...LINK_FAULTS].map(([name, { parameters }]) =>
      [name, ...Object.keys(parameters)].join(" "),
    );
    expect(table).toEqual([
      "link.latency by jitter direction",
      "link.bandwidth rate direction",
      "link.loss share direction",
      "link.blackhole",
      "link.reset",
      "link.flap down up",
      "link.refuse probability",
      "link.no-connack",
      "link.drop-publish direction count skip probability positions",
      "link.stall hold direction",
    ]);
  });

  it("say which name they do not know", () => {
    expect(new LinkBench().faults.set("link.gremlins", true, {})).toBe(false);
  });

  it.each([
    { fault: "link.latency", detail: {}, says: "by of link.latency is missing" },
    { fault: "link.latency", detail: { by: "soon" }, says: "by of link.latency is not a duration" },
    { fault: "link.latency", detail: { by: "1s", of: 1 }, says: "of of link.latency is not known" },
    { fault: "link.loss", detail: { share: "140%" }, says: "share of link.loss is not a share" },
    { fault: "link.bandwidth", detail: { rate: 0 }, says: "rate of link.bandwidth is not a bits-per-second" },
    { fault: "link.stall", detail: { hold: 5, direction: "left" }, says: "direction of link.stall is not" },
    {
      fault: "link.drop-publish",
      detail: { positions: [1, -1] },
      says: "positions of link.drop-publish is not",
    },
    { fault: "link.drop-publish", detail: JSON.parse('{"__proto__": 1}'), says: "__proto__ of" },
  ])("refuse bad parameters: $says", ({ fault, detail, says }) => {
    expect(() => new LinkBench().inject(fault, detail)).toThrowError(
      expect.objectContaining({ code: "LINK_FAULT_PARAMETER", message: expect.stringContaining(says) }),
    );
  });

  it("add up under keys of their own, and end one by one", () => {
    const bench = new LinkBench().open();
    const latency = (key: string, by: string) =>
      bench.faults.inject({ key, fault: "link.latency", detail: { by } });
    latency("link.latency", "100ms");
    latency("link.latency/2", "30ms");
    expect(delaysMs(bench)).toEqual([130]);
    bench.faults.lift("link.latency");
    expect(delaysMs(bench)).toEqual([30]);
    bench.faults.lift("link.latency/2");
    expect(bench.faults.isActive).toBe(false);
  });

  it("join in mid-course on a path that is younger than they are", () => {
    const stalled = new LinkBench().open();
    const begun = stalled.time.nowUs() - 4 * SECOND;
    stalled.faults.inject({ key: "s", fault: "link.stall", detail: { hold: "10s" }, injectedUs: begun });
    expect(delaysMs(stalled)).toEqual([6_000]);

    const flapping = new LinkBench().open();
    const detail = { down: "5s", up: "20s" };
    flapping.faults.inject({
      key: "f",
      fault: "link.flap",
      detail,
      injectedUs: flapping.time.nowUs() - 15 * SECOND,
    });
    flapping.time.advance(10 * SECOND - 1);
    expect(flapping.faults.obstruct()).toBeUndefined();
    flapping.time.advance(1);
    expect(flapping.faults.obstruct()).toBe("unreachable");
    flapping.time.advance(5 * SECOND);
    expect(flapping.faults.obstruct()).toBeUndefined();
  });

  it("act from their injection to their end, and replace themselves", () => {
    const bench = new LinkBench().open();
    bench.inject("link.latency", { by: "100ms" });
    expect(delaysMs(bench)).toEqual([100]);
    bench.inject("link.latency", { by: 30 * MS });
    expect(delaysMs(bench)).toEqual([30]);
    bench.heal("link.latency");
    expect(delaysMs(bench)).toEqual([0]);
  });

  it("combine", () => {
    const bench = new LinkBench().open();
    bench.inject("link.latency", { by: "100ms", direction: "up" });
    bench.inject("link.bandwidth", { rate: "100kbit/s" });
    expect(delaysMs(bench, 3)).toEqual([110, 120, 130]);
  });
});

describe("link.latency", () => {
  it("jitters within its bound, by direction", () => {
    const bench = new LinkBench().open();
    bench.inject("link.latency", { by: "10ms", jitter: "5ms", direction: "up" });
    const delays = Array.from({ length: 50 }, () => delaysMs(bench)[0]!);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(15);
    expect(new Set(delays).size).toBeGreaterThan(10);
    const sentUs = bench.time.nowUs();
    bench.server!.send(message("quick"));
    bench.time.advance(0);
    expect(bench.down).toEqual([`${sentUs} quick`]);
  });
});

describe("link.stall", () => {
  it("delivers everything at once and in order when it is over", () => {
    const bench = new LinkBench().open();
    bench.inject("link.stall", { hold: "4s", direction: "up" });
    expect(delaysMs(bench, 3)).toEqual([4_000, 4_000, 4_000]);
    expect(delaysMs(bench)).toEqual([0]);
  });
});

describe("link.loss", () => {
  it("delays packets and loses none", () => {
    const bench = new LinkBench().open();
    bench.inject("link.loss", { share: "50%" });
    const delays = delaysMs(bench, 50);
    expect(delays).toHaveLength(50);
    expect(delays.at(-1)).toBeGreaterThan(0);
  });
});

describe("link.blackhole", () => {
  it("swallows everything, also the end of the link, and lets no attempt through", () => {
    const bench = new LinkBench().open();
    bench.client!.send(message("on its way"));
    bench.inject("link.blackhole");
    bench.client!.send(message("lost"));
    bench.server!.send(message("lost"));
    bench.server!.close();
    bench.dial();
    bench.time.advance(3_600 * SECOND);
    expect(bench.up).toEqual(["1000 local"]);
    expect(bench.down).toEqual([]);
    expect(bench.dials).toHaveLength(1);
  });

  it("leaves a dead link behind: who sends on it hears a reset", () => {
    const bench = new LinkBench().open();
    bench.inject("link.blackhole");
    bench.time.advance(SECOND);
    bench.heal("link.blackhole");
    bench.time.advance(SECOND);
    expect(bench.down).toEqual([]);
    bench.client!.send(message("hello?"));
    bench.time.advance(SECOND);
    expect(bench.down).toEqual(["2001000 reset"]);
    expect(bench.up).toEqual([]);
  });
});

describe("link.reset", () => {
  it("ends the link on both sides at once and lets the next attempt through", () => {
    const bench = new LinkBench().open();
    bench.inject("link.reset");
    bench.dial();
    bench.time.advance(0);
    expect([bench.up, bench.down]).toEqual([["1000 reset"], ["1000 reset"]]);
    expect(bench.dials).toHaveLength(2);
  });
});

describe("link.refuse", () => {
  it("refuses attempts and leaves the open link alone", () => {
    const bench = new LinkBench({ latency: { dist: "constant", value: 10 * MS } }).open();
    bench.inject("link.refuse");
    const dialedUs = bench.time.nowUs();
    bench.dial();
    bench.time.advance(SECOND);
    expect(bench.dials.at(-1)).toBe(`${dialedUs + 20 * MS} refused`);
    expect(delaysMs(bench)).toEqual([10]);
  });
});

describe("link.flap", () => {
  it("goes down first, then up and down in turns until it is switched off", () => {
    const bench = new LinkBench().open();
    bench.inject("link.flap", { down: "2s", up: "3s" });
    const outcomes = Array.from({ length: 10 }, () => {
      bench.dial();
      bench.time.advance(SECOND);
      return bench.dials.at(-1)!.split(" ")[1];
    });
    const down = ["unreachable", "unreachable"];
    const up = ["opened", "opened", "opened"];
    expect(outcomes).toEqual([...down, ...up, ...down, ...up]);
    bench.heal("link.flap");
    bench.time.advance(3_600 * SECOND);
    expect(bench.time.heap.size).toBe(0);
  });
});

describe("link.no-connack", () => {
  it("swallows CONNACK and nothing else", () => {
    const bench = new LinkBench().open();
    bench.inject("link.no-connack");
    bench.server!.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
    bench.server!.send(message("other"));
    bench.time.advance(0);
    expect(bench.down).toEqual(["1000 other"]);
  });
});
