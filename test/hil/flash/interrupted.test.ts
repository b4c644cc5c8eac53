import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flashBoard, ImageCache, type RomFaults } from "fleetrig/hil";
import { Random } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FlashRig, someBytes } from "./rig.js";

const image = { offset: 0x10000, bytes: someBytes(300 * 1024), kind: "data" as const };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-flash-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const holds = (rig: FlashRig): boolean =>
  Buffer.from(rig.flash.bytes.subarray(image.offset, image.offset + image.bytes.length)).equals(image.bytes);

const flash = (rig: FlashRig, more: object = {}) =>
  rig.settle(
    flashBoard({
      open: rig.open,
      clock: rig.clock,
      images: [image],
      cache: new ImageCache(join(folder, "flashed.json")),
      ...more,
    }),
  );

describe("an interrupted write", () => {
  const random = Random.seeded("cable");
  const points = Array.from({ length: 20 }, () => random.below(200_000));

  it.each(points)("goes on where it was when the cable is pulled after %i bytes", async (bytes) => {
    const rig = new FlashRig();
    rig.socket.pullAfter(bytes);
    await expect(flash(rig)).rejects.toMatchObject({ code: "FLASH_LINE_LOST" });
    rig.socket.plug();
    const outcome = await flash(rig);
    expect(outcome.writtenBytes + outcome.resumedBytes).toBe(image.bytes.length);
    expect(holds(rig)).toBe(true);
    expect(await flash(rig)).toMatchObject({ wasCurrent: true, writtenBytes: 0 });
  });

  it("writes nothing twice that was verified before", async () => {
    const rig = new FlashRig();
    rig.socket.pullAfter(150_000);
    await expect(flash(rig)).rejects.toMatchObject({ code: "FLASH_LINE_LOST" });
    rig.socket.plug();
    const { resumedBytes, writtenBytes } = await flash(rig);
    expect(resumedBytes).toBeGreaterThanOrEqual(2 * 0x10000);
    expect(writtenBytes).toBe(image.bytes.length - resumedBytes);
  });

  it("goes on by itself when it may", async () => {
    const rig = new FlashRig();
    rig.socket.pullAfter(100_000);
    let opened = 0;
    const open = async () => {
      opened += 1;
      if (opened === 2) rig.socket.plug();
      return rig.open();
    };
    expect((await flash(rig, { open, resumptions: 1 })).writtenBytes).toBeGreaterThan(0);
    expect(opened).toBe(2);
    expect(holds(rig)).toBe(true);
  });

  it.each(points.map((at) => at % image.bytes.length))(
    "leaves a board that can be flashed when power goes after %i bytes",
    async (bytes) => {
      const faults: RomFaults = { powerCutAfterBytes: bytes };
      const rig = new FlashRig({ faults });
      await expect(flash(rig)).rejects.toMatchObject({ code: "FLASH_LINE_LOST" });
      expect(holds(rig)).toBe(false);
      rig.socket.chip.powerOn();
      await flash(rig);
      expect(holds(rig)).toBe(true);
    },
  );

  it("does not believe the cache when flash was changed behind its back", async () => {
    const rig = new FlashRig();
    await flash(rig);
    rig.flash.bytes[image.offset + 70_000]! ^= 1;
    expect(await flash(rig)).toMatchObject({ wasCurrent: false });
    expect(holds(rig)).toBe(true);
  });

  it("writes again what is there already when it is forced to", async () => {
    const rig = new FlashRig();
    await flash(rig);
    expect(await flash(rig, { isForced: true })).toMatchObject({ writtenBytes: image.bytes.length });
  });
});
