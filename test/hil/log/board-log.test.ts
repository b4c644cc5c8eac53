import { VirtualTime } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoardRig } from "./board-rig.js";

describe("BoardLog", () => {
  it("tells lines with level, tag and the arrival of their first byte", () => {
    const rig = new BoardRig();
    rig.say("I (12", 1000);
    rig.say("34) wifi: up\r\n", 1500);
    expect(rig.lines).toMatchObject([
      {
        position: 0,
        atUs: 1000,
        level: "info",
        tag: "wifi",
        boardMs: 1234,
        message: "up",
        text: "I (1234) wifi: up",
      },
    ]);
  });

  it("tells a start before the lines that follow it", () => {
    const rig = new BoardRig();
    rig.say("ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n");
    expect(rig.boots).toMatchObject([
      { chip: "esp32c3", resetReason: "POWERON", resetClass: "power", mode: "firmware", isExpected: false },
    ]);
  });

  it("tells a panic at its first line and again with all of it", () => {
    const rig = new BoardRig();
    rig.say(
      "Guru Meditation Error: Core  0 panic'ed (Load access fault). Exception was unhandled.\r\n",
      5000,
    );
    expect(rig.panics).toMatchObject([
      { kind: "load-access-fault", atUs: 5000, noticedUs: 0, end: undefined },
    ]);
    rig.say("MEPC    : 0x42007e1a  RA      : 0x42007e0c\r\nRebooting...\r\n");
    expect(rig.ended).toMatchObject([
      { kind: "load-access-fault", end: "rebooting", backtrace: [0x42007e1a, 0x42007e0c] },
    ]);
  });

  it("calls a restart that nobody asked for and that left no word a silent reboot", () => {
    const rig = new BoardRig();
    rig.log.restarted({ resetReason: "PANIC" });
    expect(rig.panics).toMatchObject([{ kind: "silent-reboot" }]);
  });

  it("does not call it so when it was asked for, told as a panic, or for want of power", () => {
    const rig = new BoardRig();
    rig.log.expectRestart(1_000_000);
    rig.log.restarted({ resetReason: "SW_CPU_RESET" });
    rig.say("abort() was called at PC 0x42001234 on core 0\r\nRebooting...\r\n");
    rig.log.restarted({ resetReason: "PANIC" });
    rig.log.restarted({ resetReason: "POWERON" });
    expect(rig.panics.map(({ kind }) => kind)).toEqual(["abort"]);
  });

  it("does not hold an earlier panic that the firmware survived against a silent reboot", () => {
    const rig = new BoardRig();
    rig.say("E (100) task_wdt: Task watchdog got triggered. The following tasks did not reset:\r\n");
    rig.say("I (120) app: still here\r\n");
    rig.log.restarted({ resetReason: "SW_CPU_RESET" });
    expect(rig.ended.map(({ kind, end }) => [kind, end])).toEqual([
      ["task-watchdog", "went-on"],
      ["silent-reboot", "restarted"],
    ]);
  });

  it("takes whatever comes, and still hears the panic that comes then", () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .constantFrom("rst:0x", "\u001b[", "E (1) task_wdt: ", "Backtrace: 0x", "\r", "\n", "A0 : 0x")
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 30 }), (chunks) => {
        const rig = new BoardRig();
        for (const chunk of chunks) {
          rig.say(chunk);
          rig.time.advance(7_000);
        }
        rig.log.detached();
        const before = rig.panics.length;
        rig.say("abort() was called at PC 0x42001234 on core 0\r\nRebooting...\r\n");
        expect(rig.panics.length).toBe(before + 1);
        expect(rig.ended.at(-1)).toMatchObject({ kind: "abort", end: "rebooting" });
      }),
      { numRuns: Number(process.env["FLEETRIG_FUZZ_RUNS"] ?? 300) },
    );
  });

  it("takes a million bytes of noise without seeing a panic in them", { timeout: 60_000 }, () => {
    const rig = new BoardRig();
    const total = Number(process.env["FLEETRIG_NOISE_BYTES"] ?? 1_000_000);
    const chunk = new Uint8Array(1000);
    let state = 1;
    for (let sent = 0; sent < total; sent += chunk.length) {
      for (let i = 0; i < chunk.length; i += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        chunk[i] = state >>> 16;
      }
      rig.say(chunk);
      rig.lines.length = 0;
    }
    expect(rig.panics).toEqual([]);
    expect(rig.log.lastLines(5000).length).toBeLessThanOrEqual(2000);
  });

  it("keeps the newest lines", () => {
    const rig = new BoardRig(new VirtualTime(), 10);
    for (let i = 0; i < 25; i += 1) rig.say(`line ${i}\n`);
    expect(rig.log.lastLines(3).map(({ text }) => text)).toEqual(["line 22", "line 23", "line 24"]);
    expect(rig.log.lastLines()).toHaveLength(10);
  });
});
