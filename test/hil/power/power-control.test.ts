import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPowerControl,
  hostPower,
  type PoweredBoard,
  type PowerHost,
  type PowerSettings,
  readControlRequest,
} from "fleetrig/hil";
import { RealTime, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const BOARD: PoweredBoard = { port: "/dev/ttyUSB0", mac: "7cdfa1001122", usbPath: "1-1.4" };
const command = (off: string): PowerSettings => ({ kind: "command", off, on: "true" });

function recorded(settings: PowerSettings, board: PoweredBoard = BOARD) {
  const done: string[] = [];
  const host: PowerHost = {
    clock: new VirtualTime().lane(0),
    run: async (program, args) => (done.push([program, ...args].join(" ")), ""),
    write: async (path, text) => void done.push(`${text} > ${path}`),
  };
  return { power: createPowerControl(settings, board, host), done };
}

describe("createPowerControl", () => {
  it.each([
    [{ kind: "uhubctl" }, "1-1.4", "uhubctl -l 1-1 -p 4 -a off"],
    [{ kind: "uhubctl" }, "1-2", "uhubctl -l 1 -p 2 -a off"],
    [{ kind: "uhubctl" }, "3-1.4.2", "uhubctl -l 3-1.4 -p 2 -a off"],
    [
      { kind: "uhubctl", location: "2-1", port: 3, program: "/opt/uhubctl" },
      undefined,
      "/opt/uhubctl -l 2-1 -p 3 -a off",
    ],
    [{ kind: "sysfs" }, "1-1.4", "0 > /sys/bus/usb/devices/1-1.4/authorized"],
    [command("relay {port} {mac} {usb}"), "1-1.4", "/bin/sh -c relay '/dev/ttyUSB0' '7cdfa1001122' '1-1.4'"],
  ] as const)("switches %j at %s", async (settings, usbPath, expected) => {
    const { power, done } = recorded(settings, { ...BOARD, usbPath });
    await power.setPower(false);
    expect(done).toEqual([expected]);
  });

  it.each([
    [{ kind: "uhubctl" }, "uhubctl -l 3 -p 2 -a on"],
    [{ kind: "sysfs" }, "1 > /sys/bus/usb/devices/3-2/authorized"],
    [command("true"), "/bin/sh -c true"],
  ] as const)("acts with %j where the board is by then", async (settings, expected) => {
    const board = { ...BOARD };
    const { power, done } = recorded(settings, board);
    Object.assign(board, { port: "/dev/ttyUSB7", usbPath: "3-2" });
    await power.setPower(true);
    expect(done).toEqual([expected]);
  });

  it("quotes what a board says of itself", async () => {
    const { power, done } = recorded(command("x {port}"), { port: "/tmp/a'; rm -rf b" });
    await power.setPower(false);
    expect(done).toEqual([String.raw`/bin/sh -c x '/tmp/a'\''; rm -rf b'`]);
  });

  it("says what it lacks to switch a socket or to fill a command", () => {
    for (const settings of [{ kind: "uhubctl" }, { kind: "sysfs" }, command("x {usb}")] as const) {
      expect(() => recorded(settings, { port: "tcp://bench:1" })).toThrowError(
        expect.objectContaining({ code: "BOARD_POWER_SETTINGS", exitCode: 2 }),
      );
    }
  });

  it("knows that logging off from USB switches no supply, and that none switches nothing", async () => {
    expect(recorded({ kind: "sysfs" }).power).toMatchObject({ canSwitch: true, switchesSupply: false });
    const { power } = recorded({ kind: "none" });
    await expect(power.setPower(true)).rejects.toMatchObject({ code: "BOARD_POWER_NONE" });
  });

  it("runs real commands, and passes on what a failing one says", async () => {
    const host = hostPower(new RealTime().lane(0));
    await createPowerControl(command("test {mac} = 7cdfa1001122"), BOARD, host).setPower(false);
    const failing = createPowerControl(command("echo no such relay >&2; exit 3"), BOARD, host);
    await expect(failing.setPower(false)).rejects.toMatchObject({
      code: "BOARD_POWER_FAILED",
      hint: expect.stringContaining("no such relay"),
    });
  });
});

describe("a virtual board's control socket", () => {
  async function served(answer: (line: string) => string | undefined) {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-control-"));
    const path = join(folder, "board.sock");
    const lines: string[] = [];
    const server: Server = createServer((socket) =>
      socket.on("data", (chunk) => {
        lines.push(chunk.toString().trim());
        const text = answer(chunk.toString().trim());
        if (text === undefined) socket.destroy();
        else socket.write(`${text}\n`);
      }),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const host = hostPower(new RealTime().lane(0));
    const power = createPowerControl({ kind: "socket", path }, BOARD, host);
    const stop = async (): Promise<void> => {
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    };
    return { power, lines, stop };
  }

  it("switches and restarts it", async () => {
    const { power, lines, stop } = await served(() => '{"ok":true}');
    await power.setPower(false);
    await power.setPower(true);
    await power.reset?.("download");
    await stop();
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { op: "power", on: false },
      { op: "power", on: true },
      { op: "reset", mode: "download" },
    ]);
  });

  it.each([
    ['{"ok":false,"error":"unsupported","message":"It has no loader."}', "unsupported: It has no loader."],
    ["what?", "cannot be read"],
    [undefined, "hung up"],
  ])("passes on %s", async (answer, hint) => {
    const { power, stop } = await served(() => answer);
    await expect(power.setPower(false)).rejects.toMatchObject({
      code: "BOARD_POWER_FAILED",
      hint: expect.stringContaining(hint),
    });
    await stop();
  });
});

describe("readControlRequest", () => {
  it.each([
    ['{"op":"reset"}', { op: "reset" }],
    ['{"op":"reset","mode":"download","more":1}', { op: "reset", mode: "download" }],
    ['{"op":"plug","in":false}', { op: "plug", in: false }],
    ['{"op":"explode"}', { ok: false, error: "unknown-op" }],
    ['{"op":"power"}', { ok: false, error: "bad-request" }],
    ["[]", { ok: false, error: "bad-request" }],
    ["{", { ok: false, error: "bad-request" }],
  ])("reads %s", (line, expected) => {
    expect(readControlRequest(line)).toMatchObject(expected);
  });
});
