import type { MemoryLevel } from "../engine/index.js";
import type { ListenerReading, ObservedServer } from "./observed-server.js";

/** `degraded`: it serves, and somebody should look. `unavailable`: send clients elsewhere. */
export type HealthStatus = "ok" | "degraded" | "unavailable";

/** Can clients use this broker, and can they trust what it acknowledges? */
export interface Health {
  readonly status: HealthStatus;
  /** What is wrong, worst first; empty when the status is `ok`. */
  readonly problems: readonly string[];
  readonly version: string;
  readonly profile: string;
  readonly durability: string;
  readonly memory: MemoryLevel;
  readonly listeners: readonly Pick<ListenerReading, "url" | "isListening" | "openSockets">[];
  /** Null without a data directory. */
  readonly store: { readonly state: string; readonly detail: string } | null;
}

/** Judges a server by what it says of itself. */
export function readHealth(server: ObservedServer): Health {
  const { version, profile, durability } = server;
  const listeners = server.listeners();
  const memory = server.memory();
  const store = server.store();
  const unavailable: string[] = [];
  const degraded: string[] = [];
  const closed = listeners.filter(({ isListening }) => !isListening);
  if (listeners.length > 0 && closed.length === listeners.length) unavailable.push("No listener is open.");
  else for (const { url } of closed) degraded.push(`${url} is not open.`);
  if (store?.state === "failed") unavailable.push(`The store has failed: ${store.detail}`);
  if (store?.state === "damaged") degraded.push(`The store is damaged: ${store.detail}`);
  if (memory === "critical")
    unavailable.push("Memory is critical: new clients are refused and queues do not grow.");
  if (memory === "high") degraded.push("Memory is high: whose messages pile up is read from less.");
  return {
    status: unavailable.length > 0 ? "unavailable" : degraded.length > 0 ? "degraded" : "ok",
    problems: [...unavailable, ...degraded],
    version,
    profile,
    durability,
    memory,
    listeners: listeners.map(({ url, isListening, openSockets }) => ({ url, isListening, openSockets })),
    store: store === undefined ? null : { state: store.state, detail: store.detail },
  };
}
