import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import {
  type BootControl,
  flashBoard,
  openFlashLine,
  openTtyPort,
  readIdentity,
  type RunningVirtualBoard,
} from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import { echoImage, lacksEmulator, startBoard, temporaryFolder } from "../virtual/rig.js";
import { someBytes } from "./rig.js";

/** Resets by the board's control socket. */
const controlled = (board: RunningVirtualBoard): BootControl => ({
  enterDownload: () => board.reset("download"),
  startApplication: () => board.reset("run"),
});

/** What a program that flashes the board needs. */
async function flashAccess(board: RunningVirtualBoard) {
  const time = new RealTime();
  const clock = time.lane(0);
  const line = await openFlashLine(
    { open: (opening) => openTtyPort(opening, { clock }) },
    { address: { kind: "tty", path: board.path! }, baud: 115_200 },
    () => controlled(board),
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
    const folder = temporaryFolder();
    const stateFolder = join(folder, "state");
    const board = await startBoard({ kind: "rv32", firmware: echoImage(folder), stateFolder });
    const access = await flashAccess(board);
    expect(await readIdentity(access)).toMatchObject({ chip: "esp32c3", mac: board.mac });
    const image = { offset: 0x1000, bytes: someBytes(70_000), kind: "data" as const };
    await flashBoard({ ...access, images: [image], expect: { mac: board.mac } });
    const written = new Uint8Array(image.bytes.length);
    const file = openSync(join(stateFolder, "flash.img"), "r");
    readSync(file, written, 0, written.length, image.offset);
    closeSync(file);
    expect(Buffer.from(written).equals(image.bytes)).toBe(true);
    access.line.port.write(Buffer.from("x"));
    await expect.poll(access.text, { timeout: 5_000 }).toMatch(/waiting for download[^]*x$/);
  }, 30_000);
});
