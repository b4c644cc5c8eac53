import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import {
  type Listener,
  type ListenerOptions,
  openListener,
  type Rejection,
  type WebClient,
  type WebEntrance,
} from "fleetrig/broker";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { makeAuthority } from "./certificates.js";
import { RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT = Buffer.from("100d00044d5154540402003c000161", "hex");
const authority = makeAuthority("Server CA");
const server = authority.issue({ commonName: "cloud", names: ["127.0.0.1", "localhost"] });
const device = makeAuthority("The user's own CA").issue({ commonName: "thing-7" });

const ALPN = ["x-amzn-mqtt-ca", "mqtt", "x-amzn-http-ca", "http/1.1"];
const MQTT = new Set(["x-amzn-mqtt-ca", "mqtt"]);

let listener: Listener;
const open: { destroy(): void }[] = [];
const rejections: Rejection[] = [];
const time = new VirtualTime();

const refusal = (status: number, body: string) => ({ status, headers: { "x-amzn-errortype": "Test" }, body });

/** Says who asks; lets everybody upgrade who says `?in`. */
const entrance = (more: Partial<WebEntrance> = {}): WebEntrance => ({
  speaksHttp: (alpn) => alpn === undefined || !MQTT.has(alpn),
  handle: (request, response, client) => response.end(`${request.method} ${request.url} ${shown(client)}`),
  upgrade: (request) =>
    request.url?.includes("?in") === true
      ? { facts: { credentials: { accessKeyId: "AKID", arn: "arn" } } }
      : { refusal: refusal(403, "stay out") },
  malformed: (code) => refusal(400, code),
  ...more,
});

const shown = ({ peer }: WebClient): string =>
  [peer.transport, peer.alpn ?? "-", peer.certificate?.commonName ?? "-"].join(" ");

async function listen(options: ListenerOptions): Promise<RecordingAcceptor> {
  const acceptor = new RecordingAcceptor();
  listener = await openListener(options, {
    acceptor,
    maxPacketBytes: 1_000,
    connectDeadlineMs: 30_000,
    clock: time.lane(1),
    observer: { rejected: (rejection) => rejections.push(rejection) },
  });
  return acceptor;
}

const listenTls = (web = entrance()): Promise<RecordingAcceptor> =>
  listen({ tls: { ...server, clientCertificates: "identify", alpn: ALPN }, web });

async function dial(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: listener.port, host: "127.0.0.1", ca: authority.cert, ...options });
  open.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

/** Body of an answer. */
function get(path: string, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { port: listener.port, host: "127.0.0.1", ca: authority.cert, path, agent: false, ...options },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve(text));
      },
    );
    request.on("error", reject);
    request.end();
  });
}

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  rejections.length = 0;
  await listener.stop();
});

describe("a port for MQTT and HTTP", () => {
  it.each(["x-amzn-mqtt-ca", "mqtt"])("speaks MQTT with clients that agree on %s", async (alpn) => {
    const acceptor = await listenTls();
    const socket = await dial({ ALPNProtocols: [alpn], ...device });
    socket.write(CONNECT);
    const { link } = await acceptor.untilAccepted();
    expect(link.peer).toMatchObject({ alpn, transport: "tls", certificate: { commonName: "thing-7" } });
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString("hex")).toBe("20020000");
  });

  it.each([
    ["x-amzn-http-ca", { ALPNProtocols: ["x-amzn-http-ca"] }],
    ["http/1.1", { ALPNProtocols: ["h2", "http/1.1"] }],
    ["-", { ALPNProtocols: undefined }],
  ])("speaks HTTP with clients that agree on %s", async (alpn, options) => {
    await listenTls();
    expect(await get("/a?b", { ...options, ...device })).toBe(`GET /a?b tls ${alpn} thing-7`);
  });

  it("ends handshakes of clients that only speak something else", async () => {
    await listenTls();
    await expect(dial({ ALPNProtocols: ["h3"] })).rejects.toThrow(/alert no application protocol/);
  });

  it("takes any client certificate as it is, and names no authorities to choose by", async () => {
    const acceptor = await listenTls();
    const socket = await dial({ ALPNProtocols: ["mqtt"], ...device });
    socket.write(CONNECT);
    const { link } = await acceptor.untilAccepted();
    expect(link.peer?.isVerified).toBe(false);
    const bare = await dial({ ALPNProtocols: ["mqtt"] });
    bare.write(CONNECT);
    expect((await acceptor.untilAccepted(2)).link.peer?.certificate).toBeUndefined();
  });

  it("turns a request into MQTT over WebSocket, and hands on what is known of the client", async () => {
    const acceptor = await listenTls();
    const socket = new WebSocket(`wss://127.0.0.1:${listener.port}/mqtt?in`, "mqtt", { ca: authority.cert });
    open.push({ destroy: () => socket.terminate() });
    await once(socket, "open");
    socket.send(CONNECT);
    const { link } = await acceptor.untilAccepted();
    expect(link.peer).toMatchObject({ transport: "wss", credentials: { accessKeyId: "AKID" } });
    expect(((await once(socket, "message")) as [Buffer])[0].toString("hex")).toBe("20020000");
  });

  it("answers upgrades that are refused, and those that are none", async () => {
    await listenTls();
    const status = async (path: string, protocol?: string): Promise<string> => {
      const socket = new WebSocket(`wss://127.0.0.1:${listener.port}${path}`, protocol ?? [], {
        ca: authority.cert,
      });
      socket.on("error", () => undefined);
      const [, response] = (await once(socket, "unexpected-response")) as [
        unknown,
        { statusCode: number; headers: Record<string, string> },
      ];
      socket.terminate();
      return `${response.statusCode} ${response.headers["x-amzn-errortype"]}`;
    };
    expect(await status("/mqtt", "mqtt")).toBe("403 Test");
    expect(await status("/mqtt?in")).toBe("400 Test");
    expect(rejections.map(({ reason }) => reason)).toEqual(["upgrade", "upgrade"]);
  });

  it("does not wait for CONNECT on connections that speak HTTP, only on what they become", async () => {
    const acceptor = await listenTls();
    const idle = await dial({ ALPNProtocols: ["http/1.1"] });
    const silent = new WebSocket(`wss://127.0.0.1:${listener.port}/mqtt?in`, "mqtt", { ca: authority.cert });
    silent.on("error", () => undefined);
    await once(silent, "open");
    await acceptor.untilAccepted();
    time.advance(31 * US_PER_S);
    await once(silent, "close");
    expect(rejections).toMatchObject([{ reason: "deadline", detail: "no CONNECT came in time" }]);
    idle.write("GET /still HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(String(((await once(idle, "data")) as [Buffer])[0])).toContain("GET /still");
  });
});

describe("a port for HTTP", () => {
  it("has an endpoint that says so", async () => {
    await listen({ web: entrance({ speaksHttp: () => true }) });
    expect(listener.endpoint.url).toBe(`http://127.0.0.1:${listener.port}`);
    expect(await (await fetch(listener.endpoint.url)).text()).toBe("GET / tcp - -");
  });

  it("answers what is no HTTP, and closes", async () => {
    await listen({ web: entrance({ speaksHttp: () => true }) });
    const answer = await spoken("NOT HTTP\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\nx-amzn-errortype: Test\r\nConnection: close\r\n/);
    const long = await spoken(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(long).toContain("HPE_HEADER_OVERFLOW");
  });

  it("turns away connections above its limit", async () => {
    await listen({ web: entrance({ speaksHttp: () => true, maxConnections: 1 }) });
    const first = connectTcp(listener.port, "127.0.0.1");
    open.push(first);
    first.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(first, "data");
    const second = connectTcp(listener.port, "127.0.0.1");
    open.push(second);
    second.on("error", () => undefined);
    await once(second, "close");
    expect(rejections).toMatchObject([{ reason: "max-connections" }]);
  });
});

/** All that a raw client is answered. */
async function spoken(text: string): Promise<string> {
  const socket = connectTcp(listener.port, "127.0.0.1");
  open.push(socket);
  let all = "";
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    all += data.toString();
  });
  socket.write(text);
  await once(socket, "close");
  return all;
}

describe("a TLS port that wants to be called by name", () => {
  it("turns away clients without SNI, and nobody else", async () => {
    const acceptor = await listen({ tls: { ...server, requireServerName: true } });
    const silent = await dial({ servername: "" });
    await once(silent, "close");
    expect(rejections).toMatchObject([{ reason: "handshake", detail: "the client names no server (SNI)" }]);
    const named = await dial({ servername: "localhost" });
    named.write(CONNECT);
    expect((await acceptor.untilAccepted()).link.peer?.serverName).toBe("localhost");
  });
});
