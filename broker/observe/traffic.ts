import type { BrokerCounters, PacketCounts } from "../engine/statistics.js";
import type { Session } from "../engine/session.js";

/** What went over all links, and what is under way. Sums over live connections and those that ended. */
export interface TrafficReading {
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** Sent to clients with QoS 1 or 2 and not acknowledged. */
  readonly inflightMessages: number;
  readonly packetsReceived: Readonly<PacketCounts>;
  readonly packetsSent: Readonly<PacketCounts>;
}

/** Connections count for themselves, so that the hot path touches nothing shared; this adds them up. */
export function readTraffic(counters: Readonly<BrokerCounters>, sessions: Iterable<Session>): TrafficReading {
  let { receivedMessages, receivedBytes, sentMessages, sentBytes } = counters.endedTraffic;
  let inflightMessages = 0;
  for (const { connection, backlog } of sessions) {
    if (connection === undefined) continue;
    receivedMessages += connection.receivedMessages;
    receivedBytes += connection.receivedBytes;
    sentMessages += connection.sentMessages;
    sentBytes += connection.sentBytes;
    inflightMessages += backlog?.inflightMessages ?? 0;
  }
  return {
    receivedMessages,
    receivedBytes,
    sentMessages,
    sentBytes,
    inflightMessages,
    packetsReceived: { ...counters.packetsReceived, publish: receivedMessages },
    packetsSent: { ...counters.packetsSent, publish: sentMessages },
  };
}
