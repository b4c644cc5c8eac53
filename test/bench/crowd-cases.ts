import { setTimeout as sleep } from "node:timers/promises";
import type { BenchCase, Figure } from "./bench-case.js";
import { type Contestant, FLEETRIG, MOSQUITTO_PEER, type RunningBroker } from "./brokers.js";
import { generatorMissing, load, startLoad } from "./generator.js";
import { cpuSeconds, residentBytes, socketsPerProcess } from "./process-figures.js";
import { alternate, medianOf, withBrokers } from "./rounds.js";

const BOTH = [FLEETRIG, MOSQUITTO_PEER];
const STORM_CLIENTS = 20_000;
const STORM_ROUNDS = 3;
const DEADLINE_S = 120;

const storm: BenchCase = {
  name: "tcp-storm",
  description: "all clients are cut off at once and connect again, 64 at a time",
  skipped: generatorMissing,
  run: () =>
    withBrokers(BOTH, async (brokers) => {
      const clients = Math.min(STORM_CLIENTS, socketsPerProcess());
      const options = { clients, rounds: 2, "deadline-s": DEADLINE_S };
      const table = await alternate(brokers, STORM_ROUNDS, (broker) => load(broker, "connect", options));
      const figures: Figure[] = [{ name: "clients (open files permitting)", value: clients, unit: "" }];
      for (const name of table.keys())
        figures.push(
          { name: `${name}: connects`, value: medianOf(table, name, "perSecond")!, unit: "1/s" },
          { name: `${name}: CPU per connect`, value: medianOf(table, name, "cpuUsPerConnect")!, unit: "µs" },
        );
      const theirs = medianOf(table, "mosquitto", "perSecond");
      if (theirs !== undefined)
        figures.push({
          name: "fleetrig to mosquitto",
          value: medianOf(table, "fleetrig", "perSecond")! / theirs,
          unit: "x",
        });
      return figures;
    }),
};

const IDLE_MS = 10_000;
/** Before anything is compared with it, a broker has seen some connections come and go. */
const FIRST_CLIENTS = 200;

async function idle(broker: RunningBroker, clients: number): Promise<Readonly<Record<string, number>>> {
  await load(broker, "connect", { clients: FIRST_CLIENTS });
  const emptyBytes = residentBytes(broker.pid);
  const crowd = startLoad(broker, "hold", { clients, "deadline-s": DEADLINE_S });
  await crowd.announced;
  const before = cpuSeconds(broker.pid);
  await sleep(IDLE_MS);
  const cpuPercent = ((cpuSeconds(broker.pid) - before) / (IDLE_MS / 1000)) * 100;
  const bytes = (residentBytes(broker.pid) - emptyBytes) / clients;
  crowd.release();
  const { perSecond } = await crowd.figures;
  return { perSecond: perSecond!, bytes, cpuPercent };
}

async function idleFigures({ name, start, missing }: Contestant, clients: number): Promise<Figure[]> {
  if (missing !== undefined) return [];
  const broker = await start();
  try {
    const { perSecond, bytes, cpuPercent } = await idle(broker, clients);
    const isOurs = name === "fleetrig";
    return [
      { name: `${name}: connects`, value: perSecond!, unit: "1/s" },
      {
        name: `${name}: memory per idle connection`,
        value: bytes! / 1024,
        unit: "KiB",
        ...(isOurs && { most: 6 }),
      },
      { name: `${name}: CPU while idle`, value: cpuPercent!, unit: "%", ...(isOurs && { most: 5 }) },
    ];
  } finally {
    broker.stop();
  }
}

const idleCase = (name: string, wanted: number, isLong: boolean): BenchCase => ({
  name,
  description: `${wanted.toLocaleString("en")} connections that do nothing for 10 s`,
  isLong,
  skipped: generatorMissing,
  async run() {
    const clients = Math.min(wanted, socketsPerProcess());
    const figures: Figure[] = [{ name: "connections (open files permitting)", value: clients, unit: "" }];
    for (const contestant of BOTH) figures.push(...(await idleFigures(contestant, clients)));
    return figures;
  },
});

export const CROWD_CASES: readonly BenchCase[] = [
  storm,
  idleCase("tcp-idle", 10_000, false),
  idleCase("tcp-idle-50,000", 50_000, true),
];
