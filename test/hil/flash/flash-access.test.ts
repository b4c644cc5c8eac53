import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eraseBoard, flashBoard, ImageCache, readFlash, readIdentity } from "fleetrig/hil";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FlashRig, MAC, someBytes } from "./rig.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-flash-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("work on a board's flash", () => {
  it("reads who the board is and leaves it running", async () => {
    const rig = new FlashRig({ chip: "esp32s3" });
    expect(await rig.settle(readIdentity(rig))).toMatchObject({ chip: "esp32s3", mac: MAC });
    expect(rig.socket.chip.state).toBe("application");
  });

  it("reads flash back, byte for byte", async () => {
    const rig = new FlashRig();
    const bytes = someBytes(50_001);
    rig.flash.program(0x3000, bytes);
    const read = await rig.settle(readFlash(rig, { offset: 0x3000, lengthBytes: bytes.length }));
    expect(Buffer.from(read).equals(bytes)).toBe(true);
  });

  it("erases a board and forgets what was on it", async () => {
    const rig = new FlashRig();
    const cache = new ImageCache(join(folder, "flashed.json"));
    const images = [{ offset: 0x10000, bytes: someBytes(5_000), kind: "data" as const }];
    await rig.settle(flashBoard({ open: rig.open, clock: rig.clock, images, cache }));
    expect(cache.get(MAC)?.state).toBe("whole");
    await rig.settle(eraseBoard(rig, cache));
    expect(cache.get(MAC)).toBeUndefined();
    expect(rig.flash.bytes.every((byte) => byte === 0xff)).toBe(true);
  });

  it("erases no other board than the one that is meant", async () => {
    const rig = new FlashRig();
    rig.flash.program(0, Uint8Array.of(1, 2, 3));
    const erasing = rig.settle(
      eraseBoard({ open: rig.open, clock: rig.clock, expect: { mac: "7cdfa1999999" } }),
    );
    await expect(erasing).rejects.toMatchObject({ code: "FLASH_WRONG_BOARD" });
    expect([...rig.flash.bytes.subarray(0, 3)]).toEqual([1, 2, 3]);
  });

  it("says so when the chip refuses the stub", async () => {
    const rig = new FlashRig({ faults: { refusesStub: true } });
    await expect(rig.settle(eraseBoard(rig))).rejects.toMatchObject({ code: "FLASH_STUB_NEEDED" });
  });
});

describe("ImageCache", () => {
  const flashed = { chip: "esp32", state: "whole", images: [], verified: [] } as const;

  it.each([
    ["nothing", undefined],
    ["no JSON", "{"],
    ["another version", '{"version":2,"boards":[]}'],
    [
      "strange boards",
      '{"version":1,"boards":[null,{"mac":"__proto__"},{"mac":"7cdfa1001122","state":"whole"}]}',
    ],
  ])("is empty when its file has %s", (_, text) => {
    const path = join(folder, "flashed.json");
    if (text !== undefined) writeFileSync(path, text);
    expect(new ImageCache(path).get(MAC)).toBeUndefined();
  });

  it("is shared by those who use the same file", () => {
    const path = join(folder, "state", "flashed.json");
    new ImageCache(path).set(MAC, flashed);
    new ImageCache(path).set("7cdfa1001133", flashed);
    expect(new ImageCache(path).get(MAC)).toEqual(flashed);
    expect(new ImageCache(path).get("7cdfa1001133")).toEqual(flashed);
  });

  it("says so when it cannot be written", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => new ImageCache(join(folder, "file", "flashed.json")).set(MAC, flashed)).toThrow(
      /FLASH_CACHE_UNWRITABLE/,
    );
  });
});
