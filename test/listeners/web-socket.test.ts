import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { type Listener, type ListenerOptions, openListener, type Rejection } from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { makeAuthority } from "./certificates.js";
import { answerConnect, RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT = Buffer.from("100d00044d5154540402003c000161", "hex");
const CONNACK = "20020000";
const PING = Buffer.from("c000", "hex");
const authority = makeAuthority("Fleet CA");

let listener: Listener | undefined;
const open: WebSocket[] = [];
const rejections: Rejection[] = [];
const time = new VirtualTime();

async function listen(options: ListenerOptions = {}, acceptor = new RecordingAcceptor()) {
  listener = await openListener(
    { transport: "ws", ...options },
    {
      acceptor,
      maxPacketBytes: 100_000,
      connectDeadlineMs: 30_000,
      clock: time.lane(1),
      observer: { rejected: (rejection) => rejections.push(rejection) },
    },
  );
  return acceptor;
}

interface Attempt {
  readonly protocol?: string | string[];
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An open WebSocket, or the status that refused it. */
function dial({
  protocol = "mqtt",
  path = "/mqtt",
  headers = {},
}: Attempt = {}): Promise<WebSocket | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${listener!.port}${path}`, protocol, { headers });
  open.push(socket);
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
    socket.on("error", () => resolve(0));
  });
}

async function dialOpen(attempt?: Attempt): Promise<WebSocket> {
  const socket = await dial(attempt);
  if (typeof socket === "number") throw new TypeError(`status ${socket}`);
  return socket;
}

/** Everything a client receives, in hex, once there are `bytes` of it. */
async function received(socket: WebSocket, bytes: number): Promise<string> {
  let all = Buffer.alloc(0);
  await new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer) => {
      all = Buffer.concat([all, data]);
      if (all.length >= bytes) resolve();
    });
  });
  return all.toString("hex");
}

const closeCode = async (socket: WebSocket): Promise<number> =>
  ((await once(socket, "close")) as [number])[0];

afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await listener?.stop();
  listener = undefined;
  rejections.length = 0;
});

describe("WebSocket listener", () => {
  it.each([4, 5] as const)(
    "serves an ordinary client of MQTT version %i over ws",
    async (protocolVersion) => {
      await listen();
      expect(listener!.endpoint.url).toBe(`ws://127.0.0.1:${listener!.port}/mqtt`);
      const client = await connectAsync(listener!.endpoint.url, { protocolVersion, reconnectPeriod: 0 });
      await client.endAsync();
    },
  );

  it("serves an ordinary client over wss, and knows its certificate", async () => {
    const server = authority.issue({ commonName: "broker", names: ["127.0.0.1"] });
    const device = authority.issue({ commonName: "thing-7" });
    const tls = { ...server, ca: authority.cert, clientCertificates: "require" } as const;
    const acceptor = await listen({ transport: "wss", tls });
    expect(listener!.endpoint.url).toBe(`wss://127.0.0.1:${listener!.port}/mqtt`);
    const secrets = { ca: authority.cert, key: device.key, cert: device.cert };
    const client = await connectAsync(listener!.endpoint.url, { ...secrets, reconnectPeriod: 0 });
    expect(acceptor.recorders[0]!.link.peer).toMatchObject({
      transport: "wss",
      certificate: { commonName: "thing-7" },
    });
    await client.endAsync();
    await expect(
      connectAsync(listener!.endpoint.url, { ca: authority.cert, reconnectPeriod: 0 }),
    ).rejects.toThrow();
  });

  it("reads packets across frames and several from one [MQTT-6.0.0-2], and answers in one frame", async () => {
    await listen();
    const socket = await dialOpen();
    const frames: number[] = [];
    socket.on("message", (data: Buffer) => frames.push(data.length));
    for (const byte of CONNECT) socket.send(Buffer.from([byte]));
    expect(await received(socket, 4)).toBe(CONNACK);
    const answers = received(socket, 6);
    socket.send(Buffer.concat([PING, PING, PING]));
    expect(await answers).toBe("d000d000d000");
    expect(frames).toEqual([4, 6]);
  });

  it.each([
    [["mqtt"], "mqtt"],
    [["mqttv3.1"], "mqttv3.1"],
    [["foo", "mqttv3.1", "mqtt"], "mqtt"],
  ])("answers the subprotocols %j with %s [MQTT-6.0.0-4]", async (protocol, agreed) => {
    await listen();
    expect((await dialOpen({ protocol })).protocol).toBe(agreed);
  });

  it.each<[string, Attempt, number]>([
    ["without a subprotocol [MQTT-6.0.0-3]", { protocol: [] }, 400],
    ["of another subprotocol", { protocol: "chat" }, 400],
    ["for another path", { path: "/other" }, 404],
    ["from a page of another site", { headers: { origin: "https://evil.example" } }, 403],
    ["from a sandboxed page", { headers: { origin: "null" } }, 403],
    ["for a name that was rebound to this host", { headers: { host: "evil.example" } }, 403],
  ])("refuses a request %s", async (_, attempt, status) => {
    const acceptor = await listen();
    expect(await dial(attempt)).toBe(status);
    await expect.poll(() => rejections.map(({ reason }) => reason)).toEqual(["upgrade"]);
    expect(acceptor.recorders).toEqual([]);
  });

  it.each<[string, ListenerOptions, Attempt]>([
    ["of a page of this host", {}, { headers: { origin: "http://localhost:8080" } }],
    [
      "of an allowed page",
      { webSocket: { origins: ["https://App.example"] } },
      { headers: { origin: "https://app.example" } },
    ],
    [
      "of any page when told so",
      { webSocket: { origins: ["*"] } },
      { headers: { origin: "https://evil.example" } },
    ],
    [
      "for an allowed name",
      { webSocket: { hosts: ["broker.example"] } },
      { headers: { host: "broker.example:80" } },
    ],
    ["with a query", { path: "/x" }, { path: "/x?token=1" }],
  ])("takes a request %s", async (_, options, attempt) => {
    await listen(options);
    expect(await dial(attempt)).toBeInstanceOf(WebSocket);
  });

  it("answers plain HTTP with 426 and closes", async () => {
    await listen();
    const response = await fetch(`http://127.0.0.1:${listener!.port}/mqtt`);
    expect(response.status).toBe(426);
    await expect.poll(() => listener!.connections()).toBe(0);
  });

  it("closes on a text frame with 1003 [MQTT-6.0.0-1]", async () => {
    await listen();
    const socket = await dialOpen();
    socket.send("hello");
    expect(await closeCode(socket)).toBe(1003);
    expect(rejections).toMatchObject([{ reason: "frame", detail: "a text frame" }]);
  });

  it("closes on a frame larger than packets may be, and on one sent before CONNECT that is larger than a CONNECT", async () => {
    await listen();
    const socket = await dialOpen();
    socket.send(CONNECT);
    await received(socket, 4);
    socket.send(Buffer.alloc(200_000));
    expect(await closeCode(socket)).toBe(1009);
    const early = await dialOpen();
    early.send(Buffer.alloc(120_000));
    expect(await closeCode(early)).toBe(1006);
    expect(rejections.map(({ reason }) => reason)).toEqual(["frame", "frame"]);
  });

  it("refuses messages of countless fragments", async () => {
    await listen();
    const socket = await dialOpen();
    for (let i = 0; i < 2_000; i += 1) socket.send(Buffer.from([0x10]), { fin: false });
    expect(await closeCode(socket)).toBe(1008);
  });

  it("does not negotiate compression", async () => {
    await listen();
    expect((await dialOpen()).extensions).toBe("");
  });

  it("answers pings, and tells a close frame from a lost connection", async () => {
    const acceptor = await listen();
    const socket = await dialOpen();
    socket.ping("x");
    expect(String((await once(socket, "pong"))[0])).toBe("x");
    socket.close();
    expect(await (await acceptor.untilAccepted()).untilClosed()).toEqual(["closed"]);
    const lost = await dialOpen();
    lost.terminate();
    expect(await (await acceptor.untilAccepted(2)).untilClosed()).toEqual(["reset"]);
  });

  it("closes with a close frame after everything sent has gone out", async () => {
    await listen(
      {},
      new RecordingAcceptor((packet, link) => {
        answerConnect(packet, link);
        link.close();
      }),
    );
    const socket = await dialOpen();
    const answer = received(socket, 4);
    const code = closeCode(socket);
    socket.send(CONNECT);
    expect(await answer).toBe(CONNACK);
    expect(await code).toBe(1000);
  });

  it("stops reading from a client that does not read, and goes on when it does", async () => {
    const payload = new Uint8Array(90_000);
    const acceptor = await listen(
      {},
      new RecordingAcceptor((packet, link) => {
        answerConnect(packet, link);
        if (packet.type === "pingreq")
          for (let i = 0; i < 20; i += 1)
            link.send({ type: "publish", topic: "t", payload, qos: 0, retain: false, dup: false });
      }),
    );
    const socket = await dialOpen();
    socket.send(CONNECT);
    await received(socket, 4);
    let bytes = 0;
    socket.on("message", (data: Buffer) => {
      bytes += data.length;
    });
    socket.pause();
    for (let i = 0; i < 10; i += 1) socket.send(PING);
    const { link } = await acceptor.untilAccepted();
    await expect.poll(() => link.bufferedBytes).toBeGreaterThan(1_000_000);
    socket.resume();
    await expect.poll(() => bytes, { timeout: 5_000 }).toBe(10 * (20 * 90_007 + 2));
    expect(link.bufferedBytes).toBe(0);
  });

  it("evicts who dribbles the upgrade, and who upgrades and stays silent", async () => {
    await listen();
    const dribbling = connectTcp({ port: listener!.port, host: "127.0.0.1" });
    await once(dribbling, "connect");
    dribbling.write("GET /mqtt HTTP/1.1\r\nHost: 127");
    const silent = await dialOpen();
    await expect.poll(() => listener!.connections()).toBe(2);
    time.advance(10_000_000);
    await once(dribbling, "close");
    expect(rejections).toMatchObject([{ reason: "deadline", detail: "no upgrade came in time" }]);
    const code = closeCode(silent);
    time.advance(20_000_000);
    expect(await code).toBe(1006);
    expect(rejections[1]).toMatchObject({ reason: "deadline", detail: "no CONNECT came in time" });
    await expect.poll(() => listener!.connections()).toBe(0);
  });

  it("frees everything on stop, half-open upgrades included", async () => {
    await listen();
    const half = connectTcp({ port: listener!.port, host: "127.0.0.1" });
    half.on("error", () => undefined);
    await once(half, "connect");
    half.write("GET /mqtt HTTP/1.1\r\n");
    const full = await dialOpen();
    const code = closeCode(full);
    await Promise.all([listener!.stop(), once(half, "close")]);
    expect([1000, 1006]).toContain(await code);
  });
});
