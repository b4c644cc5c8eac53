import { createServer } from "node:net";
import {
  createPortOpener,
  exportPort,
  type Port,
  type PortAddress,
  type PortExport,
  type PortExportOptions,
  type PortOpener,
} from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { closedPort } from "../../embedding/rigs.js";
import { MemoryBoard } from "./memory-board.js";
import { Listener, until } from "./terminal.js";

const EVERY_BYTE = Uint8Array.from({ length: 512 }, (_, value) => 255 - (value % 256));
const ADDRESS: PortAddress = { kind: "tty", path: "/dev/ttyUSB0" };
const TOKEN = "0123456789abcdef";

const time = new RealTime();
const clock = time.lane(0);
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function exported(board: PortOpener, options: Partial<PortExportOptions> = {}): Promise<PortExport> {
  const server = await exportPort({
    opener: board,
    address: ADDRESS,
    clock,
    protocol: "rfc2217",
    baud: 115_200,
    ...options,
  });
  cleanup.push(() => server.close());
  return server;
}

async function open(
  kind: "tcp" | "rfc2217",
  port: number,
  listener = new Listener(),
  token?: string,
): Promise<Port> {
  const opener = createPortOpener({ clock, tokenOf: () => token, stallUs: 400_000 });
  const opening = { address: { kind, host: "127.0.0.1", port }, baud: 115_200, receiver: listener } as const;
  const opened = await opener.open(opening);
  cleanup.push(() => opened.close());
  return opened;
}

describe.each(["tcp", "rfc2217"] as const)("a port exported over %s", (kind) => {
  it("passes all byte values both ways, IAC included", async () => {
    const board = new MemoryBoard(clock);
    const server = await exported(board, { protocol: kind });
    const listener = new Listener();
    const port = await open(kind, server.port, listener);
    port.write(EVERY_BYTE);
    await until(() => board.bytes.length === 512);
    expect(board.bytes).toEqual(Buffer.from(EVERY_BYTE));
    board.port?.send(EVERY_BYTE);
    await until(() => listener.bytes.length === 512);
    expect(listener.bytes).toEqual(Buffer.from(EVERY_BYTE));
  });

  it("ends with its board, and is there again with it", async () => {
    const board = new MemoryBoard(clock);
    const server = await exported(board, { protocol: kind });
    const listener = new Listener();
    await open(kind, server.port, listener);
    await until(() => board.port !== undefined);
    board.port?.tear();
    await until(() => listener.end !== undefined);
    expect(listener.end).toBe("disconnected");
    const again = await open(kind, server.port);
    again.write(Buffer.from("back"));
    await until(() => board.bytes.toString() === "back");
  });

  it("reads its client no faster than its board takes", async () => {
    const TOTAL = 16 * 1024 * 1024;
    const slow = { taken: 0, bufferedBytes: 0, isSlow: true };
    const board: PortOpener = {
      open: async ({ address }) => ({
        address,
        get bufferedBytes() {
          return slow.bufferedBytes;
        },
        write: (bytes) => {
          slow.taken += bytes.length;
          if (slow.isSlow) slow.bufferedBytes += bytes.length;
        },
        setLines: async () => undefined,
        setBaud: async () => undefined,
        close: async () => undefined,
      }),
    };
    const server = await exported(board, { protocol: kind });
    const port = await open(kind, server.port);
    for (let sent = 0; sent < TOTAL; sent += 65_536) port.write(new Uint8Array(65_536));
    await until(() => slow.taken > 1024 * 1024);
    await new Promise((resolve) => void clock.after(200_000, () => resolve(undefined)));
    expect(slow.taken).toBeLessThan(2 * 1024 * 1024);
    Object.assign(slow, { isSlow: false, bufferedBytes: 0 });
    await until(() => slow.taken === TOTAL);
  });

  it("wants its token, and is closed to those who have another", async () => {
    const board = new MemoryBoard(clock);
    const server = await exported(board, { protocol: kind, token: TOKEN });
    const port = await open(kind, server.port, new Listener(), TOKEN);
    port.write(Buffer.from("mine"));
    await until(() => board.bytes.toString() === "mine");
    await port.close();
    const stranger = new Listener();
    await open(kind, server.port, stranger, "0123456789abcdeX").then(
      (other) => other.write(Buffer.from("theirs")),
      (error: unknown) => expect(error).toMatchObject({ code: "PORT_BUSY" }),
    );
    await until(() => stranger.end !== undefined || kind === "rfc2217");
    expect(board.bytes.toString()).toBe("mine");
  });

  it("says when nobody listens there", async () => {
    await expect(open(kind, await closedPort())).rejects.toMatchObject({ code: "PORT_NOT_FOUND" });
  });
});

describe("an RFC 2217 port", () => {
  it("sets both lines in one step, and the rate", async () => {
    const board = new MemoryBoard(clock);
    const server = await exported(board);
    const port = await open("rfc2217", server.port);
    board.lines.length = 0;
    await port.setLines({ dtr: false, rts: true });
    await port.setLines({ dtr: true, rts: false });
    await port.setBaud(921_600);
    expect(board.lines).toEqual([
      { dtr: false, rts: true },
      { dtr: true, rts: false },
    ]);
    expect(board.bauds.at(-1)).toBe(921_600);
  });

  it("keeps bytes, lines and rates in the order in which they were asked for", async () => {
    const board = new MemoryBoard(clock);
    const server = await exported(board);
    const port = await open("rfc2217", server.port);
    const steps = [
      port.setLines({ dtr: true, rts: true }),
      port.setBaud(9600),
      port.setLines({ dtr: true, rts: false }),
    ];
    await Promise.all(steps);
    expect(board.lines.slice(-2)).toEqual([
      { dtr: true, rts: true },
      { dtr: true, rts: false },
    ]);
  });

  it("says that a device without lines has none", async () => {
    const server = await exported(new MemoryBoard(clock, false));
    const port = await open("rfc2217", server.port);
    await expect(port.setLines({ dtr: true, rts: false })).rejects.toMatchObject({
      code: "PORT_LINES_UNSUPPORTED",
    });
  });

  it("serves one client at a time", async () => {
    const server = await exported(new MemoryBoard(clock));
    await open("rfc2217", server.port);
    await expect(open("rfc2217", server.port)).rejects.toMatchObject({ code: "PORT_BUSY" });
  });

  it("gives a server up that does not answer", async () => {
    const silent = createServer((socket) => void socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    cleanup.push(() => new Promise((resolve) => silent.close(resolve)));
    const { port } = silent.address() as { port: number };
    await expect(open("rfc2217", port)).rejects.toMatchObject({ code: "PORT_STALLED" });
  });
});

describe("a raw TCP port", () => {
  it("has no lines and no rate of its own", async () => {
    const server = await exported(new MemoryBoard(clock), { protocol: "tcp" });
    const port = await open("tcp", server.port);
    await expect(port.setLines({ dtr: true, rts: true })).rejects.toMatchObject({
      code: "PORT_LINES_UNSUPPORTED",
    });
    await expect(port.setBaud(9600)).rejects.toMatchObject({ code: "PORT_BAUD_FIXED" });
    await expect(port.setBaud(115_200)).resolves.toBeUndefined();
  });
});

describe("exportPort", () => {
  it("refuses to open a board to other machines without a token", async () => {
    const board = new MemoryBoard(clock);
    await expect(exported(board, { host: "0.0.0.0" })).rejects.toMatchObject({
      code: "PORT_EXPORT_INSECURE",
    });
    await expect(exported(board, { token: "short" })).rejects.toMatchObject({ code: "PORT_EXPORT_TOKEN" });
  });
});
