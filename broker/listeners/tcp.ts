import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { type Clock, FleetrigError, type Service, US_PER_MS } from "fleetrig/kernel";
import { type DecodeFailure, type PacketAcceptor, SocketLink, WriteBatch } from "fleetrig/protocol";
import type { ListenerCounts } from "./listener.js";

/** Where a listener listens, and what it puts up with. */
export interface TcpListenerOptions {
  readonly acceptor: PacketAcceptor;
  /** Default 127.0.0.1: other hosts only when asked for. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Largest packet accepted after CONNECT; CONNECT itself is limited to 64 KiB or less. */
  readonly maxPacketBytes: number;
  /** A socket without a complete CONNECT after this time is closed, however busy it is. */
  readonly connectDeadlineMs: number;
  readonly clock: Clock;
  /** Told why bytes were refused, for logs. */
  readonly refused?: (failure: DecodeFailure, remoteAddress: string) => void;
}

/** A listening socket; `stop` closes it and its connections. */
export interface TcpListener extends Service {
  readonly port: number;
  readonly address: string;
  /** Sockets open at the moment, half closed ones included. */
  connections(): number;
  counts(): ListenerCounts;
}

/** How long a socket that we ended may wait for the other side to end too. */
const LINGER_US = 2_000 * US_PER_MS;

const addressOf = ({ remoteAddress = "unknown", remotePort = 0 }: Socket): string =>
  remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;

/** The sockets of one listener and what they share. */
class TcpFrontDoor {
  readonly sockets = new Map<Socket, SocketLink>();
  accepted = 0;
  slow = 0;
  private readonly options: TcpListenerOptions;
  private readonly batch = new WriteBatch((task) => setImmediate(task));

  constructor(options: TcpListenerOptions) {
    this.options = options;
  }

  readonly accept = (socket: Socket): void => {
    const { acceptor, clock, maxPacketBytes, connectDeadlineMs, refused } = this.options;
    this.accepted += 1;
    const remoteAddress = addressOf(socket);
    const link = new SocketLink(
      {
        role: "server",
        batch: this.batch,
        maxPacketBytes,
        linger: () => {
          const lingering = clock.after(LINGER_US, () => socket.destroy());
          socket.once("close", () => lingering.cancel());
        },
        ...(refused === undefined ? {} : { refused }),
      },
      { stream: socket, remoteAddress, peer: { transport: "tcp", localPort: socket.localPort ?? 0 } },
    );
    this.sockets.set(socket, link);
    const deadline = clock.after(connectDeadlineMs * US_PER_MS, () => {
      if (link.isOpened) return;
      this.slow += 1;
      link.destroy();
    });
    socket.once("close", () => {
      deadline.cancel();
      this.sockets.delete(socket);
    });
    link.attach(acceptor.accept(link));
  };

  /** What was sent goes to the network, then every socket goes. */
  closeAll(): void {
    for (const link of this.sockets.values()) link.close();
    this.batch.flush();
    for (const socket of this.sockets.keys()) socket.destroy();
  }
}

const listening = (server: Server, { host = "127.0.0.1", port }: TcpListenerOptions): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new FleetrigError("LISTENER_UNAVAILABLE", `Cannot listen on ${host}:${port}: ${cause.message}.`, {
          hint: "Choose another port, or 0 for any free one.",
          context: { host, port },
          cause,
        }),
      ),
    );
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });

/**
 * Accepts MQTT over TCP. Resolves once the port is open.
 * @throws FleetrigError `LISTENER_UNAVAILABLE` when the address cannot be bound.
 */
export async function listenTcp(options: TcpListenerOptions): Promise<TcpListener> {
  const door = new TcpFrontDoor(options);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, door.accept);
  const { port, address } = await listening(server, options);
  let stopping: Promise<void> | undefined;
  return {
    port,
    address,
    connections: () => door.sockets.size,
    counts: () => ({ accepted: door.accepted, dropped: { "connect-deadline": door.slow } }),
    stop: () => {
      stopping ??= new Promise((resolve) => {
        server.close(() => resolve());
        door.closeAll();
      });
      return stopping;
    },
  };
}
