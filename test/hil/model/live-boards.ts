import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type ClaimedBoard, createHostBench, type VirtualBoardKind } from "fleetrig/hil";
import { createRandomSource, LANE, RealTime, silentProbe, silentSink } from "fleetrig/kernel";
import { onTestFinished } from "vitest";
import { FIRMWARE_BUILDS } from "../../rigs.js";
import type { Deed } from "./path-broker.js";
import { type PathLog, since } from "./path-log.js";
import { type PathSetting, surroundings } from "./path-setting.js";
import { Subject } from "./subject.js";
import type { PathRun } from "./virtual-subjects.js";

/** Boards live in real time: an update takes seconds. @param scale Everything takes that much longer. */
export const liveSetting = (scale: number): PathSetting => ({
  times: {
    gapMs: (input) => (input.do === "send" && input.event.type === "THRESHOLD" ? 1_000 : 100 * scale),
    slackMs: 120 * scale,
    shortMs: (remainingMs) => (remainingMs > 300 * scale ? remainingMs / 2 : 0),
    retryMs: 300 * scale,
  },
  plan: { updateMs: 3_000 * scale, applyMs: 400 * scale, everyMs: 200 },
});

/** A deed that is not there in time is waited for that long, so that one late thing is not taken for many. */
const PATIENCE_MS = 15_000;
const POLL_MS = 5;

/** Boards of one kind on a bench of this machine, each of which follows one path after the other. */
export class LiveBoards {
  private constructor(
    private readonly time: RealTime,
    private readonly bench: Bench,
    private readonly boards: readonly ClaimedBoard[],
  ) {}

  static async open(kind: VirtualBoardKind, count: number): Promise<LiveBoards> {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-paths-"));
    const time = new RealTime();
    const bench = await createHostBench({
      time,
      random: createRandomSource(4),
      events: silentSink,
      stateFolder: folder,
      temporaryFolder: folder,
      buildFolder: FIRMWARE_BUILDS,
      hostName: "test",
      purpose: "test",
    });
    onTestFinished(async () => {
      await bench.close();
      time.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    const claims = await bench.claim(
      Array.from({ length: count }, (_, index) => ({
        thing: `paths-${index}`,
        select: { virtual: kind },
        path: "bridge" as const,
        profile: kind === "micropython" ? "micropython" : "fleetrig",
      })),
    );
    const boards = claims.map((claim) => {
      if (claim.board === undefined) throw new Error(`${claim.thing}: ${claim.reason}`);
      return claim.board;
    });
    return new LiveBoards(time, bench, boards);
  }

  /** Does something with each board at the same time, until there is nothing left to do. */
  async share<T>(tasks: readonly T[], work: (task: T, board: ClaimedBoard) => Promise<void>): Promise<void> {
    const waiting = [...tasks];
    await Promise.all(
      this.boards.map(async (board) => {
        for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await work(task, board);
      }),
    );
  }

  async follow(board: ClaimedBoard, run: PathRun & { readonly model: PathLog }): Promise<PathLog> {
    const { time, bench } = this;
    const { group, inputs, slackMs, model } = run;
    const { broker, diary, linkTo } = surroundings(time);
    const plan = group.members[0]!;
    const clock = time.lane(LANE.firstDevice + this.boards.indexOf(board));
    const link = linkTo(plan, group, clock);
    const of = { plan, group, clock, events: diary, probe: silentProbe, run: "paths", seed: 77 };
    const member = bench.member(board, { ...of, ...link });
    const subject = new Subject(member, broker, diary);
    const log: (readonly Deed[])[] = [];
    const pass = async (act: () => void, waitMs: number): Promise<void> => {
      const beganMs = time.nowUs() / 1_000;
      const deeds: Deed[] = [];
      const expected = countOf(model[log.length] ?? []);
      act();
      await this.pause(waitMs);
      deeds.push(...subject.takeDeeds());
      while (countOf(deeds) < expected && time.nowUs() / 1_000 < beganMs + waitMs + PATIENCE_MS) {
        await this.pause(POLL_MS);
        deeds.push(...subject.takeDeeds());
      }
      log.push(since(beganMs, deeds));
    };
    await pass(() => member.start(time.nowUs()), slackMs);
    for (const { input, waitMs } of inputs) await pass(() => subject.do(input), waitMs);
    member.stop();
    return log;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.lane(998).after(Math.round(ms * 1_000), resolve));
  }
}

/** Telemetry comes at the board's own times. */
const countOf = (deeds: readonly Deed[]): number => deeds.filter(({ lane }) => lane !== "telemetry").length;
