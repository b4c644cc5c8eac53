/** Why a message did not reach one receiver (or, for the last three, anybody). */
export type DropReason =
  /** The session's or the broker's queue bound was reached. */
  | "queue-full"
  /** QoS 0 for a client that does not read its output. */
  | "slow-client"
  /** Larger than the client's Maximum Packet Size. */
  | "packet-too-large"
  /** Message expiry passed while it was queued. */
  | "expired"
  | "receive-denied"
  /** Above publishes per second of one connection or of all. */
  | "publish-rate"
  /** Above messages stored per second for clients that are away. */
  | "store-rate"
  | "publish-denied"
  /** Cloud services kept answering each other's messages. */
  | "publish-depth"
  /** Not stored: too many retained messages; live delivery was not affected. */
  | "retained-full";

/** Gauges show this moment; counters only grow. */
export interface BrokerStatistics {
  readonly connections: number;
  /** With and without a connection. */
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** CONNECT packets waiting for their turn. */
  readonly connectQueue: number;
  /** Wills waiting for their delay. */
  readonly pendingWills: number;
  /** Accepted CONNECT packets so far. */
  readonly connected: number;
  readonly refused: number;
  /** Application messages taken in: from clients and from the cloud itself. */
  readonly received: number;
  readonly receivedBytes: number;
  /** PUBLISH packets handed to links, without redeliveries. */
  readonly delivered: number;
  readonly redelivered: number;
  readonly dropped: number;
}

/** The part of {@link BrokerStatistics} that is counted, not looked up. */
export class BrokerCounters {
  connections = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  pendingWills = 0;
  connected = 0;
  refused = 0;
  received = 0;
  receivedBytes = 0;
  delivered = 0;
  redelivered = 0;
  dropped = 0;

  snapshot(): Omit<BrokerStatistics, "sessions" | "subscriptions" | "retained" | "connectQueue"> {
    return {
      connections: this.connections,
      queuedMessages: this.queuedMessages,
      queuedBytes: this.queuedBytes,
      pendingWills: this.pendingWills,
      connected: this.connected,
      refused: this.refused,
      received: this.received,
      receivedBytes: this.receivedBytes,
      delivered: this.delivered,
      redelivered: this.redelivered,
      dropped: this.dropped,
    };
  }
}
