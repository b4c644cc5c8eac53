import type { IncomingMessage, ServerResponse } from "node:http";
import type { LinkPeer } from "fleetrig/protocol";

/** Who sends a request, as far as its connection tells. */
export interface WebClient {
  readonly remoteAddress: string;
  readonly peer: LinkPeer;
  /** The same object in all requests of one connection; nothing to look into. */
  readonly connection: object;
}

/** An answer to a request that does not become a WebSocket. */
export interface WebRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request may become MQTT over WebSocket, as a client of which more is known now; or it may not. */
export type UpgradeDecision = { readonly facts: Partial<LinkPeer> } | { readonly refusal: WebRefusal };

/** What a listener does with clients that speak HTTP. */
export interface WebEntrance {
  /**
   * Does a client speak HTTP that agreed on this application protocol (undefined: on none) and named this server?
   */
  speaksHttp(alpn: string | undefined, serverName?: string): boolean;
  /** Answers a request that is no upgrade. Does not throw. */
  handle(request: IncomingMessage, response: ServerResponse, client: WebClient): void;
  /** Decides about a well-formed upgrade to MQTT over WebSocket. Does not throw. */
  upgrade(request: IncomingMessage, client: WebClient): UpgradeDecision;
  /** Answers what is no HTTP, by the name that Node has for the problem (`HPE_HEADER_OVERFLOW`). */
  malformed(code: string): WebRefusal;
  /** Connections at the same time; those that have become MQTT do not count. Default 1,024. */
  readonly maxConnections?: number;
}
