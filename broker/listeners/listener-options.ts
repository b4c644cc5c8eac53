import type { SecureContext } from "node:tls";
import type { Transport } from "fleetrig/protocol";
import type { WebEntrance } from "./web-entrance.js";

/** Where a listener listens, what it speaks and what it puts up with. */
export interface ListenerOptions {
  /** Default: `tls` where {@link ListenerOptions.tls} is given, else `tcp`. */
  readonly transport?: Transport;
  /** Default 127.0.0.1: other hosts only when asked for. */
  readonly host?: string;
  /** 0 takes any free port. Default 0. */
  readonly port?: number;
  /** File of a Unix socket; path of a WebSocket, default `/mqtt`. */
  readonly path?: string;
  /** Needed by `tls` and `wss`. */
  readonly tls?: TlsOptions;
  readonly webSocket?: WebSocketOptions;
  /** HTTP on a `tcp` or `tls` listener, instead of MQTT or besides it. */
  readonly web?: WebEntrance;
  /** Accepts the PROXY protocol's header, version 1 and 2, in front of everything else. Default: not. */
  readonly proxyProtocol?: ProxyProtocolOptions;
  /** Sockets open at the same time. Default: what the process may have. */
  readonly maxConnections?: number;
  /** New sockets per second and remote address; more are closed at once. Default: no limit. */
  readonly acceptRate?: AcceptRate;
  /** Permissions of a Unix socket. Default 0o600. */
  readonly socketMode?: number;
  /** TCP keep-alive probes after this much silence, in seconds; 0 sends none. Default 60. */
  readonly tcpKeepAliveS?: number;
  /** A packet that was begun may stall this long, in seconds, before its socket is closed. Default 30. */
  readonly stallDeadlineS?: number;
  /** Listen beyond this host although nothing asks clients who they are. Default false. */
  readonly allowInsecure?: boolean;
}

/** Tokens per second, and how many may be saved up. */
export interface AcceptRate {
  readonly perSecond: number;
  /** Default: one second's worth. */
  readonly burst?: number;
}

/** PEM text, its bytes, or the path of a file that holds it. */
export type Pem = string | Uint8Array;

/** A key and the chain that belongs to it, leaf first. */
export interface KeyAndCertificate {
  readonly key: Pem;
  readonly cert: Pem;
}

/** A certificate for some of the names that clients ask for. */
export interface NamedCertificate extends KeyAndCertificate {
  /** Exact names, or `*.example.org` for one level. */
  readonly serverNames: readonly string[];
}

/**
 * Whether clients are asked for a certificate, and turned away without a valid one. `identify` asks for any, names no
 * authorities and verifies none: that the client has its key is proven, whose it is decides whoever knows certificates.
 */
export type ClientCertificates = "none" | "request" | "require" | "identify";

/** TLS 1.2 and 1.3. Everything a client proves is in `LinkPeer`, on resumed sessions too. */
export interface TlsOptions extends KeyAndCertificate {
  /** Authorities that sign clients' certificates. */
  readonly ca?: Pem | readonly Pem[];
  /** Revoked certificates of clients. */
  readonly crl?: Pem | readonly Pem[];
  /** Default `none`. */
  readonly clientCertificates?: ClientCertificates;
  /** Certificates for other server names. */
  readonly certificates?: readonly NamedCertificate[];
  /** Asked before {@link TlsOptions.certificates}; undefined leaves the choice to them. */
  readonly secureContextFor?: (serverName: string) => SecureContext | undefined;
  /** Turns away clients that name no server (SNI), as AWS does. Default false: addresses are no names. */
  readonly requireServerName?: boolean;
  /** Application protocols in order of preference. Default `mqtt` and `x-amzn-mqtt-ca`; WebSockets use `http/1.1`. */
  readonly alpn?: readonly string[];
  /** Chooses among the client's protocols instead; undefined refuses the handshake. */
  readonly alpnFor?: (offer: AlpnOffer) => string | undefined;
  /** Default `TLSv1.2`, and nothing lower. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Looks at the files this often, in seconds, and reloads when they have changed; 0 does not. Default 0. */
  readonly watchS?: number;
  /** From the start of the socket to the end of the handshake, in seconds. Default 10. */
  readonly handshakeDeadlineS?: number;
  /** Handshakes at the same time; others wait their turn. Default 1,000. */
  readonly maxHandshakes?: number;
}

/** What a client offers in its first message. */
export interface AlpnOffer {
  /** Empty when the client named no server. */
  readonly serverName: string;
  readonly protocols: readonly string[];
}

/** MQTT over WebSocket (MQTT 5 §6). */
export interface WebSocketOptions {
  /**
   * Web pages that may connect, as origins (`https://example.org`); `*` lets all in. Default: pages of this
   * host and of loopback. Clients that are no browser send no origin and are not asked.
   */
  readonly origins?: readonly string[];
  /** Names that a client may call this server by. Default: any name when listening beyond loopback, else loopback's. */
  readonly hosts?: readonly string[];
  /** From the start of the socket to a complete upgrade, in seconds. Default 10. */
  readonly upgradeDeadlineS?: number;
}

/** Who may tell where a connection really comes from. */
export interface ProxyProtocolOptions {
  /** Addresses (`10.0.0.7`) and blocks (`10.0.0.0/8`, `fd00::/8`) of proxies. Default: loopback. */
  readonly trustedProxies?: readonly string[];
  /** From the start of the socket to a complete header, in seconds. Default 5. */
  readonly headerDeadlineS?: number;
}
