import { describe, expect, it } from "vitest";
import { expectAllExplained, noise, repeated } from "./link-account.js";
import { noisyTraffic, type NoisyTrafficOptions } from "./noisy-traffic.js";

/** FLEETRIG_LINK_FULL=1: the sizes of the claim, minutes instead of seconds. */
const isFull = process.env["FLEETRIG_LINK_FULL"] === "1";
const TIMEOUT_MS = isFull ? 1_800_000 : 120_000;

function expectLossless(options: NoisyTrafficOptions) {
  const { rig, toBoard, toHost, durationUs } = noisyTraffic(options);
  expect(rig.heard).toEqual(["opened new boot"]);
  for (const direction of [toBoard, toHost]) {
    expect(direction.wrong).toBe(0);
    expect(direction.framesTaken).toBe(options.frames);
    expect(direction.taken.position).toBe(direction.sent.position);
  }
  const host = rig.link.counters;
  const board = rig.board.counters;
  expect(expectAllExplained(host, board, rig.noiseToBoard.counters)).toBe(options.frames);
  expect(expectAllExplained(board, host, rig.noiseToHost.counters)).toBe(options.frames);
  expect([host.stale, host.unknown, host.invalid, board.stale]).toEqual([0, 0, 0, 0]);
  if (isFull)
    console.log(
      JSON.stringify({
        durationS: durationUs / 1e6,
        host,
        board,
        toBoard: rig.noiseToBoard.counters,
        toHost: rig.noiseToHost.counters,
      }),
    );
  const stalls = rig.noiseToBoard.counters.stalls + rig.noiseToHost.counters.stalls;
  return { host, board, stalls };
}

describe("A link with traffic in both directions", () => {
  it.each<[string, NoisyTrafficOptions]>([
    ["byte error rate 1e-4", { frames: isFull ? 1_000_000 : 20_000, noise: noise(1e-4) }],
    ["byte error rate 1e-3", { frames: isFull ? 100_000 : 5_000, noise: noise(1e-3) }],
    ["byte error rate 1e-4, in lines", { frames: 3_000, noise: noise(1e-4), encoding: "line" }],
    ["byte error rate 1e-3, the longest frames", { frames: 500, noise: noise(1e-3), maxPayloadBytes: 480 }],
    ["byte error rate 1e-3, a window of one", { frames: 500, noise: noise(1e-3), windowFrames: 1 }],
    [
      "byte error rate 1e-3, a slow line",
      { frames: 500, noise: noise(1e-3), baud: 115_200, windowFrames: 4 },
    ],
    [
      "byte error rate 1e-3, a slow line, the longest frames",
      { frames: isFull ? 10_000 : 500, noise: noise(1e-3), baud: 115_200, maxPayloadBytes: 480 },
    ],
  ])(
    "loses, changes and reorders nothing, and every repetition is explained: %s",
    (_, options) => {
      const { host, board } = expectLossless(options);
      expect(repeated(host) * repeated(board)).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it("repeats nothing on a good line", () => {
    const { host, board } = expectLossless({ frames: 5_000, noise: {} });
    expect(repeated(host) + repeated(board) + host.duplicates + host.gaps).toBe(0);
    expect(host.dataOut).toBe(5_000);
  });

  it.each([0, 1e-5])(
    "does not let needless repetitions feed each other, at byte error rate %d",
    (byteErrorRate) => {
      const { host, board, stalls } = expectLossless({
        frames: 5_000,
        noise: { byteErrorRate, stallUs: 200_000, stallEveryUs: 1_000_000 },
      });
      const needless = host.duplicates + board.duplicates;
      expect(needless).toBeGreaterThan(0);
      // Eight frames, twice in 200 ms (after 60 ms and 120 ms more), in both directions, and once when they end.
      expect(needless).toBeLessThanOrEqual(stalls * 8 * (2 * 2 + 1));
    },
  );

  it("comes to the same in every run of the same seed", () => {
    const run = () => noisyTraffic({ frames: 500, noise: noise(1e-3), seed: 3 });
    const [one, two] = [run(), run()];
    expect(one.durationUs).toBe(two.durationUs);
    expect(one.rig.link.counters).toEqual(two.rig.link.counters);
  });
});
