import { connect } from "node:net";
import { Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { CloudBench } from "../cloud-server/cloud-bench.js";

const REQUESTS = 3_000;
const CONCURRENT = 16;
const DEADLINE_MS = 2_000;

const PATHS = [
  "/things/a",
  "/topics/a%2Fb?qos=1",
  "/things/a/shadow",
  "/role-aliases/x/credentials",
  "/mqtt",
  "/metrics",
  "/health?x=y",
  "/console/",
  "/console/%2e%2e/%2e%2e/etc/passwd",
  "/endpoint?endpointType=iot:Data-ATS",
  "//",
  "/%",
  "/\u0001",
  "*",
  "http://evil/",
];
const HEADERS = [
  "Content-Type: application/json",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Content-Length: 5",
  "Content-Length: -1",
  "Content-Length: 99999999999",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: mqtt",
  "Sec-WebSocket-Extensions: permessage-deflate",
  "Expect: 100-continue",
  "Expect: the unexpected",
  "Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/r/iot/aws4_request, SignedHeaders=host, Signature=00",
  `Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/r/iot/aws4_request,SignedHeaders=host,Signature=${"0".repeat(64)}`,
  "Authorization: Bearer x",
  "x-amz-date: 20260101T000000Z",
  "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "x-amz-customauthorizer-name: nobody",
  "x-amzn-iot-thingname: __proto__",
  "Origin: null",
  "Sec-Fetch-Site: cross-site",
  "Cookie: a=b; __proto__=c",
  "Range: bytes=0-18446744073709551615",
  "Host: evil",
  "__proto__: x",
  `X-Long: ${"y".repeat(9_000)}`,
];
const BODIES = [
  "",
  "hello",
  "{}",
  '{"a":',
  "[".repeat(50_000),
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\n",
  "\0\0\0",
];
const METHODS = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "BREW",
  "get",
];

/** A request that is nearly right, or not at all; sometimes with bytes changed. */
function request(random: Random, host: string): Buffer {
  const headers = Array.from({ length: random.below(5) }, () => random.pick(HEADERS));
  if (random.chance(0.9)) headers.unshift(`Host: ${host}`);
  const version = random.chance(0.95) ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]);
  const head = `${random.pick(METHODS)} ${random.pick(PATHS)} ${version}\r\n${headers.join("\r\n")}\r\n\r\n`;
  const bytes = Buffer.from(head + random.pick(BODIES), "latin1");
  if (random.chance(0.3))
    for (let i = random.below(6); i >= 0; i -= 1) bytes[random.below(bytes.length)] = random.below(256);
  return random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** All that comes back, until the server closes or says nothing more. */
const spoken = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(DEADLINE_MS, end);
    socket.on("error", () => undefined);
    socket.on("close", end);
    socket.on("data", (data) => {
      text += data.toString("latin1");
      // Whatever was right is answered; nothing more will come of it.
      if (/^HTTP\/1\.1 [2-5]/m.test(text)) setTimeout(end, 20);
    });
    socket.end(bytes);
  });

describe("the HTTP gateway under requests that are nearly right", () => {
  it("answers or closes, says no to every one in AWS's shape, and stays well", async () => {
    const bench = await CloudBench.open();
    const port = bench.port("http");
    const random = Random.seeded("wire fuzz");
    const statuses = new Map<string, number>();
    let sent = 0;
    const work = async (): Promise<void> => {
      while (sent < REQUESTS) {
        sent += 1;
        const bytes = request(random, `127.0.0.1:${port}`);
        const text = await spoken(port, bytes);
        const shown = JSON.stringify(bytes.toString("latin1").slice(0, 1_000));
        for (const [, status = ""] of text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect(status, shown).not.toMatch(/^5(?!0[13])/);
        }
        const [, status = "", head = ""] =
          /^HTTP\/1\.1 ([4-5]\d{2}) [^\r\n]*\r\n(.*?)\r\n\r\n/s.exec(text) ?? [];
        // Node answers what it cannot expect by itself, and the console has pages, not APIs.
        if (status !== "" && status !== "417" && !bytes.includes("/console"))
          expect(head.toLowerCase(), shown).toContain("x-amzn-errortype");
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, work));
    expect(statuses.size).toBeGreaterThan(5);
    expect((await bench.ask("/health")).status).toBe(200);
    expect({}).not.toHaveProperty("x");
  }, 120_000);
});
