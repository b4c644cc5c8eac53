import type { ClientReading, Health, SlowSubscriber } from "fleetrig/broker";
import { US_PER_S } from "fleetrig/kernel";
import type { BrokerSnapshot } from "./broker-watch.js";

/** A counter: its total, and its growth per second since the snapshot before. */
export interface Rate {
  readonly total: number;
  readonly perSecond: number;
}

/** A client with what it does per second. */
interface BusyClient extends ClientReading {
  readonly inPerSecond: number;
  readonly outPerSecond: number;
}

/** What `broker top` shows, as numbers. */
export interface TopFigures {
  readonly health: Health;
  readonly uptimeS: number;
  readonly gauges: Readonly<Record<GaugeName, number>>;
  readonly rates: Readonly<Record<RateName, Rate>>;
  /** By reason; those that never happened are left out. */
  readonly dropped: Readonly<Record<string, Rate>>;
  readonly refused: Readonly<Record<string, Rate>>;
  /** Seconds. */
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Share of one processor. */
  readonly cpu: number;
  readonly slow: readonly SlowSubscriber[];
  readonly busy: readonly BusyClient[];
}

const PREFIX = "fleetrig_broker_";

const GAUGES = {
  connections: `${PREFIX}connections`,
  sessions: `${PREFIX}sessions`,
  subscriptions: `${PREFIX}subscriptions`,
  retainedMessages: `${PREFIX}retained_messages`,
  queuedMessages: `${PREFIX}queued_messages`,
  queuedBytes: `${PREFIX}queued_bytes`,
  inflightMessages: `${PREFIX}inflight_messages`,
  residentBytes: "process_resident_memory_bytes",
  heapBytes: "nodejs_heap_size_used_bytes",
  heapLimitBytes: "nodejs_heap_size_limit_bytes",
} as const;

const RATES = {
  connects: `${PREFIX}connects_total`,
  messagesIn: `${PREFIX}messages_received_total`,
  messagesOut: `${PREFIX}messages_delivered_total`,
  redelivered: `${PREFIX}messages_redelivered_total`,
  bytesIn: `${PREFIX}received_bytes_total`,
  bytesOut: `${PREFIX}sent_bytes_total`,
} as const;

type GaugeName = keyof typeof GAUGES;
type RateName = keyof typeof RATES;

const BUSY = 10;

/** Compares two snapshots, the later one first. */
export function topFigures(now: BrokerSnapshot, before: BrokerSnapshot): TopFigures {
  const passedS = (now.atUs - before.atUs) / US_PER_S;
  const perSecond = (later: number, earlier: number): number =>
    passedS > 0 ? Math.max(0, later - earlier) / passedS : 0;
  const rate = (name: string): Rate => {
    const total = valueOf(now, name);
    return { total, perSecond: perSecond(total, valueOf(before, name)) };
  };
  const byReason = (name: string): Record<string, Rate> =>
    Object.fromEntries(
      now.samples
        .filter((sample) => sample.name === name && sample.value > 0)
        .map(({ labels: { reason = "" }, value }) => [
          reason,
          { total: value, perSecond: perSecond(value, valueOf(before, name, { reason })) },
        ]),
    );
  const delay = (quantile: string): number => valueOf(now, `${PREFIX}event_loop_delay_seconds`, { quantile });
  const earlier = new Map(before.clients.map((client) => [client.clientId, client]));
  return {
    health: now.health,
    uptimeS: valueOf(now, `${PREFIX}uptime_seconds`),
    gauges: mapValues(GAUGES, (name) => valueOf(now, name)),
    rates: mapValues(RATES, rate),
    dropped: byReason(`${PREFIX}messages_dropped_total`),
    refused: byReason(`${PREFIX}connects_refused_total`),
    loopDelay: { p50: delay("0.5"), p99: delay("0.99"), max: delay("1") },
    cpu: rate("process_cpu_seconds_total").perSecond,
    slow: now.slow,
    busy: now.clients
      .map((client) => busyClient(client, earlier.get(client.clientId), perSecond))
      .filter(({ inPerSecond, outPerSecond }) => inPerSecond + outPerSecond > 0)
      .sort((a, b) => b.inPerSecond + b.outPerSecond - (a.inPerSecond + a.outPerSecond))
      .slice(0, BUSY),
  };
}

/** A client that was not among the busiest before, or has another connection, counts with its average. */
function busyClient(
  client: ClientReading,
  before: ClientReading | undefined,
  perSecond: (later: number, earlier: number) => number,
): BusyClient {
  const { receivedMessages, sentMessages, connectedS } = client;
  const isSame = before !== undefined && before.connectedS <= connectedS;
  const average = (count: number): number => (connectedS > 0 ? count / Math.max(1, connectedS) : 0);
  return {
    ...client,
    inPerSecond: isSame ? perSecond(receivedMessages, before.receivedMessages) : average(receivedMessages),
    outPerSecond: isSame ? perSecond(sentMessages, before.sentMessages) : average(sentMessages),
  };
}

function valueOf(
  { samples }: BrokerSnapshot,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found?.value ?? 0;
}

const mapValues = <Name extends string, T>(
  names: Readonly<Record<Name, string>>,
  read: (metric: string) => T,
): Record<Name, T> =>
  Object.fromEntries(Object.entries<string>(names).map(([name, metric]) => [name, read(metric)])) as Record<
    Name,
    T
  >;
