import { CHIP_NAMES, flashBoard, type FlashOptions, type RomFaults } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { FlashRig, MAC, someBytes } from "./rig.js";

const image = { offset: 0x10000, bytes: someBytes(200 * 1024), kind: "data" as const };

const flash = (rig: FlashRig, options: Partial<FlashOptions> = {}) =>
  rig.settle(flashBoard({ open: rig.open, clock: rig.clock, images: [image], ...options }));

const onFlash = (rig: FlashRig): Buffer =>
  Buffer.from(rig.flash.bytes.subarray(image.offset, image.offset + image.bytes.length));

describe("flashBoard", () => {
  it.each(CHIP_NAMES)("writes and verifies 200 KiB on an %s, and starts it", async (chip) => {
    const rig = new FlashRig({ chip });
    const outcome = await flash(rig, { expect: { chip, mac: MAC } });
    expect(outcome).toMatchObject({
      board: { chip, mac: MAC },
      wasCurrent: false,
      writtenBytes: image.bytes.length,
      repeats: 0,
      baud: 921_600,
      usedStub: true,
    });
    expect(onFlash(rig).equals(image.bytes)).toBe(true);
    expect(rig.socket.chip.state).toBe("application");
    expect(rig.printed).toMatch(/waiting for download[^]*SPI_FAST_FLASH_BOOT/);
  });

  it.each<[string, RomFaults, object]>([
    ["a block that comes in damaged", { badBlocks: new Set([2]) }, { repeats: 1 }],
    ["a lost answer", { lostAnswers: new Set([3]) }, { repeats: 1 }],
    ["a sum that is wrong once", { wrongSums: 1 }, { repeats: 1 }],
    ["a chip that is deaf at first", { ignoredSyncs: 7 }, { repeats: 0 }],
    ["a line that is not good for the baud rate", { highestBaud: 300_000 }, { baud: 230_400 }],
    ["a stub that does not say that it runs", { muteStubs: 1 }, { usedStub: true }],
    ["stubs that never say that they run", { muteStubs: 2 }, { usedStub: false }],
    ["a chip that refuses the stub", { refusesStub: true }, { usedStub: false }],
  ])("gets over %s", async (_, faults, expected) => {
    const rig = new FlashRig({ faults });
    expect(await flash(rig)).toMatchObject({ writtenBytes: image.bytes.length, ...expected });
    expect(onFlash(rig).equals(image.bytes)).toBe(true);
  });

  it.each([
    ["a large capacitor at EN", { enableRiseUs: 120_000 }],
    ["wires without transistors", { wiring: "straight" as const }],
    ["USB of its own", { wiring: "usb" as const }],
  ])("finds the way to reset a board with %s", async (_, options) => {
    const rig = new FlashRig(options);
    await flash(rig);
    expect(onFlash(rig).equals(image.bytes)).toBe(true);
    expect(rig.socket.chip.state).toBe("application");
  });

  it.each<[string, RomFaults, string]>([
    ["is deaf", { ignoredSyncs: 1_000 }, "FLASH_NO_ANSWER"],
    ["has worn flash", { wornBytes: new Set([image.offset + 1]) }, "FLASH_VERIFY_FAILED"],
  ])("fails with a board that %s", async (_, faults, code) => {
    await expect(flash(new FlashRig({ faults }))).rejects.toMatchObject({ code });
  });

  it.each([
    ["another MAC", { mac: "7cdfa1001133" }],
    ["another chip", { chip: "esp32s3" }],
  ])("refuses a board that has %s, writes nothing, and lets it run on", async (_, expected) => {
    const rig = new FlashRig();
    await expect(flash(rig, { expect: expected })).rejects.toMatchObject({ code: "FLASH_WRONG_BOARD" });
    expect(rig.flash.bytes.every((byte) => byte === 0xff)).toBe(true);
    expect(rig.socket.chip.state).toBe("application");
  });
});
