import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { acceptWithSharedRead } from "../../broker/listeners/shared-read.js";

const TCP_TABLE = "/proc/net/tcp";
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server with cheap reads, and one client of it. */
async function pair(
  spoil: (server: Server) => void = () => undefined,
): Promise<{ client: Socket; socket: Socket; server: Server; isShared: boolean }> {
  const server = createServer({ allowHalfOpen: true });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  spoil(server);
  const usual = once(server, "connection") as Promise<[Socket]>;
  let isShared = false;
  const accepted = new Promise<Socket>((resolve) => {
    isShared = acceptWithSharedRead(server, { tcpKeepAliveS: 60, accept: resolve });
    void usual.then(([socket]) => resolve(socket));
  });
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  return { client, socket: await accepted, server, isShared };
}

/** Collects until `bytes` have come. */
const collected = (socket: Socket, bytes: number): Promise<Buffer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length >= bytes) resolve(all);
    });
  });

describe("acceptWithSharedRead", () => {
  it("hands out what the client sent, small or larger than the buffer, as bytes that stay as they are", async () => {
    const { client, socket } = await pair();
    const sent = Buffer.alloc(300_000, "0123456789abcdef");
    const came = collected(socket, 5 + sent.length);
    client.write("first");
    client.write(sent);
    expect((await came).equals(Buffer.concat([Buffer.from("first"), sent]))).toBe(true);
    socket.destroy();
  });

  it("writes, and learns of the end of the client's side", async () => {
    const { client, socket } = await pair();
    socket.write("answer");
    expect((await collected(client, 6)).toString()).toBe("answer");
    const ended = once(socket, "end");
    client.end();
    socket.resume();
    await ended;
    socket.end();
    await once(socket, "close");
  });

  it("stops reading while it is paused", async () => {
    const { client, socket } = await pair();
    const seen: string[] = [];
    socket.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
    socket.pause();
    client.write("held");
    // The echo of another connection shows that the loop has gone round with the bytes lying there.
    const other = await pair();
    other.socket.on("data", (chunk: Buffer) => other.socket.write(chunk));
    other.client.write("echo");
    await collected(other.client, 4);
    expect(seen).toEqual([]);
    const came = once(socket, "data");
    socket.resume();
    await came;
    expect(seen).toEqual(["held"]);
    for (const each of [socket, other.socket]) each.destroy();
  });

  it("counts for its server: close waits for it", async () => {
    const { client, socket, server } = await pair();
    const closed = once(server, "close");
    server.close();
    client.end("bye");
    socket.on("data", () => socket.end());
    await closed;
  });

  it("leaves a server alone whose parts are not as expected", async () => {
    const { client, socket, isShared } = await pair((server) => {
      Object.defineProperty(server, "_connections", { value: undefined, writable: true });
    });
    expect(isShared).toBe(false);
    client.write("plain");
    expect((await collected(socket, 5)).toString()).toBe("plain");
    socket.destroy();
  });

  it.runIf(existsSync(TCP_TABLE))("has kept alive what it accepts, without asking for it", async () => {
    const { client, socket } = await pair();
    const port = socket.localPort!.toString(16).toUpperCase().padStart(4, "0");
    // Of the established one: queues, then the kind of its timer, 2 for keep-alive.
    const row = new RegExp(`0100007F:${port} \\S+ 01 \\S+ (\\d\\d):`).exec(readFileSync(TCP_TABLE, "utf8"));
    expect(row?.[1]).toBe("02");
    client.destroy();
    socket.destroy();
  });
});
