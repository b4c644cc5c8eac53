import type { Clock, Service } from "fleetrig/kernel";
import type { DecodeFailure, PacketAcceptor, Transport } from "fleetrig/protocol";
import type { ListenerOptions } from "./listener-options.js";
import { formatListenerUrl, parseListenerUrl } from "./listener-url.js";
import { listenTcp } from "./tcp.js";

/** What every listener of one server shares. */
export interface ListenerContext {
  readonly acceptor: PacketAcceptor;
  readonly clock: Clock;
  /** Largest packet accepted after CONNECT; CONNECT itself is limited to 64 KiB or less. */
  readonly maxPacketBytes: number;
  /** A socket without a complete CONNECT after this time is closed, however busy it is. */
  readonly connectDeadlineMs: number;
  /** Somebody decides who may connect, so that listening beyond this host is no invitation to all. */
  readonly authorizes: boolean;
  readonly observer?: Partial<ListenerObserver>;
}

/** Who is told what no client hears. */
export interface ListenerObserver {
  /** Bytes were not what they should be. */
  refused(failure: DecodeFailure, remoteAddress: string): void;
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
  /** Sockets closed before they became a connection, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** A door that is open; `stop` closes it and its connections. */
export interface Listener extends Service {
  readonly endpoint: ListenerEndpoint;
  readonly port: number;
  readonly address: string;
  /** Sockets open at the moment, half closed ones included. */
  connections(): number;
  /** Absent where nobody counts. */
  counts?(): ListenerCounts;
}

/**
 * Opens a listener. Resolves once clients can connect.
 * @throws FleetrigError `LISTENER_URL_INVALID`, or `LISTENER_UNAVAILABLE` when the address cannot be bound.
 */
export async function openListener(
  where: string | ListenerOptions,
  context: ListenerContext,
): Promise<Listener> {
  const options = typeof where === "string" ? parseListenerUrl(where) : where;
  const { host = "127.0.0.1", port = 0 } = options;
  const { acceptor, clock, maxPacketBytes, connectDeadlineMs, observer } = context;
  const refused = observer?.refused?.bind(observer);
  const shared = { acceptor, clock, maxPacketBytes, connectDeadlineMs, ...(refused && { refused }) };
  const tcp = await listenTcp({ host, port, ...shared });
  const bound = { transport: "tcp", host: tcp.address, port: tcp.port } as const;
  return Object.assign(tcp, { endpoint: { url: formatListenerUrl(bound), ...bound } });
}
