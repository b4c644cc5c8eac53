import type { Profile } from "fleetrig/protocol";

/**
 * Everything the broker bounds (REF §2.7). `Infinity` means no limit. Rates are per second and 0 means no limit:
 * they are off unless a run asks for them, because they are properties of an account, not of the protocol.
 */
export interface BrokerLimits {
  /** Payload of a PUBLISH or a will. */
  readonly payloadBytes: number;
  /** One whole MQTT packet from a client; advertised to MQTT 5 clients. */
  readonly packetBytes: number;
  readonly clientIdBytes: number;
  /** Topic names and filters. */
  readonly topicBytes: number;
  /** `/` in a topic or filter; AWS does not count those of `$aws/rules/<rule>/`. */
  readonly topicSlashes: number;
  readonly filtersPerPacket: number;
  readonly subscriptionsPerConnection: number;
  /** Groups of shared subscriptions; one more fails in SUBACK. */
  readonly shareGroups: number;
  readonly membersPerShareGroup: number;
  /** UTF-16 code units of the name in `$share/<name>/<filter>`. */
  readonly shareNameLength: number;
  /** Unacknowledged QoS 1 publishes towards one client, at most (its Receive Maximum may lower it). */
  readonly maxInflight: number;
  /** Memory of unacknowledged publishes towards one client beyond which further ones wait in its queue. */
  readonly inflightBytesPerSession: number;
  /** Receive Maximum advertised to MQTT 5 clients. */
  readonly receiveMaximum: number;
  /** Topic aliases a client may set. */
  readonly topicAliasMaximum: number;
  /** Topic aliases that the broker sets towards a client that allows them. */
  readonly outboundTopicAliases: number;
  readonly connections: number;
  /** Sessions with and without a connection; a CONNECT that needs one more is refused. */
  readonly sessions: number;
  /** Subscriptions of all sessions; one more fails in SUBACK. */
  readonly subscriptions: number;
  /** User properties of a PUBLISH or a will. */
  readonly userPropertiesPerPacket: number;
  /** Characters of their names and values together. */
  readonly userPropertyBytes: number;
  /** QoS 2 publishes of one client that lack their PUBREL; for MQTT 5 clients Receive Maximum is tighter. */
  readonly unreleasedPerSession: number;
  readonly retainedMessages: number;
  /** Topics whose retained message came from one client id. */
  readonly retainedMessagesPerClient: number;
  readonly retainedBytes: number;
  /** How long a 3.1.1 session outlives its connection. */
  readonly persistentSessionS: number;
  /** Longest Session Expiry Interval granted. */
  readonly sessionExpiryS: number;
  readonly queuedMessagesPerSession: number;
  /** Real footprint: topic, payload, properties and a fixed overhead. */
  readonly queuedBytesPerSession: number;
  /** All sessions together. */
  readonly queuedBytes: number;
  readonly queueOverflow: "drop-oldest" | "drop-newest";
  /**
   * What messages of one publisher may take in the queues of all others before it is read from more slowly: at full
   * speed again when half of it is gone, and once a second until then. Infinite: only when memory gets short.
   */
  readonly queuedBytesPerPublisher: number;
  /** Output waiting in the link beyond which a client counts as slow. */
  readonly bufferedBytesPerConnection: number;
  /** A slow client that stays slow this long is disconnected; its session stays. */
  readonly writeDeadlineS: number;
  /** A connection over WebSocket ends at this age. */
  readonly webSocketLifetimeS: number;
  /** From the start of the link to a complete CONNECT. */
  readonly connectDeadlineS: number;
  /** CONNECT packets per second, all clients together; 0 = unlimited. */
  readonly connectRate: number;
  /** CONNECT packets per second with the same client id; more are refused; 0 = unlimited. */
  readonly connectRatePerClient: number;
  /** What happens to a CONNECT above the rate. */
  readonly connectOverload: "refuse" | "queue";
  /** CONNECT packets that may wait under `queue`; more are refused. */
  readonly connectQueue: number;
  /** Publishes per second and connection; 0 = unlimited. */
  readonly publishRatePerConnection: number;
  /**
   * What happens above that. `discard`: both directions count together, and the excess is lost (AWS). `delay`: only
   * what the client sends counts, and it is not read from until it is within its rate; a link that cannot be held back
   * discards.
   */
  readonly publishRateMode: "discard" | "delay";
  /**
   * MQTT bytes per second from one client; the excess waits; a client 10 s ahead, which only one that cannot be held
   * back becomes, is disconnected; 0 = unlimited. AWS: 524,288.
   */
  readonly bytesPerSecondPerConnection: number;
  /** Publishes per second from all clients; excess is discarded; 0 = unlimited. */
  readonly publishRate: number;
  /** Messages per second stored for clients that are away, all together; excess is lost; 0 = unlimited. */
  readonly storeRate: number;
  /** Filters per second subscribed to by all clients; excess fails in SUBACK; 0 = unlimited. */
  readonly subscribeRate: number;
  /** Stored messages per second sent to a resumed session; 0 = unlimited. */
  readonly resumeRate: number;
}

const MIB = 1024 * 1024;

const SHARED = {
  connectDeadlineS: 30,
  writeDeadlineS: 10,
  bufferedBytesPerConnection: MIB,
  queuedMessagesPerSession: 10_000,
  queuedBytesPerSession: 32 * MIB,
  queuedBytes: 1024 * MIB,
  queueOverflow: "drop-oldest",
  queuedBytesPerPublisher: Number.POSITIVE_INFINITY,
  sessions: 1_000_000,
  subscriptions: 5_000_000,
  userPropertiesPerPacket: 1_000,
  unreleasedPerSession: 10_000,
  retainedMessages: 500_000,
  retainedBytes: 512 * MIB,
  inflightBytesPerSession: 4 * MIB,
  connectRate: 0,
  connectRatePerClient: 0,
  connectOverload: "refuse",
  connectQueue: 1_000_000,
  publishRatePerConnection: 0,
  bytesPerSecondPerConnection: 0,
  publishRate: 0,
  storeRate: 0,
  subscribeRate: 0,
} as const;

/** The limits of each profile: AWS's quotas, or what MQTT allows and a machine can bear. */
export const DEFAULT_LIMITS: Readonly<Record<Profile, BrokerLimits>> = {
  aws: {
    ...SHARED,
    payloadBytes: 128 * 1024,
    packetBytes: 146 * 1024,
    clientIdBytes: 128,
    topicBytes: 256,
    topicSlashes: 7,
    filtersPerPacket: 8,
    subscriptionsPerConnection: 50,
    shareGroups: 100,
    membersPerShareGroup: 100,
    shareNameLength: 128,
    maxInflight: 100,
    receiveMaximum: 100,
    topicAliasMaximum: 8,
    outboundTopicAliases: 8,
    // AWS: 8 KB (REF §2.6).
    userPropertyBytes: 8 * 1024,
    retainedMessagesPerClient: Number.POSITIVE_INFINITY,
    publishRateMode: "discard",
    connections: 500_000,
    persistentSessionS: 3_600,
    webSocketLifetimeS: 86_400,
    sessionExpiryS: 604_800,
    // AWS: "no more than 10 messages per second" on resume (REF §2.2).
    resumeRate: 10,
  },
  oasis: {
    ...SHARED,
    payloadBytes: Number.POSITIVE_INFINITY,
    packetBytes: 2 * MIB,
    clientIdBytes: 65_535,
    topicBytes: 65_535,
    // Not the standard's: deeper topics only serve to exhaust whoever walks them.
    topicSlashes: 200,
    filtersPerPacket: 1_000,
    subscriptionsPerConnection: 10_000,
    shareGroups: 100_000,
    membersPerShareGroup: 10_000,
    shareNameLength: 65_535,
    maxInflight: 8_192,
    receiveMaximum: 1_024,
    topicAliasMaximum: 64,
    outboundTopicAliases: 64,
    userPropertyBytes: Number.POSITIVE_INFINITY,
    // A fifth of the store: one client cannot take it from all others.
    retainedMessagesPerClient: 100_000,
    publishRateMode: "delay",
    connections: Number.POSITIVE_INFINITY,
    persistentSessionS: Number.POSITIVE_INFINITY,
    webSocketLifetimeS: Number.POSITIVE_INFINITY,
    sessionExpiryS: Number.POSITIVE_INFINITY,
    resumeRate: 0,
  },
};
