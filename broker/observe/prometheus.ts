import type { Counter, Gauge } from "prom-client";
import { METRIC_TABLE, type MetricRow } from "./metric-table.js";
import type { ObservedServer } from "./observed-server.js";
import type { ServerReading } from "./server-reading.js";

/** What the broker's own metrics begin with. */
const METRIC_PREFIX = "fleetrig_broker_";

/** Metrics of one server, as text for Prometheus. */
export interface PrometheusMetrics {
  readonly contentType: string;
  render(reading: ServerReading): Promise<string>;
}

/**
 * Metrics of a registry of their own: two servers in one process do not mix, and nobody else's metrics appear here.
 * The library is loaded when it is first needed; a broker that nobody scrapes does without it.
 */
export async function createPrometheusMetrics(server: ObservedServer): Promise<PrometheusMetrics> {
  const prometheus = await import("prom-client");
  const registry = new prometheus.Registry();
  const common = { registers: [registry] };
  const info = new prometheus.Gauge({
    ...common,
    name: `${METRIC_PREFIX}info`,
    help: "What runs here; always 1.",
    labelNames: ["version", "profile", "durability"],
  });
  const hasStore = server.store() !== undefined;
  const metrics = METRIC_TABLE.filter(({ needs }) => needs === undefined || hasStore).map((row) => {
    const settings = {
      ...common,
      name: (row.prefix ?? METRIC_PREFIX) + row.name,
      help: row.help,
      labelNames: [...(row.labels ?? [])],
    };
    const isCounter = row.kind === "counter";
    return { row, metric: isCounter ? new prometheus.Counter(settings) : new prometheus.Gauge(settings) };
  });
  return {
    contentType: registry.contentType,
    render: (reading) => {
      const { version, profile, durability } = server;
      info.set({ version, profile, durability }, 1);
      for (const { row, metric } of metrics) show(row, metric, reading);
      return registry.metrics();
    },
  };
}

/** The broker has counted already; what Prometheus shows is set anew for every scrape. */
function show(row: MetricRow, metric: Counter | Gauge, reading: ServerReading): void {
  metric.reset();
  const values = row.read(reading);
  if (typeof values === "number") metric.inc(values);
  else for (const { labels, value } of values) metric.inc({ ...labels }, value);
}
