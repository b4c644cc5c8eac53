import { flashBoard, readFlash } from "fleetrig/hil";
import { describe, expect, it, onTestFinished } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { NativeRig } from "./native-rig.js";
import { someBytes } from "./rig.js";

describe.skipIf(lacksCompiler)("flashing through the native serial library", () => {
  it("writes, verifies, reads back and starts a board whose lines are real requests", async () => {
    const rig = new NativeRig();
    onTestFinished(() => rig.stop());
    await rig.start();
    const line = await rig.open();
    onTestFinished(() => line.port.close());
    const image = { offset: 0x10000, bytes: someBytes(200 * 1024), kind: "data" as const };
    const outcome = await flashBoard({ open: async () => line, clock: rig.clock, images: [image] });
    expect(outcome).toMatchObject({
      writtenBytes: image.bytes.length,
      repeats: 0,
      baud: 921_600,
      usedStub: true,
    });
    expect(rig.tty.chip.state).toBe("application");
    const access = { open: async () => line, clock: rig.clock };
    const read = await readFlash(access, { offset: image.offset, lengthBytes: image.bytes.length });
    expect(Buffer.from(read).equals(image.bytes)).toBe(true);
  }, 60_000);
});
