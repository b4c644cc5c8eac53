import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { withSharedRead } from "../../broker/listeners/shared-read.js";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server whose sockets are moved, and one client of it. */
async function pair(
  spoil: (accepted: Socket) => void = () => undefined,
): Promise<{ client: Socket; socket: Socket; accepted: Socket; server: Server }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  spoil(accepted);
  return { client, socket: withSharedRead(accepted), accepted, server };
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

describe("withSharedRead", () => {
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

  it("leaves a socket alone whose parts are not as expected", async () => {
    const { client, socket, accepted } = await pair((one) => {
      (one as unknown as { _server: unknown })._server = undefined;
    });
    expect(socket).toBe(accepted);
    client.write("plain");
    expect((await collected(socket, 5)).toString()).toBe("plain");
    socket.destroy();
  });
});
