import { Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { MS, SECOND } from "../board/board-rig.js";
import { FleetRig, p95 } from "./fleet-rig.js";

/** `FLEETRIG_STORMS=5` runs five times as many; 5 reaches the figures of the bench: 1,000 resets, 1,000 replugs. */
const FACTOR = Number(process.env["FLEETRIG_STORMS"] ?? 1);
const RESETS = 200 * FACTOR;
const REPLUGS = 200 * FACTOR;
const PANICS = 60 * FACTOR;
const POWER_CUTS = 60 * FACTOR;
const RECOVERY_P95_US = 3 * SECOND;

function expectNothingLost(rig: FleetRig): void {
  expect(rig.member.isOnline).toBe(true);
  expect(rig.lost).toEqual([]);
  expect([...rig.sentTwice]).toEqual([]);
  expect(rig.find("board.given-up")).toEqual([]);
  expect(p95(rig.find("board.recovered").map(({ tookUs }) => tookUs))).toBeLessThanOrEqual(RECOVERY_P95_US);
}

describe("A board on its bench", () => {
  it("works again after each of many resets, and nothing acknowledged is lost", async () => {
    const rig = await new FleetRig().online();
    const random = Random.seeded("resets");
    for (let count = 0; count < RESETS; count += 1) {
      rig.member.board!.reset();
      await rig.pass(120 * MS);
      expect(await rig.recover()).toBeLessThan(5 * SECOND);
      await rig.pass(random.below(700 * MS));
    }
    await rig.pass(3 * SECOND);
    expect(rig.find("board.booted").filter(({ isExpected }) => isExpected)).toHaveLength(RESETS);
    expect(rig.find("board.panicked")).toEqual([]);
    expectNothingLost(rig);
  });

  it("is followed over unplugging and plugging in under other names", async () => {
    const rig = await new FleetRig().online();
    const random = Random.seeded("replugs");
    let path = "/dev/ttyUSB0";
    for (let count = 1; count <= REPLUGS; count += 1) {
      rig.ports.unplug(path);
      await rig.pass(random.below(400 * MS));
      path = `/dev/ttyUSB${random.below(9)}`;
      rig.ports.plug(rig.device, path);
      expect(await rig.recover()).toBeLessThan(5 * SECOND);
      await rig.pass(random.below(500 * MS));
    }
    await rig.pass(3 * SECOND);
    expect(rig.find("board.detached")).toHaveLength(REPLUGS);
    expect(rig.find("board.booted")).toEqual([]);
    expectNothingLost(rig);
  });

  it("is seen to panic in every state, and comes back", async () => {
    const rig = await new FleetRig().online();
    const random = Random.seeded("panics");
    for (let count = 0; count < PANICS; count += 1) {
      rig.device.panic();
      // Again while it boots, says hello, is configured, connects.
      await rig.pass(random.below(300 * MS));
      rig.device.panic();
      await rig.recover();
      await rig.pass(random.below(300 * MS));
    }
    await rig.pass(5 * SECOND);
    const noticed = rig.find("board.panicked").map(({ noticedUs }) => noticedUs);
    expect(noticed.length).toBeGreaterThanOrEqual(PANICS);
    expect(Math.max(...noticed)).toBeLessThanOrEqual(100 * MS);
    expectNothingLost(rig);
  });

  it("survives power cuts at random moments, those of its configuration included", async () => {
    const rig = await new FleetRig().online();
    const random = Random.seeded("cuts");
    for (let count = 0; count < POWER_CUTS; count += 1) {
      rig.device.power(false);
      if (random.chance(0.5)) rig.device.memory.configuration = undefined;
      await rig.pass(random.below(200 * MS));
      rig.device.power(true);
      await rig.pass(random.below(90 * MS));
    }
    await rig.recover();
    await rig.pass(5 * SECOND);
    expect(rig.member.isOnline).toBe(true);
    expect(rig.lost).toEqual([]);
  });

  it("delivers over a noisy line that also stalls", async () => {
    const rig = await new FleetRig().online();
    expect(rig.member.setFault("serial.noise", true, { errors: 0.001, drops: 0.0005 })).toBe(true);
    expect(rig.member.setFault("serial.stall", true, { every: "3s", length: "200ms" })).toBe(true);
    await rig.pass(60 * SECOND);
    rig.member.setFault("serial.noise", false, {});
    rig.member.setFault("serial.stall", false, {});
    await rig.pass(10 * SECOND);
    expect(rig.find("board.link").some(({ retransmissions }) => retransmissions > 0)).toBe(true);
    expect(rig.acked.size).toBeGreaterThan(500);
    expectNothingLost(rig);
  });
});
