import { createServer, type AddressInfo } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClientHello, readClientHello } from "../../scenarios/qualify/endpoint/client-hello.js";
import { RecordScanner } from "../../scenarios/qualify/endpoint/record-tap.js";

/** The first bytes that Node's TLS says. */
const captured = (): Promise<Buffer> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once("data", (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      connect({ port, host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["mqtt"] }).on(
        "error",
        () => undefined,
      );
    });
  });

const helloOf = (bytes: Uint8Array): ClientHello => {
  const reading = readClientHello(bytes);
  expect(reading.kind).toBe("hello");
  return (reading as { hello: ClientHello }).hello;
};

describe("reading a ClientHello", () => {
  it("finds versions, suites, name and protocols, and waits for the rest until it is whole", async () => {
    const bytes = await captured();
    const hello = helloOf(bytes);
    expect(hello).toMatchObject({ serverName: "localhost", applicationProtocols: ["mqtt"] });
    expect(hello.versions).toContain("TLS 1.3");
    expect(hello.cipherSuites).toContain(0x1301);
    for (let length = 0; length < bytes.length; length += 1)
      expect(readClientHello(bytes.subarray(0, length)).kind).toBe("more");
  });

  it("puts a hello together that is cut over records", async () => {
    const bytes = await captured();
    const body = bytes.subarray(5);
    const record = (piece: Buffer): Buffer =>
      Buffer.concat([Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 0xff), piece]);
    const cut = Buffer.concat([
      record(body.subarray(0, 3)),
      record(body.subarray(3, 50)),
      record(body.subarray(50)),
    ]);
    expect(helloOf(cut)).toEqual(helloOf(bytes));
  });

  it("answers whatever the bytes are", async () => {
    const bytes = await captured();
    const kinds = ["more", "hello", "unreadable"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const mutated = Buffer.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        expect(kinds).toContain(readClientHello(mutated).kind);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => kinds.includes(readClientHello(any).kind)),
    );
    expect(readClientHello(Buffer.from("GET / HTTP/1.1")).kind).toBe("unreadable");
  });

  it("finds the records of a stream, however it is cut", () => {
    const stream = Buffer.concat([
      Buffer.of(22, 3, 3, 0, 2, 9, 9),
      Buffer.of(23, 3, 3, 1, 0),
      Buffer.alloc(256),
    ]);
    for (let size = 1; size <= 8; size += 1) {
      const found: string[] = [];
      const scanner = new RecordScanner((type, bytes) => found.push(`${type}:${bytes}`));
      for (let at = 0; at < stream.length; at += size) scanner.push(stream.subarray(at, at + size));
      expect(found).toEqual(["22:2", "23:256"]);
    }
  });
});
