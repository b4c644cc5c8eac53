import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import {
  type Clock,
  EXIT,
  FleetrigError,
  type RandomSource,
  type Service,
  type Timer,
} from "fleetrig/kernel";
import { DevicePaths } from "./device-paths.js";
import { ProxiedConnection, type ProxiedConnectionOptions } from "./proxied-connection.js";
import { type ProxyCounters, ProxyTally } from "./proxy-counters.js";
import { checkProxyFault, type ProxyFault } from "./proxy-fault.js";
import { type ProxyTls, TlsEnds } from "./tls-ends.js";

/**
 * A proxy that breaks connections on purpose: in front of any broker, for any client, with the faults of scenarios.
 * It reads MQTT to know who is who and what is a PUBLISH, and passes on the bytes as they came; in `raw` mode it
 * reads nothing, so that TLS or any other protocol crosses it too. With the keys of both sides it reads MQTT in TLS as well.
 */
export interface FaultProxyOptions {
  /** Default 127.0.0.1: other hosts only when asked for. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The broker behind it. */
  readonly to: { readonly host: string; readonly port: number };
  /** Faults take their time from it. */
  readonly clock: Clock;
  /** The same seed makes the same draws, per client identifier. */
  readonly random: RandomSource;
  /** Default `mqtt`. */
  readonly mode?: "mqtt" | "raw";
  /** It ends TLS on both sides, and reads what crosses it. Default: what crosses it in plain. */
  readonly tls?: ProxyTls;
  /** Faults from the beginning. */
  readonly faults?: readonly ProxyFault[];
  /** Default 10,000; who comes on top is turned away and counted. */
  readonly maxConnections?: number;
  /** Told what happens, for logs. */
  readonly notice?: (notice: ProxyNotice) => void;
}

/** What a proxy tells those who watch it. */
export type ProxyNotice =
  | { readonly type: "fault-on" | "fault-off"; readonly fault: string; readonly client: string | undefined }
  /** `reason` is the system's, such as ECONNREFUSED. */
  | { readonly type: "target-failed"; readonly reason: string };

/** A running proxy; `stop` ends its connections and releases its port. */
export interface FaultProxy extends Service {
  readonly port: number;
  readonly address: string;
  /**
   * Switches a fault on, for connections that are open and those to come.
   * @throws FleetrigError `PROXY_FAULT_UNKNOWN`, `PROXY_NEEDS_PACKETS`, `PROXY_CLIENT_PATTERN`, `LINK_FAULT_PARAMETER`
   */
  apply(fault: ProxyFault): AppliedFault;
  /** Switches off everything, also what has not begun yet. */
  clear(): void;
  counters(): ProxyCounters;
}

/** A fault that was switched on. */
export interface AppliedFault {
  /** Switches it off. What it holds back already keeps its time. */
  clear(): void;
}

const LOOPBACK = "127.0.0.1";
const MAX_CONNECTIONS = 10_000;

/**
 * Starts a proxy. Resolves once its port is open.
 * @throws FleetrigError `LISTENER_UNAVAILABLE`, `PROXY_TO_ITSELF`, and what {@link FaultProxy.apply} throws
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const switchboard = new Switchboard(options);
  for (const fault of options.faults ?? []) switchboard.apply(fault);
  const door = new ProxyDoor(options, switchboard);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, door.accept);
  const { port, address } = await listening(server, options);
  if (options.to.port === port && options.to.host === (options.host ?? LOOPBACK)) {
    server.close();
    switchboard.stop();
    throw new FleetrigError("PROXY_TO_ITSELF", `The proxy on ${address}:${port} is its own target.`, {
      hint: "Give it another port than the broker's.",
      exitCode: EXIT.usage,
    });
  }
  server.on("error", () => {
    switchboard.tally.connections.notAccepted += 1;
  });
  let stopping: Promise<void> | undefined;
  return {
    port,
    address,
    apply: (fault) => switchboard.apply(fault),
    clear: () => switchboard.clear(),
    counters: () => switchboard.tally.read(),
    stop: () => {
      stopping ??= new Promise((resolve) => {
        server.close(() => resolve());
        switchboard.stop();
        door.closeAll();
      });
      return stopping;
    },
  };
}

/** When which fault is on. */
class Switchboard {
  readonly tally = new ProxyTally();
  readonly paths: DevicePaths;
  private readonly applied = new Map<string, Switch>();
  private isStopped = false;

  constructor(readonly options: FaultProxyOptions) {
    this.paths = new DevicePaths(options);
  }

  apply(fault: ProxyFault): AppliedFault {
    checkProxyFault(fault, this.options.mode ?? "mqtt");
    const key = this.freeKey(fault.fault);
    const applied = new Switch(key, fault, this);
    this.applied.set(key, applied);
    applied.plan();
    return applied;
  }

  clear(): void {
    for (const applied of this.applied.values()) applied.clear();
  }

  /** Nobody wants to be told of faults that end because the proxy does. */
  stop(): void {
    this.isStopped = true;
    this.clear();
  }

  tell(notice: ProxyNotice): void {
    if (!this.isStopped) this.options.notice?.(notice);
  }

  over(key: string): void {
    this.applied.delete(key);
  }

  /** The first of a kind draws from the stream that it has in scenarios; a second one needs its own. */
  private freeKey(fault: string): string {
    let key = fault;
    for (let n = 2; this.applied.has(key); n += 1) key = `${fault}/${n}`;
    return key;
  }
}

/** One applied fault: waiting, on, or over. */
class Switch implements AppliedFault {
  private state: "waiting" | "on" | "over" = "waiting";
  private timer: Timer | undefined;

  constructor(
    private readonly key: string,
    private readonly fault: ProxyFault,
    private readonly board: Switchboard,
  ) {}

  plan(): void {
    const { atUs = 0 } = this.fault;
    if (atUs === 0) this.begin();
    else this.timer = this.board.options.clock.after(atUs, () => this.begin());
  }

  clear(): void {
    if (this.state === "over") return;
    this.timer?.cancel();
    if (this.state === "on") {
      this.board.paths.lift(this.key);
      this.tell("fault-off");
    }
    this.state = "over";
    this.board.over(this.key);
  }

  private begin(): void {
    const { clock } = this.board.options;
    const { fault, detail = {}, client, forUs } = this.fault;
    this.state = "on";
    this.board.tally.switchedOn(fault);
    this.tell("fault-on");
    this.board.paths.inject({ key: this.key, fault, detail, client, injectedUs: clock.nowUs() });
    if (forUs !== undefined) this.timer = clock.after(forUs, () => this.clear());
  }

  private tell(type: "fault-on" | "fault-off"): void {
    const { fault, client } = this.fault;
    this.board.tell({ type, fault, client });
  }
}

/** The connections of one proxy. */
class ProxyDoor {
  private readonly connections = new Set<ProxiedConnection>();
  private readonly shared: ProxiedConnectionOptions;
  private readonly maxConnections: number;
  private readonly ends: TlsEnds | undefined;

  constructor(options: FaultProxyOptions, board: Switchboard) {
    const { clock, to, tls } = options;
    const { paths, tally } = board;
    this.ends = tls && new TlsEnds(tls, clock);
    this.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.shared = {
      clock,
      paths,
      tally,
      isRaw: options.mode === "raw",
      dial: () => {
        const socket = connect({ host: to.host, port: to.port, noDelay: true, allowHalfOpen: true });
        return this.ends?.secure(socket) ?? socket;
      },
      targetFailed: (reason) => board.tell({ type: "target-failed", reason }),
      over: (connection) => {
        this.connections.delete(connection);
        tally.connections.open -= 1;
      },
    };
  }

  readonly accept = (socket: Socket): void => {
    if (this.ends === undefined) this.admitted(socket);
    else this.ends.admit(socket, (secured) => this.admitted(secured));
  };

  private admitted(socket: Socket): void {
    const { connections } = this.shared.tally;
    connections.accepted += 1;
    if (this.connections.size >= this.maxConnections) {
      connections.overLimit += 1;
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      return;
    }
    connections.open += 1;
    this.connections.add(new ProxiedConnection(socket, this.shared));
  }

  closeAll(): void {
    this.ends?.stop();
    for (const connection of this.connections) connection.destroy();
  }
}

const listening = (server: Server, { host = LOOPBACK, port }: FaultProxyOptions): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const refused = (cause: Error): void =>
      reject(
        new FleetrigError("LISTENER_UNAVAILABLE", `Cannot listen on ${host}:${port}: ${cause.message}.`, {
          hint: "Choose another port, or 0 for any free one.",
          context: { host, port },
          cause,
        }),
      );
    server.once("error", refused);
    server.listen({ host, port }, () => {
      server.off("error", refused);
      resolve(server.address() as AddressInfo);
    });
  });
