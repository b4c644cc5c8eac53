import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { CloudBench, refusalOf } from "../cloud-server/cloud-bench.js";

const REQUEST_ID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe("the HTTP gateway", () => {
  it.each([
    ["/nope", "GET", 404, "UnknownOperationException"],
    ["/", "GET", 404, "UnknownOperationException"],
    ["/things/%", "GET", 404, "UnknownOperationException"],
    ["/things/%ff%fe", "GET", 404, "UnknownOperationException"],
    ["/things", "BREW", 400, "InvalidRequestException"],
    ["/a/b/c/../../../etc/passwd", "GET", 404, "UnknownOperationException"],
    [`/${"x/".repeat(2_000)}`, "GET", 404, "UnknownOperationException"],
  ])("answers %s %s in AWS's shape", async (path, method, status, name) => {
    const bench = await CloudBench.open();
    if (method === "BREW") {
      expect(await spoken(bench, "BREW /things HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(
        /^HTTP\/1.1 400 .*x-amzn-errortype: InvalidRequestException/s,
      );
      return;
    }
    const answer = await bench.ask(path, { method });
    expect([answer.status, answer.headers["x-amzn-errortype"]]).toEqual([status, name]);
    expect(answer.headers["x-amzn-requestid"]).toMatch(REQUEST_ID);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.text)).toMatchObject({ message: expect.any(String) as string });
  });

  it("lets no answer be stored, framed or sniffed", async () => {
    const { headers } = await (await CloudBench.open()).ask("/nope");
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    });
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  it.each([
    ["evil.example", 421],
    ["evil.example:PORT", 421],
    ["localhost.evil.example:PORT", 421],
    ["127.0.0.1.nip.io:PORT", 421],
    ["127.0.0.1:1", 421],
    ["localhost:1", 421],
    ["user@127.0.0.1:PORT", 421],
    ["127.0.0.1:PORT:PORT", 421],
    ["2130706433:PORT", 421],
    ["localhost.:PORT", 421],
    ["192.168.1.1:PORT", 421],
    ["ec2-1-2-3-4.compute-1.amazonaws.com:PORT", 421],
    ["x.iot.us-east-1.amazonaws.com.evil.example:PORT", 421],
    ["127.0.0.1:PORT", 501],
    ["127.0.0.1", 501],
    ["localhost", 501],
    ["LOCALHOST:PORT", 501],
    ["[::1]:PORT", 501],
    ["a1b2c3-ats.iot.us-east-1.amazonaws.com", 501],
    ["mine.test:PORT", 501],
    ["proxied.test:99", 501],
    ["proxied.test:98", 421],
  ])("looks at the Host %s (G1: DNS rebinding)", async (host, status) => {
    const bench = await CloudBench.open({ allowedHosts: ["mine.test", "proxied.test:99"] });
    const answer = await bench.ask("/audit/tasks/x", {
      headers: { host: host.replaceAll("PORT", String(bench.port("http"))) },
    });
    expect(answer.status === 421 ? 421 : 501).toBe(status);
  });

  it("answers requests without a Host, with two, and for another server, 400 or 421", async () => {
    const bench = await CloudBench.open();
    const port = bench.port("http");
    expect(await spoken(bench, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 421/);
    expect(
      await spoken(
        bench,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nHost: evil\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 4(?:00|21)/);
    expect(
      await spoken(
        bench,
        `GET http://evil/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 400/);
  });

  it.each([
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "https://127.0.0.1:PORT" }, 403],
    [{ origin: "http://localhost:1" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ origin: "http://127.0.0.1:PORT", "sec-fetch-site": "same-origin" }, 404],
    [{ "sec-fetch-site": "none" }, 404],
    [{ origin: "https://app.test" }, 404],
    [{}, 404],
  ])("looks at where pages come from: %o (G2: cross-site requests)", async (headers, status) => {
    const bench = await CloudBench.open({ allowedOrigins: ["https://app.test"] });
    const own = Object.entries(headers).map(([name, text]) => [
      name,
      text.replace("PORT", String(bench.port("http"))),
    ]);
    const answer = await bench.ask("/nope", { headers: Object.fromEntries(own) as Record<string, string> });
    expect(answer.status).toBe(status);
  });

  it("takes bodies up to a limit, however they are sent (G10)", async () => {
    const bench = await CloudBench.open();
    const large = "x".repeat(1_048_577);
    const whole = await bench.ask("/things/a", { method: "POST", body: large });
    expect(refusalOf(whole)).toBe(
      "413 RequestEntityTooLargeException The body is larger than 1048576 bytes.",
    );
    const chunked = await spoken(
      bench,
      `POST /topics/a HTTP/1.1\r\nHost: 127.0.0.1:${bench.port("http")}\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n${"y".repeat(262_144)}\r\n1\r\nz\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 .*RequestEntityTooLargeException/s);
  });

  it("parses nothing that could be smuggled (G12)", async () => {
    const bench = await CloudBench.open();
    const host = `Host: 127.0.0.1:${bench.port("http")}`;
    const attacks = [
      `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc`,
      `POST / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host}\r\nX : y\r\n\r\n`,
      `GET / HTTP/1.1\n${host}\r\n folded\r\n\r\n`,
      `GET /\0 HTTP/1.1\r\n${host}\r\n\r\n`,
    ];
    for (const attack of attacks)
      expect(await spoken(bench, attack), JSON.stringify(attack)).toMatch(
        /^HTTP\/1.1 400 .*x-amzn-errortype: InvalidRequestException/s,
      );
  });

  it("answers requests that are under way when it is stopped", async () => {
    const bench = await CloudBench.open();
    const socket = connect(bench.port("http"), "127.0.0.1");
    await once(socket, "connect");
    const text = collected(socket);
    socket.write(
      `POST /things/x HTTP/1.1\r\nHost: 127.0.0.1:${bench.port("http")}\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n{`,
    );
    await once(socket, "data");
    const stopped = bench.server.stop();
    socket.write("}");
    expect(await text).toMatch(/HTTP\/1.1 200 .*x-amzn-requestid/s);
    await stopped;
  });
});

async function collected(socket: ReturnType<typeof connect>): Promise<string> {
  let text = "";
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    text += data.toString();
  });
  await once(socket, "close");
  return text;
}

/** All that a raw client is answered. */
async function spoken(bench: CloudBench, text: string): Promise<string> {
  const socket = connect(bench.port("http"), "127.0.0.1");
  socket.write(text);
  return collected(socket);
}
