import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Cloud, DurableJournal, openStore } from "fleetrig/broker";
import { createRandomSource, LANE, RealTime } from "fleetrig/kernel";
import type { BenchCase, Figure } from "./bench-case.js";

const THINGS = 1_000_000;
const SLICE = 2_000;
const GROUPS = 1_000;
const MIB = 1024 * 1024;

const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1000;

function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface StoredCloud {
  readonly cloud: Cloud;
  readonly journal: DurableJournal;
  readonly seconds: number;
  stop(): Promise<void>;
}

/** A cloud on a data directory, with what is in it. */
async function openCloud(directory: string): Promise<StoredCloud> {
  const startedMs = performance.now();
  const time = new RealTime();
  const { store } = await openStore({ directory });
  const clock = time.lane(LANE.services);
  const schedule = (task: () => void): void => void setImmediate(task);
  const journal = new DurableJournal({ store, clock, schedule });
  const cloud = new Cloud({ time, random: createRandomSource(1), journal, sessionJournal: journal });
  cloud.registry.principals.checkWith(() => true);
  await journal.recover(cloud.broker.restoration(), cloud.records);
  return {
    cloud,
    journal,
    seconds: seconds(startedMs),
    stop: async () => {
      await cloud.stop();
      await journal.close();
      time.stop();
    },
  };
}

/** Things as fleets have them: a type, three attributes, a group out of a hierarchy, a certificate. */
async function fill({ cloud, journal }: StoredCloud): Promise<void> {
  const { registry } = cloud;
  registry.thingTypes.create({ thingTypeName: "sensor" });
  registry.createThingGroup({ thingGroupName: "all" });
  for (let group = 0; group < GROUPS; group += 1) {
    registry.createThingGroup({ thingGroupName: `site-${group}`, ...(group % 10 === 0 && BELOW_ALL) });
  }
  for (let ordinal = 0; ordinal < THINGS; ordinal += 1) {
    const thingName = `building-sensor-${ordinal}`;
    registry.createThing({
      thingName,
      thingTypeName: "sensor",
      attributes: {
        model: `m-${ordinal % 7}`,
        firmware: `1.${ordinal % 5}.${ordinal % 11}`,
        serial: `sn-${String(ordinal).padStart(10, "0")}`,
      },
    });
    registry.addThingToThingGroup({ thingName, thingGroupName: `site-${ordinal % GROUPS}` });
    registry.principals.attach({ thingName, principal: ordinal.toString(16).padStart(64, "0") });
    if (ordinal % SLICE !== 0) continue;
    do await turn();
    while (journal.isCongested);
  }
  while (!journal.isSettled) await turn();
}

const BELOW_ALL = { parentGroupName: "all" };

async function million(directory: string): Promise<Figure[]> {
  let open = await openCloud(directory);
  const empty = heapBytes();
  const startedMs = performance.now();
  await fill(open);
  const fillS = seconds(startedMs);
  const bytesCreated = (heapBytes() - empty) / THINGS;
  await open.stop();
  open = await openCloud(directory);
  const restartS = open.seconds;
  const bytesRestored = (heapBytes() - empty) / THINGS;
  const { registry } = open.cloud;
  const counted = registry.thingCount;
  const members = registry.membersOf("group:all").length;
  const pageMs = performance.now();
  const page = registry.listThingsInThingGroup({ thingGroupName: "all", recursive: true });
  const firstPageS = seconds(pageMs);
  await open.stop();
  return [
    { name: "things", value: counted, unit: "", least: THINGS },
    { name: "in 100 groups below one", value: members, unit: "", least: THINGS / 10 },
    { name: "created, joined and attached", value: THINGS / fillS, unit: "1/s" },
    { name: "heap per thing, created", value: bytesCreated, unit: "B", most: 1024 },
    { name: "heap per thing, restored", value: bytesRestored, unit: "B", most: 1024 },
    { name: "restart", value: restartS, unit: "s", most: 20 },
    { name: `page of ${page.things.length} of a hierarchy`, value: firstPageS * 1000, unit: "ms" },
    { name: "memory at most", value: process.resourceUsage().maxRSS / 1024, unit: "MiB", most: 4096 },
    { name: "heap at the end", value: heapBytes() / MIB, unit: "MiB" },
  ];
}

export const REGISTRY_CASES: readonly BenchCase[] = [
  {
    name: "registry-restart",
    description: "1,000,000 things with type, attributes, group and certificate: made, stored, restored",
    isLong: true,
    async run() {
      const directory = mkdtempSync(join(tmpdir(), "fleetrig-registry-"));
      try {
        return await million(directory);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  },
];
