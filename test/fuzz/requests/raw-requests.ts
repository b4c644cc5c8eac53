import { connect } from "node:net";
import type { Random } from "fleetrig/kernel";
import type { RawRequest } from "./request-mutation.js";

/** Ways to write a request down wrongly; the text is split into its lines. */
type Spoil = (lines: string[], random: Random) => void;

const SPOILS: readonly Spoil[] = [
  (lines) => lines.splice(1, 0, "Content-Length: 5", "Content-Length: 6"),
  (lines) => lines.splice(1, 0, "Transfer-Encoding: chunked"),
  (lines) => lines.splice(1, 0, "Transfer-Encoding: chunked, identity", "Content-Length: 3"),
  (lines) => lines.splice(1, 0, "Content-Length: 99999999999999999999"),
  (lines) => lines.splice(1, 0, "Content-Length: -1"),
  (lines) => lines.splice(1, 0, `X-Long: ${"a".repeat(20_000)}`),
  (lines) => lines.splice(1, 0, ...Array.from({ length: 3_000 }, (_, index) => `X-${index}: 1`)),
  (lines) => lines.splice(1, 0, "X-Nul: a\0b"),
  (lines) => lines.splice(1, 0, " folded: header"),
  (lines) => lines.splice(1, 0, "No colon at all"),
  (lines) => lines.splice(1, 1),
  (lines) => lines.splice(1, 0, "Host: elsewhere.example"),
  (lines) => lines.splice(1, 0, "Expect: 100-continue"),
  (lines) => lines.splice(1, 0, "Expect: something-else"),
  (lines) => lines.splice(1, 0, "Connection: Upgrade", "Upgrade: websocket"),
  (lines) =>
    lines.splice(1, 0, "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
  (lines) => (lines[0] = `${lines[0]!.slice(0, -3)}9.9`),
  (lines) => (lines[0] = lines[0]!.replace(" /", " http://other.example/")),
  (lines) => (lines[0] = "PRI * HTTP/2.0"),
  (lines) => (lines[0] = `GET /${"a".repeat(70_000)} HTTP/1.1`),
  (lines, random) => (lines[0] = lines[0]!.slice(0, random.below(lines[0]!.length))),
];

const visible = (text: string): string => text.replace(/[^\x21-\x7e]/g, "");

/** The bytes of a request, with up to two things about its form wrong. */
export function rawBytes(
  { method, target, headers, body }: RawRequest,
  host: string,
  random: Random,
): Buffer {
  const lines = [
    `${visible(method) || "X"} ${visible(target) || "/"} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${visible(value).slice(0, 4_000)}`),
    `Content-Length: ${body.byteLength}`,
    "Connection: close",
  ];
  for (let left = random.below(3); left > 0; left -= 1) random.pick(SPOILS)(lines, random);
  const head = Buffer.from(`${lines.join(random.below(20) === 0 ? "\n" : "\r\n")}\r\n\r\n`, "latin1");
  const whole = Buffer.concat([head, body]);
  return random.below(10) === 0 ? whole.subarray(0, random.below(whole.length)) : whole;
}

/** What a server made of some bytes. */
export interface RawAnswer {
  /** 0 where it closed without an answer. */
  readonly status: number;
  readonly text: string;
}

/** Sends the bytes, ends the sending side, and waits until the server has closed. */
export function sendRaw(port: number, bytes: Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.end(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const [, status = "0"] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
      resolve({ status: Number(status), text });
    });
  });
}
