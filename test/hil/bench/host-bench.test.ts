import { describe, expect, it } from "vitest";
import { HostRig, lacks } from "./host-rig.js";

const FACTOR = Number(process.env["FLEETRIG_STORMS"] ?? 1);

describe.each(["native", "rv32", "micropython"] as const)(
  "A %s board on the bench of this machine",
  (kind) => {
    const rigged = it.skipIf(lacks[kind]);

    rigged("is a member like any other", async () => {
      const rig = await HostRig.open();
      await rig.claim([kind]);
      rig.start();
      const [member] = rig.members;
      await rig.until("online", () => member!.isOnline);
      await rig.until("messages", () => rig.acked.size >= 5);
      expect(rig.lost).toEqual([]);
      expect(rig.find("board.attached")).toHaveLength(1);
      expect(rig.failures).toEqual([]);
    });

    rigged(
      "comes back after resets, power cuts and pulled cables, and nothing acknowledged is lost",
      async () => {
        const rig = await HostRig.open();
        await rig.claim([kind]);
        rig.start();
        const member = rig.members[0]!;
        await rig.until("online", () => member.isOnline);
        for (let round = 0; round < 2 * FACTOR; round += 1) {
          for (const act of [
            () => member.board!.reset(),
            () => member.board!.powerCycle(100_000),
            () => void member.setFault("board.unplug", true, {}),
          ]) {
            const recoveries = rig.find("board.recovered").length;
            act();
            await rig.pause(300);
            member.setFault("board.unplug", false, {});
            await rig.until("recovered", () => rig.find("board.recovered").length > recoveries);
            await rig.until("online again", () => member.isOnline);
          }
        }
        await rig.until("messages", () => rig.acked.size >= 5);
        expect(rig.lost).toEqual([]);
        expect(rig.find("board.panicked").filter(({ isExpected }) => !isExpected)).toEqual([]);
        expect(rig.failures).toEqual([]);
      },
    );
  },
);

describe("A board with a network of its own", () => {
  it.skipIf(lacks.native)("connects to the door it is told, and network faults reach it there", async () => {
    const rig = await HostRig.open();
    const door = await rig.listen();
    await rig.claim(["native"], {}, door);
    rig.start();
    const member = rig.members[0]!;
    await rig.until("online", () => member.isOnline);
    await rig.until("messages", () => rig.acked.size >= 3);
    expect(member.setFault("link.reset", true, {})).toBe(true);
    await rig.until("lost", () => rig.find("connection.lost").length > 0);
    member.setFault("link.reset", false, {});
    await rig.until("online again", () => member.isOnline);
    expect(rig.lost).toEqual([]);
  });
});
