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
  /** Bytes accepted by `send` so far; absent where nobody counts them. */
  readonly sentBytes?: number;
  /** Where the other side is, for logs and lifecycle events. */
  readonly remoteAddress: string;
}

/** What a link tells its owner. After `closed` nothing else is called. */
export interface PacketReceiver {
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
