import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openTtyPort, type Port } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { lacksCompiler, lacksSocat } from "../../rigs.js";
import { Listener, openTerminal, type Terminal } from "./terminal.js";

const folder = mkdtempSync(join(tmpdir(), "fleetrig-modem-"));
const shim = join(folder, "modem-shim.so");
const log = join(folder, "lines");
const SOURCE = resolve("test/hil/port/modem-shim.c");

const states = (): string[] => readFileSync(log, "utf8").trimEnd().split("\n");

describe.skipIf(lacksSocat || lacksCompiler)("modem lines through the real binding", () => {
  const time = new RealTime();
  let board: Terminal;
  let port: Port | undefined;

  beforeAll(() => {
    execFileSync("cc", [
      "-shared",
      "-fPIC",
      "-O2",
      "-Wall",
      "-Wextra",
      "-Werror",
      SOURCE,
      "-o",
      shim,
      "-ldl",
    ]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    await port?.close();
    await board.tear();
    if (existsSync(log)) rmSync(log);
    for (const name of ["LD_PRELOAD", "MODEM_SHIM_LOG", "MODEM_SHIM_WEDGE", "MODEM_SHIM_NO_BREAK"])
      delete process.env[name];
  });

  async function open(listener = new Listener(), wedged = false, stallUs = 3_000_000): Promise<Port> {
    board = await openTerminal();
    Object.assign(process.env, {
      LD_PRELOAD: shim,
      MODEM_SHIM_LOG: log,
      ...(wedged && { MODEM_SHIM_WEDGE: "1" }),
    });
    const opening = {
      address: { kind: "tty", path: board.path } as const,
      baud: 115_200,
      receiver: listener,
    };
    port = await openTtyPort(opening, { clock: time.lane(0), stallUs });
    return port;
  }

  it("sets both lines in one request, and never moves the one that was not meant", async () => {
    const opened = await open();
    expect(states().at(-1)).toBe("00");
    const before = states().length;
    for (const [dtr, rts] of [
      [false, true],
      [true, false],
      [false, false],
      [true, true],
    ] as const) {
      await opened.setLines({ dtr, rts });
    }
    expect(states().slice(before)).toEqual(["01", "10", "00", "11"]);
  });

  it("sets them where the driver refuses to end a break that its device does not know", async () => {
    process.env["MODEM_SHIM_NO_BREAK"] = "1";
    const opened = await open();
    const before = states().length;
    await opened.setLines({ dtr: false, rts: true });
    await opened.setLines({ dtr: true, rts: false });
    expect(states().slice(before)).toEqual(["01", "10"]);
  });

  it("gives a driver up that does not answer, and says so", async () => {
    const listener = new Listener();
    const opened = await open(listener, true, 400_000);
    await expect(opened.setLines({ dtr: false, rts: true })).rejects.toMatchObject({ code: "PORT_STALLED" });
    expect(listener.end).toBe("stalled");
  });
});
