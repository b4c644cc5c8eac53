import {
  type FleetIndexing,
  FleetIndexing as Indexing,
  RecordBook,
  type ThingDocument,
} from "fleetrig/broker";
import { LANE, VirtualTime } from "fleetrig/kernel";
import type { BenchCase, Figure } from "./bench-case.js";

/** Queries of all kinds, from one thing to all of them. */
const QUERIES = [
  "*",
  "thingName:thing-77777",
  "thingName:thing-7*",
  "thingName:*77",
  "attributes.site:site-7 AND connectivity.connected:true",
  "shadow.reported.battery<20 AND NOT attributes.site:site-3",
  "shadow.reported.battery:[40 TO 60] (attributes.model:a OR attributes.model:b)",
  "attributes.serial:[sn-000100 TO sn-000200]",
  "site-7",
  "thing-12*",
  'shadow.reported.place:"new york"',
  "thingGroupNames:group-5 -shadow.hasDelta:true",
  "attributes.serial:sn-0?77* OR attributes.serial:sn-9*",
  "shadow.desired.config.*:x".replace(".*", ".mode"),
  "connectivity.timestamp > 1700000050000 shadow.reported.firmware:[1.2 TO *]",
  "a* b* c* d* e* f* g* h* i* j* k* l*",
];

const SECTIONS = {
  thingIndexingMode: "REGISTRY_AND_SHADOW",
  thingConnectivityIndexingMode: "STATUS",
} as const;

const thingOf = (ordinal: number): ThingDocument => ({
  thingName: `thing-${ordinal}`,
  thingId: `00000000-0000-4000-8000-${String(ordinal).padStart(12, "0")}`,
  thingTypeName: "sensor",
  thingGroupNames: [`group-${ordinal % 20}`],
  attributes: {
    site: `site-${ordinal % 100}`,
    model: "abc"[ordinal % 3]!,
    serial: `sn-${String(ordinal).padStart(6, "0")}`,
  },
  version: 1,
  shadow: {
    reported: {
      battery: (ordinal * 37) % 101,
      firmware: 1 + (ordinal % 5) / 10,
      place: ordinal % 2 === 0 ? "New York" : "Berlin",
    },
    desired: { config: { mode: ordinal % 7 === 0 ? "x" : "y" } },
    metadata: {
      reported: { battery: { timestamp: 1_700_000 + ordinal }, firmware: { timestamp: 1_700_000 } },
    },
    hasDelta: ordinal % 4 === 0,
    version: 1 + (ordinal % 9),
  },
  connectivity: { connected: ordinal % 10 !== 0, timestamp: 1_700_000_000_000 + ordinal },
});

function fleetOf(count: number): { indexing: FleetIndexing; time: VirtualTime } {
  const time = new VirtualTime();
  const indexing = new Indexing({
    clock: time.lane(LANE.services),
    records: new RecordBook(),
    limits: { maxLeadingWildcards: 1 },
    documents: {
      thingNames: () => Array.from({ length: count }, (_, ordinal) => `thing-${ordinal}`),
      thing: (name) => thingOf(Number(name.slice("thing-".length))),
      thingGroupNames: () => [],
      thingGroup: () => undefined,
      connectivity: () => undefined,
    },
  });
  return { indexing, time };
}

function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

/** Wall and CPU milliseconds: they differ by what else the machine does. */
function asked(indexing: FleetIndexing, queryString: string): { wallMs: number; cpuMs: number } {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  indexing.searchIndex({ queryString, maxResults: 500 });
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

function build(
  count: number,
  mode: object,
): { indexing: FleetIndexing; time: VirtualTime; seconds: number; bytes: number } {
  const before = heapBytes();
  const { indexing, time } = fleetOf(count);
  const startedMs = performance.now();
  indexing.updateIndexingConfiguration({ thingIndexingConfiguration: { ...SECTIONS, ...mode } });
  time.advance(60_000_000);
  const seconds = (performance.now() - startedMs) / 1000;
  return { indexing, time, seconds, bytes: heapBytes() - before };
}

const ROUNDS = 40;
const WARM_UP_ROUNDS = 3;

const queries: BenchCase = {
  name: "fleet-index",
  description:
    "16 kinds of queries over 100,000 things with shadows and connectivity, a change between any two",
  async run() {
    const { indexing, time, seconds, bytes } = build(100_000, {});
    const taken: number[] = [];
    const spent: number[] = [];
    const slowest = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [at, query] of QUERIES.entries()) {
        indexing.thingChanged(`thing-${(round * 7919 + at * 104_729) % 100_000}`);
        time.advance(2_000);
        const { wallMs, cpuMs } = asked(indexing, query);
        if (round < WARM_UP_ROUNDS) continue;
        taken.push(wallMs);
        spent.push(cpuMs);
        slowest.set(query, Math.max(slowest.get(query) ?? 0, cpuMs));
      }
    }
    taken.sort((a, b) => a - b);
    spent.sort((a, b) => a - b);
    const startedMs = performance.now();
    indexing.aggregations({ queryString: "*" }).statistics();
    const statisticsMs = performance.now() - startedMs;
    const [worst = ""] = Array.from(slowest).sort((a, b) => b[1] - a[1])[0] ?? [];
    const figures: Figure[] = [
      { name: "query p50", value: percentile(taken, 0.5), unit: "ms" },
      { name: "query p99", value: percentile(taken, 0.99), unit: "ms", most: 20 },
      { name: "query p99, CPU", value: percentile(spent, 0.99), unit: "ms" },
      { name: `slowest: ${worst.slice(0, 36)}`, value: slowest.get(worst) ?? 0, unit: "ms" },
      { name: "statistics of all things", value: statisticsMs, unit: "ms" },
      { name: "build", value: seconds, unit: "s" },
      { name: "heap per thing", value: bytes / 100_000, unit: "B" },
    ];
    return figures;
  },
};

const million: BenchCase = {
  name: "fleet-index-million",
  description: "1,000,000 things, registry only: how much memory the index takes",
  isLong: true,
  async run() {
    const { indexing, seconds, bytes } = build(1_000_000, {
      thingIndexingMode: "REGISTRY",
      thingConnectivityIndexingMode: "OFF",
    });
    const taken = QUERIES.map((query) => asked(indexing, query).wallMs).sort((a, b) => a - b);
    return [
      { name: "heap per thing", value: bytes / 1_000_000, unit: "B", most: 1_500 },
      { name: "build", value: seconds, unit: "s" },
      { name: "query p50", value: percentile(taken, 0.5), unit: "ms" },
      { name: "slowest query", value: taken.at(-1)!, unit: "ms" },
    ];
  },
};

export const FLEET_INDEX_CASES: readonly BenchCase[] = [queries, million];
