import { hostMonotonicUs, VirtualTime } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoardRig } from "./board-rig.js";
import { DUMPS } from "./dumps.js";

const BEFORE = "I (812) app: measuring\r\n";

describe("panics", () => {
  it.each(DUMPS)("are read: $name", ({ text, kind, end, facts }) => {
    const rig = new BoardRig();
    rig.say(BEFORE + text);
    rig.time.advance(4_000_000);
    expect(rig.panics).toHaveLength(1);
    expect(rig.ended).toMatchObject([{ kind, end, ...facts }]);
  });

  it.each(DUMPS)(
    "are told once and in time, wherever the bytes are cut: $name",
    ({ text, kind, end, facts }) => {
      const bytes = Buffer.from(BEFORE + text);
      for (let cut = BEFORE.length; cut < bytes.length; cut += 1) {
        const rig = new BoardRig();
        rig.say(bytes.subarray(0, cut), 1000);
        rig.time.advance(60_000);
        rig.say(bytes.subarray(cut));
        rig.time.advance(4_000_000);
        expect(rig.panics.length, `cut at ${cut}`).toBe(1);
        expect(rig.panics[0]!.noticedUs).toBeLessThanOrEqual(100_000);
        expect(rig.ended, `cut at ${cut}`).toMatchObject([{ kind, end, ...facts }]);
      }
    },
  );

  it.each(DUMPS)("are told although half a frame stands before or in them: $name", ({ name, text }) => {
    // Every kind of byte but the ends of lines, as a frame that was cut would leave them.
    const noise = fc
      .uint8Array({ minLength: 1, maxLength: 24 })
      .map((bytes) => bytes.map((b) => (b === 10 || b === 13 ? 0 : b)));
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(noise, fc.nat(bytes.length - 1), (burst, at) => {
        const rig = new BoardRig();
        rig.say(Buffer.concat([bytes.subarray(0, at), burst, bytes.subarray(at)]));
        rig.time.advance(4_000_000);
        // A signature of one short line may be hit in its heart; the reset reason still tells.
        const isSingle = [
          "brownout",
          "ESP8266 software watchdog",
          "ESP8266 RTOS exception",
          "MicroPython traceback",
          "Zephyr fatal error",
        ].includes(name);
        expect(rig.panics.length).toBeGreaterThanOrEqual(isSingle ? 0 : 1);
        expect(rig.panics.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 60 },
    );
  });

  it("count when the board dies in the middle of a line", () => {
    const rig = new BoardRig();
    rig.say("I (100) app: temperGuru Meditation Error: Core  0 panic'ed (Load access fault). Exc", 0);
    rig.time.advance(30_000);
    expect(rig.panics).toMatchObject([{ kind: "load-access-fault", atUs: 0, noticedUs: 20_000 }]);
  });

  it("count when the line never gets as far as the reason", () => {
    const rig = new BoardRig();
    rig.say("Guru Meditation Err", 0);
    rig.time.advance(100_000);
    expect(rig.panics).toMatchObject([{ kind: "panic" }]);
    expect(rig.panics[0]!.noticedUs).toBeLessThanOrEqual(100_000);
    rig.time.advance(4_000_000);
    expect(rig.ended).toMatchObject([{ kind: "panic", end: "silent" }]);
  });

  it("are found within 100 ms on a line that trickles", () => {
    const rig = new BoardRig();
    const text = DUMPS[0]!.text;
    // 4800 baud: the first line alone takes 170 ms.
    for (let i = 0; i < 120; i += 1) rig.say(text[i]!, i * 2083);
    expect(rig.panics[0]!.noticedUs).toBeLessThanOrEqual(100_000);
  });

  it("end when the port is gone", () => {
    const rig = new BoardRig();
    rig.say("abort() was called at PC 0x42001234 on core 0\r\n");
    rig.log.detached();
    expect(rig.ended).toMatchObject([{ kind: "abort", end: "detached" }]);
  });

  it.each(["=", "E", " ", "[", "Core ", "Backtrace: 0x42001234:0x3fc98f40 ", "assert failed: a b "])(
    "are looked for in a time that long lines of %j do not multiply",
    (piece) => {
      const rig = new BoardRig();
      const line = `${piece.repeat(5000).slice(0, 4000)}\r\n`;
      const sinceUs = hostMonotonicUs();
      for (let count = 0; count < 100; count += 1) rig.say(line);
      // 400 kB, half a minute at 115200 baud; what grows with the square of a line takes longer than that.
      expect(hostMonotonicUs() - sinceUs).toBeLessThan(5_000_000);
    },
  );

  it("do not keep more than a dump's worth of lines", () => {
    const rig = new BoardRig(new VirtualTime());
    rig.say("abort() was called at PC 0x42001234 on core 0\r\n");
    for (let i = 0; i < 1000; i += 1) rig.say(`3fc98f40: 0x0000000${i % 10}\r\n`);
    rig.log.detached();
    expect(rig.ended[0]!.lines).toHaveLength(300);
  });

  it.each([
    "I (5) app: Smoke detector was triggered",
    "Motor start failed: no current",
    "I (5) app: the watchdog is fed, the stack is fine, the heap was never corrupt",
    "D (5) dbg: Backtrace of the last call: none",
    "W (5) log: rotating; Soft limits reset",
    "TemperatureException (3) handled",
    "Motion has been detected.",
    "I (7) task_wdt: Task watchdog initialised",
  ])("are not seen where there are none: %s", (line) => {
    const rig = new BoardRig();
    rig.say(`${line}\r\n`);
    expect(rig.panics).toEqual([]);
  });
});
