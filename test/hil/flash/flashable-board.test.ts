import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import {
  buildFirmware,
  createPowerControl,
  flashBoard,
  type FlashImage,
  hostPower,
  openFlashLine,
  openTtyPort,
  provenBoot,
  readIdentity,
  referenceImages,
  ResetEngine,
  type RunningVirtualBoard,
  VolatileResetMemory,
} from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import { FIRMWARE_BUILDS, lacksEmulator } from "../../rigs.js";
import { startBoard, temporaryFolder } from "../virtual/rig.js";
import { someBytes } from "./rig.js";

/** What a program that flashes the board needs. */
async function flashAccess(board: RunningVirtualBoard) {
  const time = new RealTime();
  const clock = time.lane(0);
  const line = await openFlashLine(
    { open: (opening) => openTtyPort(opening, { clock }) },
    { address: { kind: "tty", path: board.path! }, baud: 115_200 },
    (port, listen) => {
      // A pseudo terminal has no lines: resets go through the board's control socket, and are proven by what it prints.
      const settings = { kind: "socket", path: board.control } as const;
      const power = createPowerControl(settings, { port: board.path! }, hostPower(clock));
      const memory = new VolatileResetMemory();
      const parts = { clock, adapter: "virtual", key: board.mac, port: () => port, power, memory } as const;
      return provenBoot(new ResetEngine(parts), listen);
    },
  );
  let text = "";
  line.listen({ received: (bytes) => (text += Buffer.from(bytes).toString("latin1")), closed: () => {} });
  onTestFinished(async () => {
    await line.port.close();
    time.stop();
  });
  return { open: async () => line, clock, line, text: () => text };
}

describe.skipIf(lacksEmulator)("a virtual board with a ROM", () => {
  it("is a boot loader in download mode, and the machine again afterwards", async () => {
    const stateFolder = temporaryFolder();
    const { image: firmware } = await buildFirmware({ target: "rv32", outDir: FIRMWARE_BUILDS });
    const board = await startBoard({ kind: "rv32", firmware, stateFolder });
    const access = await flashAccess(board);
    expect(await readIdentity(access)).toMatchObject({ chip: "esp32c3", mac: board.mac });
    const image = { offset: 0x400000, bytes: someBytes(70_000), kind: "data" as const };
    await flashBoard({ ...access, images: [image], expect: { mac: board.mac } });
    const written = new Uint8Array(image.bytes.length);
    const file = openSync(join(stateFolder, "flash.img"), "r");
    readSync(file, written, 0, written.length, image.offset);
    closeSync(file);
    expect(Buffer.from(written).equals(image.bytes)).toBe(true);
    expect(await helloVersion(access)).toBe("1.0.0");
  }, 120_000);

  it("runs the firmware that was flashed: the new version says hello, whatever was installed over the air before", async () => {
    const { image: oldImage } = await buildFirmware({
      target: "rv32",
      outDir: FIRMWARE_BUILDS,
      version: "1.0.0",
    });
    const board = await startBoard({ kind: "rv32", firmware: oldImage });
    const access = await flashAccess(board);
    const flash = async (
      version: string,
      place: (image: Uint8Array) => FlashImage[],
    ): Promise<string | undefined> => {
      const { image } = await buildFirmware({ target: "rv32", outDir: FIRMWARE_BUILDS, version });
      await flashBoard({ ...access, images: place(readFileSync(image)), expect: { mac: board.mac } });
      return await helloVersion(access);
    };
    expect(await flash("2.0.0", referenceImages)).toBe("2.0.0");
    expect(await flash("2.1.0", installedLater)).toBe("2.1.0");
    expect(await flash("2.0.1", referenceImages)).toBe("2.0.1");
  }, 120_000);
});

/** As an update over the air leaves it: in the second slot, with marks that say that it is newer and confirmed (`boot_slots.c`). */
function installedLater(bytes: Uint8Array): FlashImage[] {
  const marks = new Uint32Array([5, ~5, 0x41475246, 0]);
  return [
    { offset: 0x100000, bytes, kind: "data" },
    { offset: 0x1ff000, bytes: new Uint8Array(marks.buffer), kind: "data" },
  ];
}

/** The version in the hello that the firmware sends when it starts, as JSON within its frame. */
async function helloVersion({ text }: Awaited<ReturnType<typeof flashAccess>>): Promise<string | undefined> {
  const hello = (): string | undefined =>
    /"version":"([^"]+)"/.exec(text().slice(text().lastIndexOf("waiting for download")))?.[1];
  await expect.poll(hello, { timeout: 20_000 }).toBeDefined();
  return hello();
}
