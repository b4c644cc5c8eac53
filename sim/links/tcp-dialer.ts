import { connect, type Socket } from "node:net";
import { atHostTurnEnd } from "fleetrig/kernel";
import {
  type Dialer,
  type DialFailure,
  type DialHandlers,
  type LinkHost,
  type PendingLink,
  type ProtocolVersion,
  SocketLink,
  WriteBatch,
} from "fleetrig/protocol";

/** Where to connect, and what to put up with. */
export interface TcpDialerOptions {
  readonly host: string;
  readonly port: number;
  /** Version that the device speaks; packets are encoded and decoded for it. */
  readonly version: ProtocolVersion;
  /** Largest packet accepted from the server. Default: what MQTT allows. */
  readonly maxPacketBytes?: number;
  /** How long a connection may take to open. */
  readonly timeoutMs: number;
}

const MQTT_MAX_PACKET_BYTES = 268_435_460;
/** How long a socket that we ended may stay silent before the other side ends it too. */
const LINGER_MS = 2_000;

const FAILURES: Readonly<Record<string, DialFailure>> = { ECONNREFUSED: "refused", ETIMEDOUT: "timeout" };

/**
 * A way out over TCP for virtual devices, to our own broker or to any other. One dialer serves a whole fleet;
 * its links share one write per socket and turn of the event loop.
 */
export function createTcpDialer(options: TcpDialerOptions): Dialer {
  const batch = new WriteBatch(atHostTurnEnd);
  return { dial: (handlers) => new TcpDial(options, batch, handlers) };
}

class TcpDial implements PendingLink {
  private readonly options: TcpDialerOptions;
  private readonly batch: WriteBatch;
  private readonly handlers: DialHandlers;
  private readonly socket: Socket;
  private isPending = true;

  constructor(options: TcpDialerOptions, batch: WriteBatch, handlers: DialHandlers) {
    this.options = options;
    this.batch = batch;
    this.handlers = handlers;
    const { host, port, timeoutMs } = options;
    this.socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    this.socket.setTimeout(timeoutMs, () => this.fail("timeout"));
    this.socket.on("error", (error: NodeJS.ErrnoException) =>
      this.fail(FAILURES[error.code ?? ""] ?? "unreachable"),
    );
    this.socket.once("connect", () => this.open());
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
