import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { HostileBoard } from "./hostile-board.js";

/** FLEETRIG_LINK_FULL=1: the size of the claim. */
const isFull = process.env["FLEETRIG_LINK_FULL"] === "1";
const BYTES = isFull ? 10_000_000 : 400_000;
const BEHAVE_EVERY = 50;
const HEAP_GROWTH_MAX_BYTES = 2_000_000;

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

describe("BoardLink under hostile input", () => {
  it("never throws, keeps nothing, and takes up with the board when it behaves", async () => {
    const board = new HostileBoard(1);
    const heaps: number[] = [];
    for (let n = 1; board.sentBytes < BYTES; n += 1) {
      board.act();
      if (n % BEHAVE_EVERY !== 0) continue;
      board.behave();
      expect(board.link.isOpen).toBe(true);
      // Answers of commands settle.
      await Promise.resolve();
      if (n % (BEHAVE_EVERY * (isFull ? 40 : 1)) === 0) heaps.push(heapBytes());
    }
    board.link.stop();
    board.time.advance(10_000_000);
    await Promise.resolve();
    const { counters } = board.link;
    expect(counters.bytesIn).toBe(board.sentBytes);
    for (const name of [
      "badFrames",
      "cutFrames",
      "stale",
      "unknown",
      "invalid",
      "gaps",
      "duplicates",
    ] as const)
      expect(counters[name]).toBeGreaterThan(0);
    expect(counters.sessionsOpened).toBeGreaterThan(3);
    expect(board.settled).toBeGreaterThan(0);
    expect({}).not.toHaveProperty("polluted");
    // The first half is for code and caches.
    const [middle, last] = [heaps[Math.floor(heaps.length / 2)]!, heaps.at(-1)!];
    expect(last - middle).toBeLessThan(HEAP_GROWTH_MAX_BYTES);
    if (isFull) console.log(JSON.stringify({ counters, heaps }));
  }, 1_200_000);
});
