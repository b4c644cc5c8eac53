import { describe, expect, it } from "vitest";
import { lacksEmulator } from "../../rigs.js";
import { updateStorm } from "./update-storm.js";

/** `FLEETRIG_UPDATE_BOARDS=10 FLEETRIG_UPDATE_ROUNDS=10` are the 100 power cuts of the bench: one for each update of each board. */
const BOARDS = Number(process.env["FLEETRIG_UPDATE_BOARDS"] ?? 3);
const ROUNDS = Number(process.env["FLEETRIG_UPDATE_ROUNDS"] ?? 1);
const ROUND_MS = 120_000;

describe.skipIf(lacksEmulator)("updates of rv32 boards over MQTT streams", () => {
  it("have succeeded or say that they failed when the power is cut, and nothing acknowledged is lost", {
    timeout: (ROUNDS + 1) * ROUND_MS,
  }, async ({ annotate }) => {
    const { record, cuts, missed, statuses, liars } = await updateStorm({ boards: BOARDS, rounds: ROUNDS });
    await annotate(
      `cuts while ${JSON.stringify([...cuts])}, ${missed} updates without; ${JSON.stringify([...statuses])}`,
    );
    expect(record.failure).toBeNull();
    expect(record.expectations.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect([...statuses.values()].reduce((sum, times) => sum + times, 0)).toBe(BOARDS * ROUNDS);
    for (const status of statuses.keys()) expect(["SUCCEEDED", "FAILED"]).toContain(status);
    expect(liars).toEqual([]);
    for (const board of record.boards ?? []) {
      expect(board.givenUp).toBeNull();
      expect(board.panics.total).toBe(0);
    }
  });
});
