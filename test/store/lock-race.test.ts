import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "./data-directory.js";
import type { RacerOrder } from "./lock-racer.js";

const RACERS = 5;
const ROUNDS = Number(process.env["LOCK_RACE_ROUNDS"] ?? 20);
const RACER = join(process.cwd(), "dist/test/store/lock-racer.js");
const NOBODY = { pid: 4_194_305, started: "1", boot: "another", host: "gone", since: "long ago" };

const heard = async (racer: ChildProcess): Promise<string> => (await once(racer, "message"))[0] as string;

const tell = async (racers: readonly ChildProcess[], order: RacerOrder): Promise<readonly string[]> => {
  const answers = racers.map(heard);
  for (const racer of racers) racer.send(order);
  return Promise.all(answers);
};

describe("processes that want one data directory at the same moment", () => {
  it.each(["an empty one", "one whose owner has died"])(
    "agree on one owner of %s",
    async (kind) => {
      const racers = Array.from({ length: RACERS }, () => fork(RACER, { execArgv: [] }));
      onTestFinished(() => {
        for (const racer of racers) racer.kill("SIGKILL");
      });
      await Promise.all(racers.map(heard));
      const directory = temporaryDirectory();
      for (let round = 0; round < ROUNDS; round += 1) {
        if (kind !== "an empty one") writeFileSync(join(directory, "LOCK"), JSON.stringify(NOBODY));
        const answers = await tell(racers, { order: "take", directory, atMs: Date.now() + 30 });
        const refused = Array.from({ length: RACERS - 1 }, () => "STORE_LOCKED");
        expect(answers.toSorted()).toEqual([...refused, "owner"]);
        // Whoever has it is named to everybody who comes later.
        expect(existsSync(join(directory, "LOCK"))).toBe(true);
        await tell(racers, { order: "release" });
        expect(existsSync(join(directory, "LOCK"))).toBe(false);
      }
    },
    120_000,
  );
});
