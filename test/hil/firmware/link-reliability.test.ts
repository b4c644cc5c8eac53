import { describe, expect, it } from "vitest";
import { expectAllExplained, noise, repeated } from "../link/link-account.js";
import { FirmwareLink, type FirmwareLinkOptions } from "./link-driver.js";
import { lacksCompiler } from "../../rigs.js";

/** FLEETRIG_LINK_FULL=1: the sizes of the claim, minutes instead of seconds. */
const isFull = process.env["FLEETRIG_LINK_FULL"] === "1";
const TIMEOUT_MS = isFull ? 3_600_000 : 180_000;

async function expectLossless(options: FirmwareLinkOptions) {
  const rig = new FirmwareLink(options);
  await rig.run();
  expect(rig.heard).toEqual(["opened"]);
  expect(rig.wrong).toEqual([]);
  expect(rig.taken.position).toBe(rig.sent.position);
  expect(rig.echoes).toBeGreaterThan(0);
  const host = rig.link.counters;
  const board = rig.boardCounters();
  if (isFull)
    console.log(
      JSON.stringify({
        options,
        echoes: rig.echoes,
        networkBytes: rig.sent.position,
        durationS: rig.time.nowUs() / 1e6,
        host,
        board,
        toBoard: rig.noiseToBoard.counters,
        toHost: rig.noiseToHost.counters,
      }),
    );
  const frames = [
    expectAllExplained(host, board, rig.noiseToBoard.counters),
    expectAllExplained(board, host, rig.noiseToHost.counters),
  ];
  expect([host.stale, host.unknown, host.invalid, board.stale, board.unknown]).toEqual([0, 0, 0, 0, 0]);
  const stalls = rig.noiseToBoard.counters.stalls + rig.noiseToHost.counters.stalls;
  return { host, board, frames, stalls };
}

describe.skipIf(lacksCompiler)("The firmware's end of the link, flooded", () => {
  it("hands the board back to its device logic after 64 KiB at most, and is there afterwards", async () => {
    const rig = new FirmwareLink({ frames: 10, noise: {} });
    rig.flood(400_000);
    await rig.run();
    expect(rig.heard).toEqual(["opened"]);
    expect(rig.wrong).toEqual([]);
    expect(rig.echoes).toBeGreaterThan(0);
  });
});

describe.skipIf(lacksCompiler)("The firmware's end of the link, with traffic in both directions", () => {
  it.each<[string, FirmwareLinkOptions]>([
    ["byte error rate 1e-4", { frames: isFull ? 1_000_000 : 10_000, noise: noise(1e-4) }],
    ["byte error rate 1e-3", { frames: isFull ? 100_000 : 2_000, noise: noise(1e-3) }],
    ["byte error rate 1e-4, in lines", { frames: 2_000, noise: noise(1e-4), encoding: "line" }],
    ["byte error rate 3e-4, a slow line", { frames: 500, noise: noise(3e-4), baud: 115_200 }],
    [
      "byte error rate 1e-3, a slow line",
      { frames: isFull ? 10_000 : 500, noise: noise(1e-3), baud: 115_200 },
    ],
  ])(
    "loses, changes and reorders nothing, and every repetition is explained: %s",
    async (_, options) => {
      const { host, board } = await expectLossless(options);
      expect(repeated(host) * repeated(board)).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it.each([
    { baud: 921_600, rests: false },
    { baud: 115_200, rests: false },
    { baud: 921_600, rests: true },
    { baud: 115_200, rests: true },
  ])("repeats nothing on a good line: $baud baud, with rests: $rests", async (line) => {
    const { host, board } = await expectLossless({ frames: 3_000, noise: {}, ...line });
    expect([host, board].map((end) => [repeated(end), end.duplicates, end.gaps])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it.each([0, 1e-5])(
    "does not let needless repetitions feed each other, at byte error rate %d",
    async (byteErrorRate) => {
      const { host, board, stalls } = await expectLossless({
        frames: 5_000,
        noise: { byteErrorRate, stallUs: 200_000, stallEveryUs: 1_000_000 },
      });
      const needless = host.duplicates + board.duplicates;
      expect(needless).toBeGreaterThan(0);
      // Eight frames, twice in 200 ms (after 60 ms and 120 ms more), in both directions, and once when they end.
      expect(needless).toBeLessThanOrEqual(stalls * 8 * (2 * 2 + 1));
    },
  );
});
