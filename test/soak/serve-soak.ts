import { createBroker } from "fleetrig/broker";
import type { BrokerReport } from "./soak-process.js";

/** The broker of the soak in real time, in a process of its own. Asked for `report`, it collects its garbage first. */
const broker = await createBroker({
  listen: ["mqtt://127.0.0.1:0"],
  http: { port: 0 },
  sysIntervalS: 5,
  limits: {
    persistentSessionS: 120,
    sessionExpiryS: 120,
    receiveMaximum: 1_000,
    maxInflight: 1_000,
    bufferedBytesPerConnection: 65_536,
    queuedMessagesPerSession: 5_000,
  },
  hooks: { authorizeConnect: () => "allow", authorizePublish: () => true, authorizeSubscribe: () => true },
});

function report(): BrokerReport {
  globalThis.gc!();
  globalThis.gc!();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const sockets = broker.listeners[0]!.connections();
  return { rss, heapUsed, external, arrayBuffers, sockets, statistics: broker.statistics() };
}

async function stop(): Promise<void> {
  await broker.stop();
  // Nothing is left that would keep this process.
  process.disconnect();
}

process.on("message", (request) => {
  if (request === "report") process.send!({ report: report() });
  else void stop();
});
process.send!({ port: broker.endpoints[0]!.port });
