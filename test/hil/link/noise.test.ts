import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { type NoiseSettings, SerialNoise } from "fleetrig/hil";
import { describe, expect, it } from "vitest";

const MS = 1_000;

function line(settings: NoiseSettings) {
  const time = new VirtualTime();
  const arrived: { readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  const noise = new SerialNoise({
    clock: time.lane(1),
    random: createRandomSource(7).stream("noise"),
    forward: (bytes, atUs) => arrived.push({ bytes: Uint8Array.from(bytes), atMs: atUs / MS }),
  });
  noise.set(settings);
  const push = (bytes: Uint8Array): void => noise.push(bytes, time.nowUs());
  const all = (): Buffer => Buffer.concat(arrived.map(({ bytes }) => bytes));
  return { time, noise, arrived, push, all };
}

const piece = Uint8Array.from({ length: 1_000 }, (_, i) => i & 0xff);

describe("SerialNoise", () => {
  it("lets everything through when nothing is set", () => {
    const { arrived, push } = line({});
    push(piece);
    expect(arrived).toEqual([{ bytes: piece, atMs: 0 }]);
  });

  it.each<[keyof NoiseSettings, "errors" | "drops" | "duplicates", number]>([
    ["byteErrorRate", "errors", 0],
    ["dropRate", "drops", -1],
    ["duplicateRate", "duplicates", 1],
  ])("does %s to as many bytes as it says, and counts them", (setting, counter, growth) => {
    const { noise, push, all } = line({ [setting]: 0.01 });
    for (let n = 0; n < 1_000; n += 1) push(piece);
    const count = noise.counters[counter];
    // 1e6 bytes at 1 %: 1e4 with a standard deviation of 100.
    expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(all().length).toBe(1_000_000 + growth * count);
    if (growth === 0) {
      const wrong = all().filter((byte, i) => byte !== piece[i % 1_000]).length;
      expect(wrong).toBe(count);
    }
  });

  it("can harm every byte", () => {
    const { push, all } = line({ byteErrorRate: 1 });
    push(piece);
    expect(all().every((byte, i) => byte !== piece[i])).toBe(true);
    const gone = line({ dropRate: 1 });
    gone.push(piece);
    expect(gone.arrived).toEqual([]);
  });

  it("harms as it is set from then on", () => {
    const { noise, push, all } = line({ dropRate: 1 });
    push(piece);
    noise.set({});
    push(piece);
    expect(all()).toEqual(Buffer.from(piece));
  });

  it("holds back what comes during a stall, in order, and lets it go at its end", () => {
    const { time, noise, arrived, push } = line({});
    time.advance(10 * MS);
    noise.stall(200 * MS);
    push(Uint8Array.of(1));
    time.advance(50 * MS);
    push(Uint8Array.of(2));
    expect(arrived).toEqual([]);
    time.advance(150 * MS);
    push(Uint8Array.of(3));
    expect(arrived).toEqual([
      { bytes: Uint8Array.of(1, 2), atMs: 210 },
      { bytes: Uint8Array.of(3), atMs: 210 },
    ]);
  });

  it("goes on holding when a stall is made longer meanwhile", () => {
    const { time, noise, arrived, push } = line({});
    noise.stall(100 * MS);
    push(Uint8Array.of(1));
    time.advance(50 * MS);
    noise.stall(100 * MS);
    time.advance(99 * MS);
    expect(arrived).toEqual([]);
    time.advance(1 * MS);
    expect(arrived).toEqual([{ bytes: Uint8Array.of(1), atMs: 150 }]);
  });

  it("stalls at random as often and as long as it is set", () => {
    const { time, noise, arrived, push } = line({ stallUs: 200 * MS, stallEveryUs: 1_000 * MS });
    let latestMs = 0;
    for (let n = 0; n < 100_000; n += 1) {
      push(Uint8Array.of(n & 0xff));
      time.advance(MS);
      const delayMs = arrived.length === n + 1 ? 0 : time.nowUs() / MS - arrived.length;
      latestMs = Math.max(latestMs, delayMs);
    }
    // 100 s, a stall every 1.2 s.
    expect(Math.abs(noise.counters.stalls - 83)).toBeLessThan(30);
    expect(latestMs).toBeGreaterThan(190);
  });

  it("loses what no driver would hold", () => {
    const { time, noise, push, all } = line({});
    noise.stall(1_000 * MS);
    for (let n = 0; n < 300; n += 1) push(piece);
    time.advance(1_000 * MS);
    expect(all().length).toBe(262_000);
    expect(noise.counters.overflows).toBe(38_000);
  });
});
