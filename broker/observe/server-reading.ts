import { type LoopDelayReading, type ProcessReading, readProcess, US_PER_S } from "fleetrig/kernel";
import { reasonName } from "fleetrig/protocol";
import type { BrokerStatistics } from "../engine/index.js";
import type { ListenerReading, ObservedServer, StoreReading } from "./observed-server.js";
import { readTraffic, type TrafficReading } from "./traffic.js";

/** Everything that metrics and `$SYS` topics are made of, at one moment. */
export interface ServerReading {
  readonly uptimeS: number;
  readonly engine: BrokerStatistics;
  readonly traffic: TrafficReading;
  readonly drops: Readonly<Record<string, number>>;
  /** Refused CONNECT packets by the name of their reason code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Ended connections by AWS disconnectReason. */
  readonly endings: Readonly<Record<string, number>>;
  /** How often clients were not read from for a while, by cause. */
  readonly brakes: Readonly<Record<string, number>>;
  readonly denials: Readonly<Record<"connect" | "publish" | "subscribe" | "receive", number>>;
  readonly loopDelay: LoopDelayReading;
  readonly process: ProcessReading;
  readonly listeners: readonly ListenerReading[];
  readonly store: StoreReading | undefined;
}

/** What a reading needs besides the server. */
export interface ReadingContext {
  readonly startedAtUs: number;
  readonly loopDelay: LoopDelayReading;
}

/** Takes a reading: one pass over the sessions, nothing else that grows. */
export function readServer(server: ObservedServer, context: ReadingContext): ServerReading {
  const { broker, clock } = server;
  const { counters } = broker;
  const { drops, refusals, endings } = counters;
  return {
    uptimeS: (clock.nowUs() - context.startedAtUs) / US_PER_S,
    engine: broker.statistics(),
    traffic: readTraffic(counters, broker.sessions()),
    drops: { ...drops },
    refusals: Object.fromEntries(Array.from(refusals, ([code, count]) => [reasonName(code), count])),
    endings: Object.fromEntries(endings),
    brakes: { ...counters.brakes },
    denials: {
      connect: counters.connectsDenied,
      publish: drops["publish-denied"],
      subscribe: counters.subscriptionsDenied,
      receive: drops["receive-denied"],
    },
    loopDelay: context.loopDelay,
    process: readProcess(),
    listeners: server.listeners(),
    store: server.store(),
  };
}
