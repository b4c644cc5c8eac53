import type { Packet, ProtocolVersion } from "./packets.js";

/**
 * A link carries packets between one client and one server, in order, until either side ends it.
 * The simulated link, the TCP socket and (later) TLS, WebSocket and serial bridges all look like this, which
 * is why neither the broker nor a device knows what it runs on.
 */
export interface PacketLink {
  send(packet: Packet): void;
  /** Ends the link after everything sent so far has gone out. */
  close(): void;
  /** Ends the link at once: what was not transmitted is lost. */
  destroy(): void;
  /** Bytes accepted by `send` and not yet handed to the network; 0 where nothing can pile up. */
  readonly bufferedBytes: number;
  /** Takes in nothing more until `resumeReading`; absent where nothing can be held back. What came already is delivered. */
  pauseReading?(): void;
  resumeReading?(): void;
  /** Bytes accepted by `send` so far; absent where nobody counts them. */
  readonly sentBytes?: number;
  /** Where the other side is, for logs and lifecycle events. */
  readonly remoteAddress: string;
  /** What the transport knows about the other side; links in memory know nothing. */
  readonly peer?: LinkPeer | undefined;
}

/** What carries the bytes of a link. */
export type Transport = "tcp" | "tls" | "ws" | "wss" | "unix";

/** The other side of a link as its transport knows it: what an authorisation hook may decide on. */
export interface LinkPeer {
  readonly transport: Transport;
  /** Port of the listener; undefined for Unix sockets. */
  readonly localPort?: number;
  /** TLS: the name that the client asked for (SNI). Not known of resumed TLS 1.2 sessions. */
  readonly serverName?: string;
  /** TLS: the application protocol agreed on, such as `mqtt` or `x-amzn-mqtt-ca`. */
  readonly alpn?: string;
  /** TLS: the client's certificate, on resumed sessions too. Undefined when it showed none. */
  readonly certificate?: PeerCertificate;
  /** TLS: the listener's authorities have signed the certificate and it is valid today. */
  readonly isVerified?: boolean;
  /** TLS: the session was resumed, so no certificate crossed the wire this time. */
  readonly isResumed?: boolean;
  /** WebSocket: the request that it began with; custom authorizers read it. */
  readonly upgrade?: UpgradeRequest;
  /** The request of a WebSocket was signed with AWS credentials, and the signature is right. */
  readonly credentials?: SignedBy;
  /** PROXY protocol: address of the proxy; `remoteAddress` is then the client's as the proxy tells it. */
  readonly proxiedFrom?: string;
}

/** The HTTP request that became a WebSocket. */
export interface UpgradeRequest {
  /** Path and query as they came, percent-encoded. */
  readonly target: string;
  /** Names in lower case; values of repeated headers joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Whose credentials a signature was made with. */
export interface SignedBy {
  readonly accessKeyId: string;
  /** Of the user or role. */
  readonly arn: string;
}

/**
 * A client's certificate. The fingerprint is the identity; names are data of whoever asked for the certificate,
 * and may hold anything.
 */
export interface PeerCertificate {
  /** The certificate itself, DER. */
  readonly raw: Uint8Array;
  /** SHA-256 of `raw`, 64 lower-case hexadecimal digits. */
  readonly fingerprint256: string;
  /** Common name of the subject; undefined when it has none or several. */
  readonly commonName?: string;
  /** Hexadecimal, as the certificate has it. */
  readonly serialNumber: string;
  /** Distinguished names, one attribute per line (`CN=...`). */
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What a link tells its owner. After `closed` nothing else is called. */
export interface PacketReceiver {
  /** Bytes have come; what is received next was in them. Lets a server read its clock once for many packets. */
  arriving?(): void;
  received(packet: Packet, wireBytes: number): void;
  closed(reason: LinkCloseReason): void;
}

/** Why a link ended, from the point of view of the side that is told. */
export type LinkCloseReason =
  /** The other side ended it in order (FIN). */
  | "closed"
  /** Reset, or the path broke. */
  | "reset"
  /** The bytes were not MQTT. */
  | "malformed"
  /** A packet was larger than allowed. */
  | "too-large"
  /** This side called close() or destroy(). */
  | "local";

/** A server's door: called once per incoming link, returns who listens to it. */
export interface PacketAcceptor {
  accept(link: PacketLink): PacketReceiver;
}

/** A client's way out. `opened` or `failed` is called once, later, never from inside `dial`. */
export interface Dialer {
  dial(handlers: DialHandlers): PendingLink;
}

/** Who is told how dialling ended. */
export interface DialHandlers {
  opened(link: PacketLink): PacketReceiver;
  failed(reason: DialFailure): void;
}

/** Why no link came about. */
export type DialFailure = "refused" | "timeout" | "unreachable";

/** A link that is being opened. */
export interface PendingLink {
  /** Gives up; neither handler is called afterwards. */
  abandon(): void;
}

/** Bytes a packet takes on the wire, without building them. */
export type WireSize = (packet: Packet, version: ProtocolVersion) => number;
