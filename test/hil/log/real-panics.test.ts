import { readFileSync } from "node:fs";
import {
  AddressDecoder,
  BoardLink,
  BoardLog,
  buildFirmware,
  type FirmwareBuild,
  describeBacktrace,
  openTtyPort,
  type BootReport,
  type PanicReport,
  silentLinkHandlers,
} from "fleetrig/hil";
import { createRandomSource, LANE, RealTime } from "fleetrig/kernel";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FIRMWARE_BUILDS, lacksEmulator } from "../../rigs.js";
import { startBoard, until } from "../virtual/rig.js";

/** How the firmware is made to die, and what its log has to be taken for. */
const CRASHES = [
  { crash: "load-fault", kind: "load-access-fault", reset: "PANIC", frame: /^hal_crash \(trap\.c:\d+\)$/ },
  {
    crash: "illegal-instruction",
    kind: "illegal-instruction",
    reset: "PANIC",
    frame: /^hal_crash \(trap\.c:\d+\)$/,
  },
  { crash: "abort", kind: "abort", reset: "PANIC", frame: /^hal_crash \(trap\.c:\d+\)$/ },
  { crash: "stack-overflow", kind: "stack-overflow", reset: "PANIC", frame: /^recurse\S* \(trap\.c:\d+\)$/ },
  { crash: "hang", kind: "task-watchdog", reset: "TG0_WDT_RESET", frame: /^hal_crash \(trap\.c:\d+\)$/ },
  { crash: "half-frame", kind: "load-access-fault", reset: "PANIC", frame: /^hal_crash \(trap\.c:\d+\)$/ },
] as const;

let firmware: FirmwareBuild;

async function startRig() {
  const board = await startBoard({ kind: "rv32", firmware: firmware.image });
  const time = new RealTime();
  const clock = time.lane(LANE.firstDevice);
  const boots: BootReport[] = [];
  const panics: PanicReport[] = [];
  const ended: PanicReport[] = [];
  const hellos: string[] = [];
  const log = new BoardLog({
    clock,
    handlers: {
      line: () => undefined,
      booted: (report) => boots.push(report),
      panicked: (report) => panics.push(report),
      panicEnded: (report) => ended.push(report),
    },
  });
  const link = new BoardLink({
    clock,
    random: createRandomSource(1).stream("link"),
    write: (bytes) => port.write(bytes),
    handlers: {
      ...silentLinkHandlers,
      opened: (hello, isNewBoot) => {
        if (isNewBoot && hellos.length > 0) {
          log.restarted({
            resetReason: hello.reset,
            ...(hello.crash && { crash: { kind: hello.crash.kind } }),
          });
        }
        if (isNewBoot) hellos.push(hello.reset);
      },
      text: (bytes, atUs) => log.received(bytes, atUs),
    },
  });
  const port = await openTtyPort(
    {
      address: { kind: "tty", path: board.path! },
      baud: 115_200,
      receiver: { received: (bytes, atUs) => link.received(bytes, atUs), closed: () => undefined },
    },
    { clock },
  );
  onTestFinished(async () => {
    link.stop();
    await port.close();
    time.stop();
  });
  link.start();
  const decoder = new AddressDecoder(new Uint8Array(readFileSync(firmware.elf)));
  return { board, link, log, boots, panics, ended, hellos, decoder };
}

describe.skipIf(lacksEmulator)("deaths of the reference firmware on a RISC-V core", () => {
  beforeAll(async () => {
    firmware = await buildFirmware({ target: "rv32", outDir: FIRMWARE_BUILDS });
  }, 120_000);

  it("are told by kind, place and reset reason", {
    timeout: 90_000,
  }, async () => {
    const { link, boots, panics, ended, hellos, decoder } = await startRig();
    await until(() => hellos.length === 1);
    for (const { crash, kind, reset, frame } of CRASHES) {
      const seen = { panics: panics.length, boots: boots.length, hellos: hellos.length };
      link.command("crash", { kind: crash }).catch(() => undefined);
      await until(
        () => hellos.length > seen.hellos,
        20_000,
        () => `a hello after ${crash}`,
      );
      expect(panics.slice(seen.panics).map((panic) => panic.kind)).toEqual([kind]);
      expect(ended.at(-1)).toMatchObject({ kind, end: "rebooting" });
      expect(describeBacktrace(ended.at(-1)!, (address) => decoder.decode(address))[0]).toMatch(frame);
      expect(decoder.isOf(ended.at(-1)!.elfSha256!)).toBe(true);
      expect(hellos.at(-1)).toBe(reset);
      expect(boots.slice(seen.boots)).toMatchObject([{ chip: "esp32c3", mode: "firmware" }]);
    }
  });

  it("without a word are found by the boot id", { timeout: 60_000 }, async () => {
    const { link, panics, hellos } = await startRig();
    await until(() => hellos.length === 1);
    link.command("crash", { kind: "silent" }).catch(() => undefined);
    await until(() => hellos.length === 2, 20_000);
    expect(panics).toMatchObject([{ kind: "silent-reboot" }]);
  });
});
