import { resolve } from "node:path";
import { spawn } from "node:child_process";
import { symlinkSync, unlinkSync } from "node:fs";
import { type Port, openTtyPort } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { SpareProcesses } from "../../../hil/port/spare-processes.js";
import { lacksSocat } from "../../rigs.js";
import { Listener, openTerminal, type Terminal, until } from "./terminal.js";

const PROGRAM = resolve("dist/test/hil/port/orphan-process.js");
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, value) => value);

describe.skipIf(lacksSocat)("TtyPort", () => {
  const time = new RealTime();
  const terminals: Terminal[] = [];
  const ports: Port[] = [];

  async function terminal(): Promise<Terminal> {
    const made = await openTerminal();
    terminals.push(made);
    return made;
  }

  async function open(path: string, listener = new Listener(), stallUs?: number) {
    const opening = { address: { kind: "tty", path } as const, baud: 115_200, receiver: listener };
    const port = await openTtyPort(opening, {
      clock: time.lane(0),
      ...(stallUs !== undefined && { stallUs }),
    });
    ports.push(port);
    return port;
  }

  afterEach(async () => {
    await Promise.all(ports.splice(0).map((port) => port.close()));
    await Promise.all(terminals.splice(0).map((made) => made.tear()));
  });

  it("passes all 256 byte values both ways, and stamps them with the run's clock", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener);
    const beforeUs = time.nowUs();
    port.write(EVERY_BYTE);
    await until(() => Buffer.concat(board.received).length === 256);
    expect(Buffer.concat(board.received)).toEqual(Buffer.from(EVERY_BYTE));
    board.send(EVERY_BYTE);
    await until(() => listener.bytes.length === 256);
    expect(listener.bytes).toEqual(Buffer.from(EVERY_BYTE));
    expect(listener.times[0]).toBeGreaterThanOrEqual(beforeUs);
    expect(listener.times.at(-1)).toBeLessThanOrEqual(time.nowUs());
    expect(port.bufferedBytes).toBe(0);
  });

  it("takes a megabyte at once, shows what waits, and loses nothing", async () => {
    const board = await terminal();
    const port = await open(board.path);
    const megabyte = Buffer.alloc(2 ** 20).map((_, index) => (index * 7919) >> 5);
    port.write(megabyte);
    expect(port.bufferedBytes).toBe(megabyte.length);
    await until(() => Buffer.concat(board.received).length === megabyte.length);
    await until(() => port.bufferedBytes === 0);
    expect(Buffer.concat(board.received).equals(megabyte)).toBe(true);
  });

  it("says that a pty has no modem lines, and goes on", async () => {
    const board = await terminal();
    const port = await open(board.path);
    await expect(port.setLines({ dtr: true, rts: false })).rejects.toMatchObject({
      code: "PORT_LINES_UNSUPPORTED",
    });
    await port.setBaud(921_600);
    port.write(Buffer.from("still here"));
    await until(() => Buffer.concat(board.received).toString() === "still here");
  });

  it("is there for one program at a time", async () => {
    const board = await terminal();
    const first = await open(board.path);
    await expect(open(board.path)).rejects.toMatchObject({ code: "PORT_BUSY" });
    await first.close();
    await expect(open(board.path)).resolves.toBeDefined();
  });

  it("says when there is no such device", async () => {
    await expect(open("/dev/ttyUSB_none")).rejects.toMatchObject({ code: "PORT_NOT_FOUND" });
  });

  it("tells when the device goes away, once", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener);
    await board.tear();
    await until(() => listener.end !== undefined);
    expect(listener.end).toBe("disconnected");
    await expect(port.setBaud(9600)).rejects.toMatchObject({ code: "PORT_NOT_FOUND" });
    await port.close();
    expect(listener.end).toBe("disconnected");
  });

  it("opens the next port in the process of one that went away or was closed", async () => {
    const clock = time.lane(0);
    const spares = new SpareProcesses(clock);
    const openKept = async (path: string, receiver: Listener) => {
      const address = { kind: "tty", path } as const;
      const port = await openTtyPort({ address, baud: 115_200, receiver }, { clock, spares });
      ports.push(port);
      return port;
    };
    const first = await terminal();
    const listener = new Listener();
    const pulled = await openKept(first.path, listener);
    await first.tear();
    await until(() => listener.end === "disconnected");
    // Its port is closed meanwhile.
    await new Promise<void>((resolve) => clock.after(200_000, resolve));
    const second = await terminal();
    const closed = await openKept(second.path, new Listener());
    expect(closed.hostPid).toBe(pulled.hostPid);
    closed.write(EVERY_BYTE);
    await until(() => Buffer.concat(second.received).length === 256);
    await closed.close();
    const heard = new Listener();
    const again = await openKept(second.path, heard);
    expect(again.hostPid).toBe(pulled.hostPid);
    second.send(EVERY_BYTE);
    await until(() => heard.bytes.length === 256);
    expect(heard.bytes).toEqual(Buffer.from(EVERY_BYTE));
    await again.close();
    spares.close();
  });

  it("notices another device under its name", async () => {
    const [board, other] = [await terminal(), await terminal()];
    const name = `${board.path}-by-id`;
    symlinkSync(board.path, name);
    const listener = new Listener();
    await open(name, listener);
    unlinkSync(name);
    symlinkSync(other.path, name);
    await until(() => listener.end !== undefined);
    expect(listener.end).toBe("disconnected");
  });

  it("sends what was written before it is closed, and then says that it ended here", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener);
    port.write(Buffer.from("last words"));
    await port.close();
    expect(listener.end).toBe("local");
    await until(() => Buffer.concat(board.received).toString() === "last words");
  });

  it("gives up a process that does not answer, and closes", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener, 500_000);
    process.kill(port.hostPid, "SIGSTOP");
    await expect(port.setBaud(9600)).rejects.toMatchObject({ code: "PORT_STALLED" });
    expect(listener.end).toBe("stalled");
    await port.close();
    await until(() => !runs(port.hostPid));
  });

  it("notices by itself that its process hangs", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener, 500_000);
    process.kill(port.hostPid, "SIGSTOP");
    await until(() => listener.end !== undefined);
    expect(listener.end).toBe("stalled");
  });

  it("leaves no process behind when this one is killed, and the device free", async () => {
    const board = await terminal();
    const parent = spawn(process.execPath, [PROGRAM, board.path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let pid = 0;
    parent.stdout.on("data", (chunk: Buffer) => (pid = Number(chunk.toString())));
    await until(() => pid > 0);
    parent.kill("SIGKILL");
    await until(() => !runs(pid));
    await expect(open(board.path)).resolves.toBeDefined();
  });

  it("tells when its process is ended by somebody", async () => {
    const board = await terminal();
    const listener = new Listener();
    const port = await open(board.path, listener);
    process.kill(port.hostPid, "SIGKILL");
    await until(() => listener.end !== undefined);
    expect(listener.end).toBe("failed");
  });
});

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
