import { createServer, type Socket } from "node:net";
import type { JsonObject } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../virtual/rig.js";
import { BridgedBoard, configuration } from "./bridged-board.js";

const CONNACK = Buffer.from([0x20, 3, 0, 0, 0]);

/** A server that accepts every client and then says what the test wants, however wrong. */
async function startServer() {
  const connections: { readonly socket: Socket; heard: Buffer }[] = [];
  const server = createServer((socket) => {
    const connection = { socket, heard: Buffer.alloc(0) };
    socket.on("data", (bytes) => {
      if (connection.heard.length === 0) {
        connections.push(connection);
        socket.write(CONNACK);
      }
      connection.heard = Buffer.concat([connection.heard, bytes]);
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  return { connections, brokerPort: (server.address() as { readonly port: number }).port };
}

const boardError = (code: string) => ({ context: { boardError: code } });

describe("main.py before a host or a server that does wrong", () => {
  it("refuses commands whose arguments are none, and goes on", async () => {
    const { link, board, hellos } = await BridgedBoard.open();
    await link.command("configure", configuration("t1"));
    const ops = "start disconnect setState fault time log sleep gpio adc nvs configure".split(" ");
    for (const op of ops)
      for (const args of [[], [1], "x", 7, null])
        await expect(
          link.command(op, args as unknown as JsonObject),
          `${op} ${JSON.stringify(args)}`,
        ).rejects.toMatchObject(boardError("bad-args"));
    expect(await link.command("echo", { data: "still here" })).toBe("still here");
    expect(hellos).toHaveLength(1);
    expect(board.path).toBeDefined();
  });

  it("is nobody after a configuration that is no good, over a restart too", async () => {
    const bridged = await BridgedBoard.open();
    await bridged.link.command("configure", configuration("t1"));
    await expect(bridged.link.command("configure", { thing: "t2" })).rejects.toMatchObject(
      boardError("bad-args"),
    );
    await expect(bridged.link.command("connect", {})).rejects.toMatchObject(boardError("failed"));
    await bridged.board.reset();
    await bridged.restarted(1);
    expect(bridged.hellos.at(-1)!.thing).toBeUndefined();
  });

  it("tells of its crash and its name in one frame, however long that is", async () => {
    const thing = "t".repeat(128);
    const bridged = await BridgedBoard.open();
    await bridged.link.command("configure", configuration(thing));
    await bridged.link.command("crash", { kind: "abort" });
    await bridged.restarted(1);
    expect(bridged.hellos.at(-1)).toMatchObject({ thing, crash: { kind: "abort" } });
  });

  it("wakes from the shortest sleep", async () => {
    const bridged = await BridgedBoard.open();
    await bridged.link.command("sleep", { us: 0 });
    await bridged.restarted(1);
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "DEEPSLEEP" });
  });

  it("says its last words again where they were lost, before it restarts", async () => {
    const bridged = await BridgedBoard.open();
    await bridged.link.command("reboot", {});
    bridged.isDeaf = true;
    setTimeout(() => {
      bridged.isDeaf = false;
    }, 200);
    await bridged.restarted(1);
    expect(bridged.ofKind("rebooting")).toMatchObject([{ why: "command" }]);
  });

  it("gives a connection up on which it reads nonsense, and takes the next one", async () => {
    const { connections, brokerPort } = await startServer();
    const bridged = await BridgedBoard.open({ brokerPort });
    const opened = (): number => bridged.ofKind("connection").filter(({ kind }) => kind === "open").length;
    await bridged.begin(configuration("t1"));
    const nonsense = [
      [0x40, 1, 0],
      [0x32, 3, 0, 9, 0x74],
      [0x30, 4, 0, 1, 0xff, 0],
      [0x90, 5, 0, 1, 2, 0x7f, 0],
      [0x30, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ];
    for (const [n, bytes] of nonsense.entries()) {
      await until(() => opened() === n + 1);
      connections[n]!.socket.write(Buffer.from(bytes));
    }
    await until(() => opened() === nonsense.length + 1);
    const reasons = bridged.ofKind("connection").flatMap(({ reason }) => reason ?? []);
    expect(reasons).toEqual(nonsense.map(() => "malformed-packet"));
    expect(bridged.restarts).toBe(0);
  });

  it("acknowledges a message that is too long for it, and reads on behind it", async () => {
    const { connections, brokerPort } = await startServer();
    const bridged = await BridgedBoard.open({ brokerPort });
    await bridged.begin(configuration("t1"));
    await until(() => bridged.ofKind("connection").some(({ kind }) => kind === "open"));
    const { socket } = connections[0]!;
    const bodyBytes = 40_000;
    const long = Buffer.alloc(4 + bodyBytes);
    long.set([0x32, (bodyBytes & 127) | 128, ((bodyBytes >> 7) & 127) | 128, bodyBytes >> 14]);
    long.set([0, 1, 0x74, 0, 7, 0], 4);
    socket.write(Buffer.concat([long, Buffer.from([0x32, 6, 0, 1, 0x74, 0, 8, 0])]));
    await until(() => connections[0]!.heard.includes(Buffer.from([0x40, 2, 0, 8])), 30_000);
    expect(connections[0]!.heard.includes(Buffer.from([0x40, 2, 0, 7]))).toBe(true);
    expect(connections).toHaveLength(1);
  });
});
