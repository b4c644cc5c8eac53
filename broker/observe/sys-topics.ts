import type { Clock } from "fleetrig/kernel";
import { LOAD_MINUTES, LoadAverage } from "./load-average.js";
import type { ObservedServer } from "./observed-server.js";
import type { ServerReading } from "./server-reading.js";

/**
 * The broker's topics about itself. Mosquitto's names and units where it has one, so that dashboards made for it go
 * on working; what only this broker has comes last.
 */

/** Everything below is the broker's own: clients read it and cannot publish there. */
const SYS_PREFIX = "$SYS/";
const ROOT = "$SYS/broker/";

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

const packetsReceived = ({ traffic }: ServerReading): number => sum(traffic.packetsReceived);
const packetsSent = ({ traffic }: ServerReading): number => sum(traffic.packetsSent);
const acceptedSockets = ({ listeners }: ServerReading): number =>
  listeners.reduce((total, { acceptedSockets }) => total + acceptedSockets, 0);

/** Counters whose growth is shown as `load/<name>/1min` and so on. */
const LOADS: Readonly<Record<string, (reading: ServerReading) => number>> = {
  "messages/received": packetsReceived,
  "messages/sent": packetsSent,
  "publish/received": ({ traffic }) => traffic.receivedMessages,
  "publish/sent": ({ traffic }) => traffic.sentMessages,
  "publish/dropped": ({ engine }) => engine.dropped,
  "bytes/received": ({ traffic }) => traffic.receivedBytes,
  "bytes/sent": ({ traffic }) => traffic.sentBytes,
  connections: ({ engine }) => engine.connected,
  sockets: acceptedSockets,
};

type Show = (reading: ServerReading, server: ObservedServer) => string | number;

const TOPICS: Readonly<Record<string, Show>> = {
  version: (_, { version }) => `fleetrig version ${version}`,
  uptime: ({ uptimeS }) => `${Math.floor(uptimeS)} seconds`,
  "clients/total": ({ engine }) => engine.sessions,
  "clients/connected": ({ engine }) => engine.connections,
  "clients/active": ({ engine }) => engine.connections,
  "clients/disconnected": ({ engine }) => engine.sessions - engine.connections,
  "clients/inactive": ({ engine }) => engine.sessions - engine.connections,
  "messages/received": packetsReceived,
  "messages/sent": packetsSent,
  "messages/stored": ({ engine }) => engine.queuedMessages + engine.retained,
  "messages/inflight": ({ traffic }) => traffic.inflightMessages,
  "publish/messages/received": ({ traffic }) => traffic.receivedMessages,
  "publish/messages/sent": ({ traffic }) => traffic.sentMessages,
  "publish/messages/dropped": ({ engine }) => engine.dropped,
  "publish/bytes/received": ({ engine }) => engine.receivedBytes,
  "bytes/received": ({ traffic }) => traffic.receivedBytes,
  "bytes/sent": ({ traffic }) => traffic.sentBytes,
  "subscriptions/count": ({ engine }) => engine.subscriptions,
  "retained messages/count": ({ engine }) => engine.retained,
  "store/messages/count": ({ engine }) => engine.queuedMessages + engine.retained,
  "store/messages/bytes": ({ engine }) => engine.queuedBytes + engine.retainedBytes,
  "heap/current": ({ process }) => process.heapUsedBytes,
  durability: (_, { durability }) => durability,
  "memory/level": ({ engine }) => engine.memory,
  "event-loop/delay/p99": ({ loopDelay }) => loopDelay.p99.toFixed(4),
};

/** Publishes what has changed since it was published last. */
export class SysTopics {
  private readonly loads: ReadonlyMap<string, LoadAverage>;
  private readonly published = new Map<string, string>();
  private maximum = { connections: 0, heap: 0 };

  constructor(
    private readonly server: ObservedServer,
    clock: Clock,
  ) {
    this.loads = new Map(Object.keys(LOADS).map((name) => [name, new LoadAverage(clock)]));
    server.broker.addHooks({ authorizePublish: (_, { topic }) => !topic.startsWith(SYS_PREFIX) });
  }

  publish(reading: ServerReading): void {
    for (const [name, show] of Object.entries(TOPICS)) this.tell(name, show(reading, this.server));
    const { maximum } = this;
    maximum.connections = Math.max(maximum.connections, reading.engine.connections);
    maximum.heap = Math.max(maximum.heap, reading.process.heapUsedBytes);
    this.tell("clients/maximum", maximum.connections);
    this.tell("heap/maximum", maximum.heap);
    for (const [name, load] of this.loads) {
      load.sample(LOADS[name]!(reading));
      LOAD_MINUTES.forEach((minutes, index) =>
        this.tell(`load/${name}/${minutes}min`, load.perMinute[index]!.toFixed(2)),
      );
    }
  }

  private tell(name: string, value: string | number): void {
    const text = String(value);
    if (this.published.get(name) === text) return;
    this.published.set(name, text);
    this.server.broker.announce(ROOT + name, text);
  }
}
