import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { threadId } from "node:worker_threads";
import type { ListenerEndpoint, ListenerOptions } from "fleetrig/broker";
import { WebSocket } from "ws";
import { makeAuthority } from "../listeners/certificates.js";

/** One way to reach a server through the operating system. */
export interface Transport {
  readonly name: string;
  readonly listen: string | ListenerOptions;
  /** The server behind it keeps its state on disk. */
  readonly isDurable?: boolean;
  dial(endpoint: ListenerEndpoint, events: WireEvents): RawWire;
}

/** What a client's socket tells. */
interface WireEvents {
  ready(): void;
  received(chunk: Uint8Array): void;
  closed(): void;
}

/** What a client does to its socket. */
export interface RawWire {
  send(bytes: Buffer): void;
  end(): void;
  drop(): void;
}

const authority = makeAuthority("Conformance");
const certificate = authority.issue({ commonName: "broker", names: ["127.0.0.1"] });
const ca = authority.cert;

/** @param opened The event that says that bytes can be sent. */
function overSocket(socket: Socket, opened: "connect" | "secureConnect", events: WireEvents): RawWire {
  socket.on(opened, () => events.ready());
  socket.on("data", (chunk) => events.received(chunk));
  for (const ending of ["end", "close", "error"]) socket.on(ending, () => events.closed());
  return {
    send: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    drop: () => void socket.destroy(),
  };
}

/** Packets in one binary frame per send. */
function overWebSocket({ url }: ListenerEndpoint, events: WireEvents): RawWire {
  const socket = new WebSocket(url, "mqtt", { ca });
  socket.on("open", () => events.ready());
  socket.on("message", (chunk: Buffer) => events.received(chunk));
  for (const ending of ["close", "error"]) socket.on(ending, () => events.closed());
  return {
    send: (bytes) => socket.send(bytes),
    end: () => socket.close(),
    drop: () => socket.terminate(),
  };
}

const tcp: Transport = {
  name: "TCP",
  listen: "mqtt://127.0.0.1:0",
  dial: ({ host, port }, events) => overSocket(connect({ host, port, noDelay: true }), "connect", events),
};

/** All that listeners offer; the last one with a server that acknowledges nothing before it is stored. */
export const TRANSPORTS: readonly Transport[] = [
  tcp,
  {
    name: "TLS",
    listen: { transport: "tls", tls: certificate },
    dial: ({ host, port }, events) =>
      overSocket(connectTls({ host, port, ca, ALPNProtocols: ["mqtt"] }), "secureConnect", events),
  },
  { name: "WebSocket", listen: "ws://127.0.0.1:0/mqtt", dial: overWebSocket },
  { name: "secure WebSocket", listen: { transport: "wss", tls: certificate }, dial: overWebSocket },
  {
    name: "Unix socket",
    listen: {
      transport: "unix",
      path: join(tmpdir(), `fleetrig-conformance-${process.pid}-${threadId}.sock`),
    },
    dial: ({ path = "" }, events) => overSocket(connect({ path }), "connect", events),
  },
  { ...tcp, name: "TCP, durable", isDurable: true },
];
