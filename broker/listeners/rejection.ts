/** Why a socket was closed before, or besides, anything MQTT says. */
export const REJECTION_REASONS = [
  /** The listener's `maxConnections` was reached. */
  "max-connections",
  /** The process may not hold more file descriptors. */
  "descriptors",
  /** Above the rate at which one address may connect. */
  "accept-rate",
  /** A listener behind proxies was called by somebody who is none of them. */
  "untrusted-proxy",
  "proxy-header",
  /** The TLS handshake failed: no common version, bad or missing certificate. */
  "handshake",
  /** The request was no WebSocket upgrade that this listener takes. */
  "upgrade",
  /** Frames that MQTT does not travel in. */
  "frame",
  /** A header, handshake, upgrade or CONNECT did not come in time. */
  "deadline",
  /** A packet was begun and not completed. */
  "stalled",
] as const;

/** One of {@link REJECTION_REASONS}. */
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** A socket that was turned away, for logs and counters. */
export interface Rejection {
  readonly reason: RejectionReason;
  /** What exactly: one short text without the client's own words beyond 200 characters. */
  readonly detail: string;
  readonly remoteAddress: string;
}
