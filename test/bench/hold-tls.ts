import { readFileSync } from "node:fs";
import { connect, createSecureContext } from "node:tls";
import { encodePacket } from "fleetrig/protocol";

/**
 * Client of the TLS bench: `hold-tls <port> <folder of certificates> <clients>` connects that many devices, each with
 * a full handshake, says so, and holds them until standard input ends. The C generator knows no TLS.
 */
const [port, folder, clients] = [Number(process.argv[2]), process.argv[3]!, Number(process.argv[4])];
const CONCURRENT = 64;
const TYPE_CONNACK = 0x20;

const file = (name: string): Buffer => readFileSync(`${folder}/${name}`);
const secureContext = createSecureContext({
  ca: file("ca.crt"),
  key: file("client.key"),
  cert: file("client.crt"),
});

const fail = (reason: string): never => {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`);
  process.exit(1);
};

const open = (ordinal: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", secureContext }, () =>
      socket.write(
        encodePacket(
          {
            type: "connect",
            protocolVersion: 4,
            clientId: `bench-${ordinal}`,
            cleanStart: true,
            keepAliveS: 1200,
          },
          4,
        ),
      ),
    );
    socket.once("data", (bytes) => {
      if (bytes[0] !== TYPE_CONNACK || bytes[3] !== 0) fail(`CONNECT ${ordinal} was refused`);
      resolve();
    });
    socket.on("error", (error) => fail(`connection ${ordinal}: ${error.message}`));
    socket.on("close", () => fail(`the broker ended connection ${ordinal}`));
  });

let next = 0;
async function openSeveral(): Promise<void> {
  while (next < clients) {
    next += 1;
    await open(next);
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: CONCURRENT }, openSeveral));
const perSecond = clients / ((performance.now() - startedMs) / 1000);
process.stdout.write("held\n");
process.stdin.resume().on("end", () => {
  process.stdout.write(`${JSON.stringify({ perSecond })}\n`, () => process.exit(0));
});
