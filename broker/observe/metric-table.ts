import type { ListenerReading, StoreReading } from "./observed-server.js";
import type { ServerReading } from "./server-reading.js";

/** Values of one metric: a number, or one per set of labels. */
type MetricValues = number | readonly LabelledValue[];

interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric in the words of Prometheus: names end with their base unit, those of counters with `_total`. */
export interface MetricRow {
  readonly name: string;
  /** Default `fleetrig_broker_`. What every process has goes by the name that every dashboard knows. */
  readonly prefix?: "";
  readonly kind: "gauge" | "counter";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Shown only by brokers that have one. */
  readonly needs?: "store";
  readonly read: (reading: ServerReading) => MetricValues;
}

const by =
  (label: string, pick: (reading: ServerReading) => Readonly<Record<string, number>>) =>
  (reading: ServerReading): LabelledValue[] =>
    Object.entries(pick(reading)).map(([name, value]) => ({ labels: { [label]: name }, value }));

const perListener =
  (pick: (listener: ListenerReading) => number) =>
  ({ listeners }: ServerReading): LabelledValue[] =>
    listeners.map((listener) => ({ labels: labelsOf(listener), value: pick(listener) }));

const labelsOf = ({ url, transport }: ListenerReading): Record<string, string> => ({
  listener: url,
  transport,
});

const ofStore =
  (pick: (store: StoreReading) => number) =>
  ({ store }: ServerReading): MetricValues =>
    store === undefined ? 0 : pick(store);

/** Zeros that can never be anything else tell nothing. */
const without = <T extends Readonly<Record<string, number>>>(
  counts: T,
  ...names: readonly (keyof T)[]
): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => !names.includes(name)));

/** Every metric but `info`, in the order in which they are shown. */
export const METRIC_TABLE: readonly MetricRow[] = [
  {
    name: "uptime_seconds",
    kind: "gauge",
    help: "Time since the broker started.",
    read: ({ uptimeS }) => uptimeS,
  },
  {
    name: "connections",
    kind: "gauge",
    help: "Clients connected.",
    read: ({ engine }) => engine.connections,
  },
  {
    name: "sessions",
    kind: "gauge",
    help: "Sessions with and without a connection.",
    read: ({ engine }) => engine.sessions,
  },
  {
    name: "subscriptions",
    kind: "gauge",
    help: "Subscriptions of all sessions.",
    read: ({ engine }) => engine.subscriptions,
  },
  {
    name: "retained_messages",
    kind: "gauge",
    help: "Topics with a retained message.",
    read: ({ engine }) => engine.retained,
  },
  {
    name: "retained_bytes",
    kind: "gauge",
    help: "Topics, payloads and properties of retained messages.",
    read: ({ engine }) => engine.retainedBytes,
  },
  {
    name: "queued_messages",
    kind: "gauge",
    help: "Messages waiting for their receivers.",
    read: ({ engine }) => engine.queuedMessages,
  },
  {
    name: "queued_bytes",
    kind: "gauge",
    help: "Memory that waiting messages take.",
    read: ({ engine }) => engine.queuedBytes,
  },
  {
    name: "inflight_messages",
    kind: "gauge",
    help: "Messages sent to clients and not acknowledged.",
    read: ({ traffic }) => traffic.inflightMessages,
  },
  {
    name: "pending_wills",
    kind: "gauge",
    help: "Wills waiting for their delay.",
    read: ({ engine }) => engine.pendingWills,
  },
  {
    name: "connect_queue_length",
    kind: "gauge",
    help: "CONNECT packets waiting for their turn.",
    read: ({ engine }) => engine.connectQueue,
  },
  {
    name: "connects_total",
    kind: "counter",
    help: "CONNECT packets accepted; its rate is the connect rate.",
    read: ({ engine }) => engine.connected,
  },
  {
    name: "connects_refused_total",
    kind: "counter",
    help: "CONNECT packets and links refused.",
    labels: ["reason"],
    read: by("reason", ({ refusals }) => refusals),
  },
  {
    name: "disconnects_total",
    kind: "counter",
    help: "Connections that ended, by AWS disconnectReason.",
    labels: ["reason"],
    read: by("reason", ({ endings }) => endings),
  },
  {
    name: "auth_denials_total",
    kind: "counter",
    help: "What authorisation denied.",
    labels: ["action"],
    read: by("action", ({ denials }) => denials),
  },
  {
    name: "messages_received_total",
    kind: "counter",
    help: "Application messages taken in from clients and services.",
    read: ({ engine }) => engine.received,
  },
  {
    name: "messages_received_bytes_total",
    kind: "counter",
    help: "Payloads of the messages taken in.",
    read: ({ engine }) => engine.receivedBytes,
  },
  {
    name: "messages_delivered_total",
    kind: "counter",
    help: "Messages sent to clients for the first time.",
    read: ({ engine }) => engine.delivered,
  },
  {
    name: "messages_redelivered_total",
    kind: "counter",
    help: "Messages sent again after a reconnect.",
    read: ({ engine }) => engine.redelivered,
  },
  {
    name: "messages_dropped_total",
    kind: "counter",
    help: "Messages that did not reach one receiver, or anybody.",
    labels: ["reason"],
    read: by("reason", ({ drops }) => drops),
  },
  {
    name: "clients_held_back",
    kind: "gauge",
    help: "Clients that are not read from at the moment.",
    read: ({ engine }) => engine.heldBack,
  },
  {
    name: "holds_total",
    kind: "counter",
    help: "How often a client was not read from for a while: its rate, its credit, or the disk.",
    labels: ["cause"],
    read: by("cause", ({ brakes }) => brakes),
  },
  {
    name: "client_conflicts_total",
    kind: "counter",
    help: "Client ids that two clients took from each other again and again.",
    read: ({ engine }) => engine.conflicts,
  },
  {
    name: "memory_level",
    kind: "gauge",
    help: "0 normal, 1 high, 2 critical.",
    read: ({ engine }) => ["normal", "high", "critical"].indexOf(engine.memory),
  },
  {
    name: "packets_received_total",
    kind: "counter",
    help: "MQTT packets from clients.",
    labels: ["type"],
    read: by("type", ({ traffic }) =>
      without(traffic.packetsReceived, "connack", "suback", "unsuback", "pingresp"),
    ),
  },
  {
    name: "packets_sent_total",
    kind: "counter",
    help: "MQTT packets to clients.",
    labels: ["type"],
    read: by("type", ({ traffic }) =>
      without(traffic.packetsSent, "connect", "subscribe", "unsubscribe", "pingreq"),
    ),
  },
  {
    name: "received_bytes_total",
    kind: "counter",
    help: "MQTT bytes from clients, without TLS and WebSocket framing.",
    read: ({ traffic }) => traffic.receivedBytes,
  },
  {
    name: "sent_bytes_total",
    kind: "counter",
    help: "MQTT bytes to clients, without TLS and WebSocket framing.",
    read: ({ traffic }) => traffic.sentBytes,
  },
  {
    name: "listener_sockets",
    kind: "gauge",
    help: "Sockets open.",
    labels: ["listener", "transport"],
    read: perListener(({ openSockets }) => openSockets),
  },
  {
    name: "listener_sockets_accepted_total",
    kind: "counter",
    help: "Sockets accepted.",
    labels: ["listener", "transport"],
    read: perListener(({ acceptedSockets }) => acceptedSockets),
  },
  {
    name: "listener_sockets_dropped_total",
    kind: "counter",
    help: "Sockets closed before they became a connection.",
    labels: ["listener", "transport", "reason"],
    read: ({ listeners }) =>
      listeners.flatMap((listener) =>
        Object.entries(listener.droppedSockets).map(([reason, value]) => ({
          labels: { ...labelsOf(listener), reason },
          value,
        })),
      ),
  },
  {
    name: "event_loop_delay_seconds",
    kind: "gauge",
    help: "Delay of the event loop over the last 10 seconds or more; quantile 1 is the maximum.",
    labels: ["quantile"],
    read: ({ loopDelay: { p50, p90, p99, max } }) => [
      { labels: { quantile: "0.5" }, value: p50 },
      { labels: { quantile: "0.9" }, value: p90 },
      { labels: { quantile: "0.99" }, value: p99 },
      { labels: { quantile: "1" }, value: max },
    ],
  },
  {
    name: "store_commits_total",
    needs: "store",
    kind: "counter",
    help: "Group commits of the store.",
    read: ofStore(({ commits }) => commits),
  },
  {
    name: "store_commit_seconds_total",
    needs: "store",
    kind: "counter",
    help: "Time spent in commits; divided by their number it is the mean latency.",
    read: ofStore(({ commitSecondsSum }) => commitSecondsSum),
  },
  {
    name: "store_records_written_total",
    needs: "store",
    kind: "counter",
    help: "Records written by all commits.",
    read: ofStore(({ writtenRecords }) => writtenRecords),
  },
  {
    name: "store_pending_records",
    needs: "store",
    kind: "gauge",
    help: "Changes that are not durable yet.",
    read: ofStore(({ pendingRecords }) => pendingRecords),
  },
  {
    name: "store_up",
    needs: "store",
    kind: "gauge",
    help: "1 while the store writes, 0 after a failed write.",
    read: ofStore(({ state }) => (state === "failed" ? 0 : 1)),
  },
  {
    name: "process_resident_memory_bytes",
    prefix: "",
    kind: "gauge",
    help: "Resident memory of the process.",
    read: ({ process }) => process.residentBytes,
  },
  {
    name: "nodejs_heap_size_used_bytes",
    prefix: "",
    kind: "gauge",
    help: "JavaScript heap in use.",
    read: ({ process }) => process.heapUsedBytes,
  },
  {
    name: "nodejs_heap_size_limit_bytes",
    prefix: "",
    kind: "gauge",
    help: "What the JavaScript heap may grow to.",
    read: ({ process }) => process.heapLimitBytes,
  },
  {
    name: "nodejs_external_memory_bytes",
    prefix: "",
    kind: "gauge",
    help: "Buffers and other memory outside the JavaScript heap.",
    read: ({ process }) => process.externalBytes,
  },
  {
    name: "process_cpu_seconds_total",
    prefix: "",
    kind: "counter",
    help: "Processor time of the process.",
    read: ({ process }) => process.cpuSeconds,
  },
];
