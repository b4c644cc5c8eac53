import type { Socket } from "node:net";
import type { ByteStream, LinkPeer, SocketLink } from "fleetrig/protocol";
import type { RejectionReason } from "./rejection.js";

/** A socket on its way to becoming a link. */
export interface Arrival {
  /** The TCP or Unix socket below everything else. */
  readonly socket: Socket;
  /** What carries the client's bytes: the socket itself, or TLS over it. */
  readonly stream: Socket;
  /** The client's, as far as it is known at this stage. */
  readonly remoteAddress: string;
  /** What stages found out; undefined while there is nothing besides the listener's own facts. */
  readonly facts?: Partial<LinkPeer>;
}

/** What stages ask of the door. */
export interface Door {
  /** The last stage is passed: from here on `stream` speaks MQTT. @returns undefined when it is gone already. */
  admit(arrival: Arrival, stream: ByteStream): SocketLink | undefined;
  /** The client does not speak MQTT, or not yet: how long it may take is up to the stage until it is admitted. */
  spare(arrival: Arrival): void;
  /** What is known of the client so far. */
  peerOf(arrival: Arrival): LinkPeer;
  /** Counts and reports what the stage itself has answered. */
  note(arrival: Arrival, reason: RejectionReason, detail: string): void;
  /** Closes the socket and says why. */
  reject(arrival: Arrival, reason: RejectionReason, detail: string): void;
}

/** One step between accept and MQTT. Hands the arrival on when it is done with it, or has the door reject it. */
export interface Stage {
  enter(arrival: Arrival): void;
  /** Forgets arrivals under way; their sockets are closed by the door. */
  stop(): void;
}

/** `address:port`, IPv6 in brackets. */
export const formatRemote = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** Address of a socket's other side. */
export const remoteOf = ({ remoteAddress, remotePort = 0 }: Socket): string =>
  remoteAddress === undefined ? "unknown" : formatRemote(remoteAddress, remotePort);

const ignore = (): void => undefined;

/** For sockets that have no link yet: their end is told by `close`. */
export const ignoreErrors = (socket: Socket): Socket => socket.on("error", ignore);

/** What a client sent, short and without control characters, for one line of a log. */
export const excerpt = (text: string): string => JSON.stringify(text.slice(0, 100));
