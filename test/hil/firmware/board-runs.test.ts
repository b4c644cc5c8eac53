import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { buildFirmware, type FirmwareTarget, imageVersion, imageWithVersion } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { FIRMWARE_BUILDS, lacksCompiler, lacksEmulator } from "../../rigs.js";
import { BridgedBoard } from "../micropython/bridged-board.js";
import { temporaryFolder, until } from "../virtual/rig.js";

const SLOT_BYTES = 1024 * 1024;
const MARKS_AT = 2 * SLOT_BYTES - 4096;

/** What `boot_update_finish` leaves: the image in slot 1, armed as the newest. */
function armSecondSlot(flash: string, image: Uint8Array): void {
  const marks = Buffer.alloc(12);
  marks.writeUInt32LE(1, 0);
  marks.writeUInt32LE(0xfffffffe, 4);
  marks.write("FRGA", 8);
  const file = openSync(flash, "r+");
  writeSync(file, image, 0, image.length, SLOT_BYTES);
  writeSync(file, marks, 0, marks.length, MARKS_AT);
  closeSync(file);
}

async function open(target: FirmwareTarget) {
  const { image } = await buildFirmware({ target, outDir: FIRMWARE_BUILDS });
  const stateFolder = join(temporaryFolder(), "state");
  const kind = target === "rv32" ? "rv32" : "native";
  const bridged = await BridgedBoard.open({ kind, encoding: "cobs", firmware: image, stateFolder });
  const crash = async (how: string): Promise<void> => {
    const { restarts } = bridged;
    bridged.link.command("crash", { kind: how }).catch(() => undefined);
    await until(() => bridged.restarts > restarts && bridged.link.isOpen);
  };
  return { bridged, crash, image: readFileSync(image), flash: join(stateFolder, "flash.img") };
}

const TARGETS = [
  { target: "rv32", isMissing: lacksEmulator },
  { target: "native-sanitized", isMissing: lacksCompiler },
] as const;

describe.each(TARGETS)("the firmware built for $target", ({ target, isMissing }) => {
  it.skipIf(isMissing)(
    "boots an update, and goes back after three starts that confirmed nothing",
    {
      timeout: 120_000,
    },
    async () => {
      const { bridged, crash, image, flash } = await open(target);
      expect(bridged.hellos[0]).toMatchObject({ version: "1.0.0" });
      await bridged.board.power(false);
      const update = imageWithVersion(image, "1.1.0-rc.1");
      expect(imageVersion(update)).toBe("1.1.0-rc.1");
      armSecondSlot(flash, update);
      await bridged.board.power(true);
      await until(() => bridged.restarts === 1 && bridged.link.isOpen);
      for (const how of ["load-fault", "abort", "illegal-instruction"]) await crash(how);
      const versions = bridged.hellos.slice(1).map(({ version, reset }) => `${version} ${reset}`);
      expect(versions).toEqual(["1.1.0-rc.1 POWERON", "1.1.0-rc.1 PANIC", "1.1.0-rc.1 PANIC", "1.0.0 PANIC"]);
      expect(bridged.text).toContain("Loaded app from slot 1, version 1.1.0-rc.1, unconfirmed");
    },
  );

  it.skipIf(isMissing)("sleeps deeply: silent, then another run for the reason DEEPSLEEP", async () => {
    const { bridged } = await open(target);
    bridged.link.command("sleep", { us: 400_000 }).catch(() => undefined);
    const began = performance.now();
    await until(() => bridged.restarts === 1 && bridged.link.isOpen);
    expect(performance.now() - began).toBeGreaterThan(390);
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "DEEPSLEEP", boots: 2 });
    expect(bridged.text).toContain("rst:0x5 (DSLEEP)");
  });

  it.skipIf(isMissing)("is ended by its watchdog when it hangs", { timeout: 60_000 }, async () => {
    const { bridged, crash } = await open(target);
    await crash("hang");
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "TG0_WDT_RESET", crash: { kind: "Task watchdog" } });
    expect(bridged.text).toMatch(/E \(\d+\) task_wdt: Task watchdog got triggered/);
  });

  it.skipIf(isMissing)("says for ever that it has no image when both slots are damaged", async () => {
    const { bridged, flash } = await open(target);
    await bridged.board.power(false);
    const file = openSync(flash, "r+");
    writeSync(file, Buffer.alloc(4, 0xff), 0, 4, 0);
    closeSync(file);
    await bridged.board.power(true);
    await until(() => bridged.text.split("invalid header: 0xffffffff").length > 3);
  });

  it.skipIf(isMissing)(
    "answers 200 long commands in a row without losing one",
    { timeout: 60_000 },
    async () => {
      const { bridged } = await open(target);
      const texts = Array.from({ length: 200 }, (_, n) => `${n} `.repeat(1 + ((n * 7) % 250)));
      const answers = await Promise.all(texts.map((data) => bridged.link.command("echo", { data })));
      expect(answers).toEqual(texts);
      const stats = (await bridged.link.command("stats", {})) as { link: Record<string, number> };
      expect(stats.link["badFrames"] ?? stats.link["bad_frames"] ?? 0).toBe(0);
    },
  );
});

describe.skipIf(lacksEmulator)("an idle rv32 board", () => {
  it("costs less than 2 % of a core", { timeout: 60_000 }, async () => {
    const { bridged } = await open("rv32");
    const pid = bridged.board.pid!;
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    bridged.link.stop(); // no pings: nothing is asked of it
    const ticks = (): number =>
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .split(" ")
        .slice(13, 15)
        .reduce((sum, each) => sum + Number(each), 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = ticks();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(ticks() - before).toBeLessThanOrEqual(4);
  });
});
