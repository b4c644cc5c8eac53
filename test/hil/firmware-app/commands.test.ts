import type { JsonObject } from "fleetrig/kernel";
import fc from "fast-check";
import { VirtualTime } from "fleetrig/kernel";
import { beforeEach, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { CompiledBoard } from "./compiled-board.js";
import type { BoardListener } from "../../../hil/bridge/member-board.js";

const SILENT: BoardListener = {
  ready: () => undefined,
  lost: () => undefined,
  event: () => undefined,
  network: () => undefined,
  networkData: () => undefined,
};

describe.skipIf(lacksCompiler)("commands of the bench", () => {
  let board: CompiledBoard;
  let time: VirtualTime;
  beforeEach(() => {
    time = new VirtualTime();
    board = new CompiledBoard(time.lane(900));
    board.listen(SILENT);
  });

  function ask(op: string, args: JsonObject = {}): unknown {
    let answer: unknown;
    board.command(op, args, (came) => (answer = came));
    time.advance(1_000);
    return answer;
  }

  it.each([
    ["echo", { data: 'a "quoted" é' }, 'a "quoted" é'],
    ["gpio", { pin: 4 }, false],
    ["gpio", { pin: 4, level: true }, true],
    ["adc", { channel: 1, millivolts: 1234.5 }, null],
    ["nvs", { key: "k" }, null],
    ["nvs", { key: "k", value: "v" }, "v"],
    ["time", { wallMs: 1_700_000_000_000, at: 0 }, null],
    ["log", { text: "hello", level: "w" }, null],
    ["stop", {}, null],
    ["connect", {}, null],
    ["erase", {}, null],
  ])("answers %s %j with %j", (op, args, value) => {
    expect(ask(op, args)).toEqual({ ok: true, value });
  });

  it.each([
    ["nonsense", {}, "unknown-op"],
    ["configure", {}, "bad-args"],
    ["configure", { thing: "t", model: "no-such-model" }, "bad-args"],
    ["configure", { thing: "t", model: "ota-device", mqtt: { version: 3 } }, "bad-args"],
    ["configure", { thing: "x".repeat(200), model: "ota-device" }, "bad-args"],
    ["start", {}, "failed"],
    ["disconnect", { mode: "sideways" }, "bad-args"],
    ["setState", { values: { nothing: 1 } }, "bad-args"],
    ["fault", { fault: "ota.hang", active: true }, "unsupported"],
    ["echo", {}, "bad-args"],
    ["gpio", { pin: 99 }, "bad-args"],
    ["adc", { channel: 77, millivolts: 1 }, "bad-args"],
    ["nvs", { key: "much-too-long-a-key" }, "bad-args"],
    ["crash", { kind: "gently" }, "bad-args"],
    ["sleep", { us: -1 }, "bad-args"],
    ["credentials", { host: "h" }, "bad-args"],
  ])("refuses %s %j: %s", (op, args, error) => {
    expect(ask(op, args)).toMatchObject({ ok: false, error });
  });

  it("tells of an output that changed, once", () => {
    for (const level of [true, true, false]) ask("gpio", { pin: 7, level });
    expect(board.events).toEqual([
      { ev: "gpio", pin: 7, level: true, at: expect.any(Number) },
      { ev: "gpio", pin: 7, level: false, at: expect.any(Number) },
    ]);
  });

  it("keeps strings over restarts, until it is erased", () => {
    ask("nvs", { key: "colour", value: "green" });
    board.cutPower();
    time.advance(100_000);
    expect(ask("nvs", { key: "colour" })).toEqual({ ok: true, value: "green" });
  });

  it.each([
    ["sleep", { us: 5_000_000 }, "DEEPSLEEP"],
    ["crash", { kind: "load-fault" }, "PANIC"],
    ["reboot", {}, "SW_CPU_RESET"],
  ])("answers %s before it does it", (op, args, reason) => {
    expect(ask(op, args)).toEqual({ ok: true, value: null });
    time.advance(400_000);
    expect(board.restarts).toEqual([reason]);
  });

  it("is answered while a server of the board's own network floods it", () => {
    board.flood(200_001);
    ask("credentials", { host: "h", port: 1883 });
    ask("configure", { thing: "t", model: "shadow-device", path: "direct" });
    expect(ask("start", { at: 0 })).toEqual({ ok: true, value: null });
    time.advance(10_000);
    expect(board.events).toContainEqual(expect.objectContaining({ ev: "connection", kind: "open" }));
    expect(ask("echo", { data: "here" })).toEqual({ ok: true, value: "here" });
  });

  it("survives any JSON as a command", () => {
    const names = fc.constantFrom(
      "configure",
      "start",
      "setState",
      "disconnect",
      "time",
      "nvs",
      "fault",
      "log",
      "stats",
      "adc",
    );
    const key = fc.constantFrom(
      "thing",
      "model",
      "mqtt",
      "telemetry",
      "signals",
      "at",
      "values",
      "mode",
      "key",
      "value",
      "fault",
      "text",
      "channel",
    );
    const args = fc.dictionary(
      key,
      fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom("ota-device", "graceful", -1, 1e300)),
    );
    fc.assert(
      fc.property(names, args, (op, values) => {
        const text = JSON.stringify(values);
        fc.pre(!text.includes("\\u0000") && !/\\ud[89a-f]/i.test(text));
        expect(ask(op, JSON.parse(text) as JsonObject)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
