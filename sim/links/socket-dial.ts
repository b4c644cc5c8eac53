import type { Socket } from "node:net";
import {
  type DialFailure,
  type DialHandlers,
  type LinkHost,
  type PendingLink,
  type ProtocolVersion,
  SocketLink,
  type WriteBatch,
} from "fleetrig/protocol";

/** Where to connect, and what to put up with. */
export interface SocketDialOptions {
  readonly host: string;
  readonly port: number;
  /** Version that the device speaks; packets are encoded and decoded for it. */
  readonly version: ProtocolVersion;
  /** Largest packet accepted from the server. Default: what MQTT allows. */
  readonly maxPacketBytes?: number;
  /** How long a connection may take to open. */
  readonly timeoutMs: number;
}

/** A socket that has begun to connect, and the event by which it says that it is ready. */
export interface OpeningSocket {
  readonly socket: Socket;
  readonly readyEvent: "connect" | "secureConnect";
}

const MQTT_MAX_PACKET_BYTES = 268_435_460;
/** How long a socket that we ended may stay silent before the other side ends it too. */
const LINGER_MS = 2_000;

const FAILURES: Readonly<Record<string, DialFailure>> = { ECONNREFUSED: "refused", ETIMEDOUT: "timeout" };

/** One attempt to connect; its link shares writes with the others of its batch. */
export class SocketDial implements PendingLink {
  private isPending = true;
  private readonly socket: Socket;

  constructor(
    private readonly options: SocketDialOptions,
    private readonly batch: WriteBatch,
    private readonly handlers: DialHandlers,
    { socket, readyEvent }: OpeningSocket,
  ) {
    this.socket = socket;
    socket.setTimeout(options.timeoutMs, () => this.fail("timeout"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.fail(FAILURES[error.code ?? ""] ?? "unreachable"),
    );
    // A server that ends a handshake in order says nothing else.
    socket.once("close", () => this.fail("unreachable"));
    socket.once(readyEvent, () => this.open());
  }

  abandon(): void {
    if (!this.isPending) return;
    this.isPending = false;
    this.socket.destroy();
  }

  private fail(reason: DialFailure): void {
    if (!this.isPending) return;
    this.abandon();
    this.handlers.failed(reason);
  }

  private open(): void {
    const { socket, options } = this;
    if (!this.isPending) return;
    this.isPending = false;
    socket.setTimeout(0);
    const host: LinkHost = {
      role: "client",
      batch: this.batch,
      maxPacketBytes: options.maxPacketBytes ?? MQTT_MAX_PACKET_BYTES,
      version: options.version,
      linger: () => socket.setTimeout(LINGER_MS, () => socket.destroy()),
    };
    const link = new SocketLink(host, { stream: socket, remoteAddress: `${options.host}:${options.port}` });
    link.attach(this.handlers.opened(link));
  }
}
