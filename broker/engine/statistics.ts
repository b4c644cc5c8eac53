import type { Packet } from "fleetrig/protocol";
import type { BrakeCause } from "./intake-brake.js";
import type { MemoryLevel } from "./memory-pressure.js";

/** Why a message did not reach one receiver (or, for the last three, anybody). */
export type DropReason =
  /** The session's or the broker's queue bound was reached. */
  | "queue-full"
  /** Memory is critical: no queue grows. */
  | "memory"
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
  readonly retainedBytes: number;
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
  /** Shared messages that another member of the group got instead. */
  readonly sharedReassigned: number;
  /** Groups of shared subscriptions. */
  readonly shareGroups: number;
  readonly memory: MemoryLevel;
  /** Clients that are not read from at the moment. */
  readonly heldBack: number;
  /** Client ids that two clients took from each other again and again. */
  readonly conflicts: number;
}

/** Messages that did not reach a receiver, by reason; every reason has its field, so that counting stays cheap. */
export type DropCounts = Record<DropReason, number>;

const noDrops = (): DropCounts => ({
  "queue-full": 0,
  memory: 0,
  "slow-client": 0,
  "packet-too-large": 0,
  expired: 0,
  "receive-denied": 0,
  "publish-rate": 0,
  "store-rate": 0,
  "publish-denied": 0,
  "publish-depth": 0,
  "retained-full": 0,
});

/** Packets by type. PUBLISH is counted per connection instead, on the hot path. */
export type PacketCounts = Record<Packet["type"], number>;

const noPackets = (): PacketCounts => ({
  connect: 0,
  connack: 0,
  publish: 0,
  puback: 0,
  pubrec: 0,
  pubrel: 0,
  pubcomp: 0,
  subscribe: 0,
  suback: 0,
  unsubscribe: 0,
  unsuback: 0,
  pingreq: 0,
  pingresp: 0,
  disconnect: 0,
  auth: 0,
});

/** PUBACK is as frequent as PUBLISH, and a field that is named is found much faster than one that is looked up. */
export function countPacket(counts: PacketCounts, type: Packet["type"]): void {
  if (type === "puback") counts.puback += 1;
  else counts[type] += 1;
}

/** What one link carried. Kept by the link's connection; {@link BrokerCounters} takes over when it ends. */
export interface LinkTraffic {
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
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
  /** Metered units (5 KiB): publishes of clients, copies handed to links, messages queued and retained so far. */
  publishedUnits = 0;
  deliveredUnits = 0;
  queuedUnits = 0;
  retainedUnits = 0;
  delivered = 0;
  redelivered = 0;
  dropped = 0;
  sharedReassigned = 0;
  heldBack = 0;
  conflicts = 0;
  /** How often clients were held back, by cause. */
  readonly brakes: Record<BrakeCause, number> = { disk: 0, credit: 0, rate: 0 };
  readonly drops: DropCounts = noDrops();
  /** Refused CONNECT packets by reason code. */
  readonly refusals = new Map<number, number>();
  /** Ended connections by AWS disconnectReason. */
  readonly endings = new Map<string, number>();
  connectsDenied = 0;
  subscriptionsDenied = 0;
  readonly packetsReceived: PacketCounts = noPackets();
  readonly packetsSent: PacketCounts = noPackets();
  /** Of links that are gone. */
  readonly endedTraffic = { receivedMessages: 0, receivedBytes: 0, sentMessages: 0, sentBytes: 0 };

  countRefusal(reasonCode: number): void {
    this.refused += 1;
    this.refusals.set(reasonCode, (this.refusals.get(reasonCode) ?? 0) + 1);
  }

  countEnding(reason: string): void {
    this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1);
  }

  linkEnded(traffic: LinkTraffic): void {
    const { endedTraffic: total } = this;
    total.receivedMessages += traffic.receivedMessages;
    total.receivedBytes += traffic.receivedBytes;
    total.sentMessages += traffic.sentMessages;
    total.sentBytes += traffic.sentBytes;
  }

  snapshot(): Omit<
    BrokerStatistics,
    "sessions" | "subscriptions" | "shareGroups" | "retained" | "retainedBytes" | "connectQueue" | "memory"
  > {
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
      sharedReassigned: this.sharedReassigned,
      heldBack: this.heldBack,
      conflicts: this.conflicts,
    };
  }
}
