import { chmodSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { EXIT, FleetrigError, type Clock, type Service } from "fleetrig/kernel";
import type { DecodeFailure, PacketAcceptor, Transport } from "fleetrig/protocol";
import type { Door, Stage } from "./arrival.js";
import { type Binding, checkExposure, toBinding } from "./binding.js";
import { FrontDoor } from "./front-door.js";
import type { ListenerOptions } from "./listener-options.js";
import { formatListenerUrl, parseListenerUrl, WEB_SOCKET_PATH } from "./listener-url.js";
import { ProxyStage } from "./proxy-stage.js";
import type { Rejection, RejectionReason } from "./rejection.js";
import { acceptWithSharedRead } from "./shared-read.js";
import { processSocketBudget, type SocketBudget } from "./socket-budget.js";
import { type CertificateNotice, TlsStage } from "./tls-stage.js";
import { clearSocketFile } from "./unix-socket.js";
import { ProtocolFork } from "./protocol-fork.js";
import { WebSocketStage } from "./web-socket-stage.js";
import { WebStage } from "./web-stage.js";

/** What every listener of one server shares. */
export interface ListenerContext {
  readonly acceptor: PacketAcceptor;
  readonly clock: Clock;
  /** Largest packet accepted after CONNECT; CONNECT itself is limited to 64 KiB or less. */
  readonly maxPacketBytes: number;
  /** A socket without a complete CONNECT after this time is closed, however busy it is. */
  readonly connectDeadlineMs: number;
  /** Somebody decides who may connect, so that listening beyond this host is no invitation to all. Default false. */
  readonly authorizes?: boolean;
  /** Default: the one of this process. */
  readonly budget?: SocketBudget;
  readonly observer?: Partial<ListenerObserver>;
}

/** Who is told what no client hears. */
export interface ListenerObserver {
  /** Bytes were not MQTT. */
  refused(failure: DecodeFailure, remoteAddress: string): void;
  /** A socket was turned away or evicted. */
  rejected(rejection: Rejection, endpoint: ListenerEndpoint): void;
  /** Certificate files have changed on disk. */
  certificates(notice: CertificateNotice, endpoint: ListenerEndpoint): void;
}

/** Where clients can connect. */
export interface ListenerEndpoint {
  readonly url: string;
  readonly transport: Transport;
  /** Address that is listened on; empty for Unix sockets. */
  readonly host: string;
  /** 0 for Unix sockets. */
  readonly port: number;
  /** Of a Unix socket or a WebSocket. */
  readonly path?: string;
}

/** What a listener has seen so far. */
export interface ListenerCounts {
  readonly accepted: number;
  /** Sockets turned away or evicted, by reason. */
  readonly dropped: Readonly<Record<RejectionReason, number>>;
}

/** A door that is open; `stop` closes it and its connections. */
export interface Listener extends Service {
  readonly endpoint: ListenerEndpoint;
  readonly port: number;
  readonly address: string;
  /** Sockets open at the moment, half closed ones included. */
  connections(): number;
  counts(): ListenerCounts;
  /**
   * Reads certificates, keys and authorities again; without TLS nothing happens. Live connections stay.
   * @throws FleetrigError `LISTENER_CERTIFICATE_INVALID`; the old ones stay in use.
   */
  reload(): Promise<void>;
}

const DEFAULT_STALL_DEADLINE_S = 30;
const DEFAULT_TCP_KEEP_ALIVE_S = 60;
const DEFAULT_SOCKET_MODE = 0o600;
/** Connections that the kernel keeps ready while the loop is busy: reconnect storms come in thousands. */
const BACKLOG = 4_096;

/**
 * Opens a listener. Resolves once clients can connect.
 * @throws FleetrigError `LISTENER_URL_INVALID`, `LISTENER_OPTION_INVALID`, `LISTENER_CERTIFICATE_INVALID`,
 * `LISTENER_INSECURE`, or `LISTENER_UNAVAILABLE` when the address cannot be bound.
 */
export async function openListener(
  where: string | ListenerOptions,
  context: ListenerContext,
): Promise<Listener> {
  const options = typeof where === "string" ? parseListenerUrl(where) : where;
  const binding = toBinding(options);
  checkExposure(binding, {
    authorizes: context.authorizes ?? false,
    insecure: options.allowInsecure ?? false,
  });
  const opening = new OpenListener(options, binding, context);
  await opening.open();
  return opening;
}

/** MQTT is spoken on the accepted socket itself. */
const isDirect = ({ proxyProtocol, web }: ListenerOptions, { transport }: Binding): boolean =>
  proxyProtocol === undefined && web === undefined && (transport === "tcp" || transport === "unix");

class OpenListener implements Listener {
  endpoint: ListenerEndpoint;
  private readonly door: FrontDoor;
  private readonly server: Server;
  private readonly tcpKeepAliveS: number;
  private tls: TlsStage | undefined;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly options: ListenerOptions,
    private readonly binding: Binding,
    private readonly context: ListenerContext,
  ) {
    const { acceptor, clock, maxPacketBytes, connectDeadlineMs, observer, budget } = context;
    const { stallDeadlineS = DEFAULT_STALL_DEADLINE_S, maxConnections = Number.POSITIVE_INFINITY } = options;
    this.endpoint = this.endpointAt({ address: binding.host, port: binding.port });
    this.door = new FrontDoor({
      acceptor,
      clock,
      maxPacketBytes,
      connectDeadlineMs,
      stallDeadlineS,
      maxConnections,
      acceptRate: options.acceptRate,
      budget: budget ?? processSocketBudget(),
      isDirect: isDirect(options, binding),
      remoteAddress: binding.transport === "unix" ? "unix" : undefined,
      rejected: (rejection) => observer?.rejected?.(rejection, this.endpoint),
      refused: (failure, remoteAddress) => observer?.refused?.(failure, remoteAddress),
    });
    this.tcpKeepAliveS = options.tcpKeepAliveS ?? DEFAULT_TCP_KEEP_ALIVE_S;
    this.server = createServer(
      {
        noDelay: true,
        allowHalfOpen: true,
        keepAlive: this.tcpKeepAliveS > 0,
        keepAliveInitialDelay: this.tcpKeepAliveS * 1000,
      },
      this.door.accept,
    );
  }

  get port(): number {
    return this.endpoint.port;
  }

  get address(): string {
    return this.endpoint.host;
  }

  connections(): number {
    return this.door.sockets.size;
  }

  counts(): ListenerCounts {
    return this.door.counts();
  }

  async reload(): Promise<void> {
    await this.tls?.reload();
  }

  stop(): Promise<void> {
    this.stopping ??= new Promise((resolve) => {
      this.server.close(() => resolve());
      this.door.closeAll();
    });
    return this.stopping;
  }

  async open(): Promise<void> {
    const { binding, door } = this;
    const stage = await this.firstStage();
    try {
      const bound = await this.bind();
      if (isDirect(this.options, binding))
        acceptWithSharedRead(this.server, { tcpKeepAliveS: this.tcpKeepAliveS, accept: door.accept });
      this.endpoint = this.endpointAt(bound);
    } catch (error) {
      stage?.stop();
      throw error;
    }
    const { transport } = binding;
    door.begin(stage, transport === "unix" ? { transport } : { transport, localPort: this.endpoint.port });
  }

  /** The stages, built from the last to the first: PROXY header, then TLS, then WebSocket or nothing. */
  private async firstStage(): Promise<Stage | undefined> {
    if (isDirect(this.options, this.binding)) return undefined;
    const { options, binding, door, context } = this;
    const { clock, maxPacketBytes } = context;
    const { path, isLoopback, transport } = binding;
    const isWebSocket = transport === "ws" || transport === "wss";
    const webSocket = options.webSocket ?? {};
    let stage: Stage = isWebSocket
      ? new WebSocketStage(door, { clock, maxPacketBytes, path, webSocket, isLoopback })
      : straightThrough(door);
    if (options.web !== undefined)
      stage = new ProtocolFork(stage, options.web, new WebStage(door, options.web, { maxPacketBytes }));
    if (binding.tls !== undefined) {
      this.tls = await TlsStage.create(door, stage, {
        clock,
        tls: binding.tls,
        ...(isWebSocket && { alpn: ["http/1.1"] }),
        certificates: (notice) => context.observer?.certificates?.(notice, this.endpoint),
      });
      stage = this.tls;
    }
    const { proxyProtocol } = options;
    return proxyProtocol === undefined
      ? stage
      : new ProxyStage(door, stage, { clock, options: proxyProtocol });
  }

  private endpointAt(bound: BoundAddress): ListenerEndpoint {
    const endpoint = endpointOf(this.binding, bound);
    if (this.options.web?.speaksHttp(undefined) !== true) return endpoint;
    return { ...endpoint, url: endpoint.url.replace(/^mqtt/, "http") };
  }

  private async bind(): Promise<BoundAddress> {
    const { host, port, path, transport } = this.binding;
    if (transport !== "unix") return listening(this.server, { host, port });
    await clearSocketFile(path!);
    await listening(this.server, { path: path! });
    chmodSync(path!, this.options.socketMode ?? DEFAULT_SOCKET_MODE);
    return { address: "", port: 0 };
  }
}

type BoundAddress = Pick<AddressInfo, "address" | "port">;

const straightThrough = (door: Door): Stage => ({
  enter: (arrival) => door.admit(arrival, arrival.stream),
  stop: () => undefined,
});

function endpointOf({ transport, path }: Binding, { address, port }: BoundAddress): ListenerEndpoint {
  const isWebSocket = transport === "ws" || transport === "wss";
  const shownPath = transport === "unix" ? path : isWebSocket ? (path ?? WEB_SOCKET_PATH) : undefined;
  const where = { transport, host: address, port, ...(shownPath !== undefined && { path: shownPath }) };
  return { url: formatListenerUrl(where), ...where };
}

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "Choose another port, or 0 for any free one.",
  EACCES: "Ports below 1024 need more rights: choose another one.",
  EADDRNOTAVAIL: "This machine has no such address: 127.0.0.1, ::1, 0.0.0.0 and :: always work.",
  ENOTFOUND: "Write an address, or a name that this machine can resolve.",
};

const listening = (
  server: Server,
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<BoundAddress> =>
  new Promise((resolve, reject) => {
    const shown = "path" in where ? where.path : `${where.host}:${where.port}`;
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new FleetrigError("LISTENER_UNAVAILABLE", `Cannot listen on ${shown}: ${cause.message}.`, {
          hint: HINTS[cause.code ?? ""] ?? "Choose another address.",
          context: { ...where, code: cause.code },
          exitCode: EXIT.environment,
          cause,
        }),
      ),
    );
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.removeAllListeners("error");
      // Later errors are failing accepts: the listener goes on, as with any other dropped connection.
      server.on("error", () => undefined);
      resolve(server.address() as AddressInfo);
    });
  });
