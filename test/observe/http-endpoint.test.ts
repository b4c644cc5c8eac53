import { type BrokerServer, createBroker } from "fleetrig/broker";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMetrics } from "./prometheus-oracle.js";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are: what browsers and libraries would never send included. */
const send = (port: number, bytes: string, host = "127.0.0.1"): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, host, () => socket.write(bytes));
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const [head = "", body = ""] = text.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (Buffer.byteLength(body) >= length) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", body = ""] = text.split("\r\n\r\n", 2);
      const [first = "", ...lines] = head.split("\r\n");
      const headers = lines.map((line) => line.split(": ", 2) as [string, string]);
      resolve({
        status: Number(first.split(" ")[1] ?? 0),
        headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
        body,
      });
    });
  });

const TOKEN = "0123456789abcdef-test";

let broker: BrokerServer;
let port: number;

beforeAll(async () => {
  broker = await createBroker({
    listen: ["mqtt://127.0.0.1:0"],
    http: { port: 0, token: TOKEN, allowedHosts: ["broker.test"] },
  });
  port = Number(new URL(broker.http!.url).port);
});

afterAll(() => broker.stop());

const get = (
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Answer> => {
  const all = { Host: `127.0.0.1:${port}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return send(port, `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
};

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe("the HTTP endpoint", () => {
  it("serves health and metrics to this machine, and tells nobody to keep or frame them", async () => {
    const health = await get("/health");
    expect(health.status).toBe(200);
    expect(JSON.parse(health.body)).toMatchObject({ status: "ok", durability: "memory", problems: [] });
    expect(health.headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("default-src 'none'") as string,
    });
    const metrics = await get("/metrics");
    expect(metrics.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(readMetrics(metrics.body).get("fleetrig_broker_listener_sockets")?.samples.size).toBe(1);
  });

  it.each(["/clients", "/slow-subscribers"])("wants the token for %s", async (path) => {
    const without = await get(path);
    expect(without).toMatchObject({ status: 401 });
    expect(without.headers["www-authenticate"]).toMatch(/^Bearer/);
    for (const wrong of ["", "x", TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), "a".repeat(2_000)])
      expect((await get(path, bearer(wrong))).status).toBe(401);
    expect((await get(path, { Authorization: `Basic ${TOKEN}` })).status).toBe(401);
    expect((await get(`${path}?token=${TOKEN}`)).status).toBe(401);
    expect((await get(path, bearer(TOKEN))).status).toBe(200);
  });

  it.each<[string, number]>([
    ["127.0.0.1:PORT", 200],
    ["localhost:PORT", 200],
    ["LOCALHOST:PORT", 200],
    ["[::1]:PORT", 200],
    ["broker.test:PORT", 200],
    ["evil.example:PORT", 421],
    ["127.0.0.1", 421],
    ["127.0.0.1:1", 421],
    ["127.0.0.1.evil.example:PORT", 421],
    ["localhost.:PORT", 421],
    ["10.0.0.1:PORT", 421],
    ["user@localhost:PORT", 421],
    ["", 421],
  ])("called %s answers %i", async (host, status) => {
    expect((await get("/health", { Host: host.replace("PORT", String(port)) })).status).toBe(status);
  });

  it("refuses a request without a host", async () => {
    const { status } = await send(port, "GET /health HTTP/1.1\r\n\r\n");
    expect(status).toBe(400);
    expect((await send(port, "GET /health HTTP/1.0\r\n\r\n")).status).toBe(421);
  });

  it.each<[Readonly<Record<string, string>>, number]>([
    [{ Origin: "http://evil.example" }, 403],
    [{ Origin: "null" }, 403],
    [{ Origin: "https://127.0.0.1:PORT" }, 403],
    [{ Origin: "http://127.0.0.1:PORT" }, 200],
    [{ "Sec-Fetch-Site": "cross-site" }, 403],
    [{ "Sec-Fetch-Site": "same-site" }, 403],
    [{ "Sec-Fetch-Site": "same-origin" }, 200],
    [{ "Sec-Fetch-Site": "none" }, 200],
  ])("asked by a page with %o answers %i, token or not", async (headers, status) => {
    const filled = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", String(port))]),
    );
    expect((await get("/metrics", filled)).status).toBe(status);
    expect((await get("/clients", { ...filled, ...bearer(TOKEN) })).status).toBe(status);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])("does not know %s", async (method) => {
    const { status, headers } = await get("/health", { ...bearer(TOKEN), "Content-Length": "0" }, method);
    expect(status).toBe(405);
    expect(headers["allow"]).toBe("GET");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it.each<[string, number]>([
    ["/", 404],
    ["/clients/", 404],
    ["/../etc/passwd", 404],
    ["/__proto__", 404],
    ["/constructor", 404],
    ["/clients?limit=5&sort=sentBytes&offset=3", 200],
    ["/clients?limit=0", 400],
    ["/clients?limit=1001", 400],
    ["/clients?limit=-1", 400],
    ["/clients?limit=1e2", 400],
    ["/clients?offset=100001", 400],
    ["/clients?sort=constructor", 400],
    ["/clients?order=up", 400],
    ["/slow-subscribers?by=queuedBytes&limit=3", 200],
    ["/slow-subscribers?by=__proto__", 400],
  ])("answers %s with %i", async (path, status) => {
    const answer = await get(path, bearer(TOKEN));
    expect(answer.status).toBe(status);
    if (status !== 200)
      expect(JSON.parse(answer.body)).toEqual({ error: expect.stringMatching(/\.$/) as string });
  });

  it("reads no bodies and no endless headers", async () => {
    expect((await get("/health", { "Content-Length": "5" })).status).toBe(413);
    expect((await get("/health", { "Transfer-Encoding": "chunked" })).status).toBe(413);
    expect((await get("/health", { "X-Long": "x".repeat(9_000) })).status).toBe(431);
  });

  it("lists connected clients, whatever they call themselves", async () => {
    const { connectAsync } = await import("mqtt");
    const clientId = 'a"<script>\\u001b é';
    const client = await connectAsync(broker.endpoints[0]!.url, { clientId, protocolVersion: 5 });
    const { body } = await get("/clients", bearer(TOKEN));
    expect((JSON.parse(body) as { clients: { clientId: string }[] }).clients[0]!.clientId).toBe(clientId);
    await client.endAsync();
  });
});

describe("an HTTP endpoint beyond loopback", () => {
  it("tells strangers the bare status, and takes addresses but not foreign names for its own", async () => {
    // This spelling of loopback does not count as one, so that nothing has to be bound beyond it.
    const host = "::ffff:127.0.0.1";
    const server = await createBroker({ http: { host, port: 0, token: TOKEN } });
    const own = Number(new URL(server.http!.url).port);
    const ask = (path: string, host: string, token?: string) =>
      send(
        own,
        `GET ${path} HTTP/1.1\r\nHost: ${host}:${own}\r\n${token === undefined ? "" : `Authorization: Bearer ${token}\r\n`}\r\n`,
      );
    const health = await ask("/health", "192.0.2.7");
    expect(JSON.parse(health.body)).toEqual({ status: "ok" });
    expect((await ask("/metrics", "192.0.2.7")).status).toBe(401);
    expect((await ask("/metrics", "192.0.2.7", TOKEN)).status).toBe(200);
    expect((await ask("/health", "[2001:db8::7]")).status).toBe(200);
    expect((await ask("/health", "evil.example")).status).toBe(421);
    await server.stop();
  });
});

describe("opening the HTTP endpoint", () => {
  it("makes a token that nobody can guess, another each time", async () => {
    const servers = [await createBroker({ http: { port: 0 } }), await createBroker({ http: { port: 0 } })];
    const tokens = servers.map((server) => server.http!.token);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{32}$/);
    for (const server of servers) await server.stop();
  });

  it("refuses a short token and a port that is taken, and leaves nothing open", async () => {
    await expect(createBroker({ http: { port: 0, token: "short" } })).rejects.toMatchObject({
      code: "OBSERVE_TOKEN_SHORT",
    });
    await expect(createBroker({ listen: ["mqtt://127.0.0.1:0"], http: { port } })).rejects.toMatchObject({
      code: "LISTENER_UNAVAILABLE",
    });
  });
});
