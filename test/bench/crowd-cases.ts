import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BenchCase, Figure } from "./bench-case.js";
import { type Contestant, FLEETRIG, MOSQUITTO_PEER, type RunningBroker, startFleetrig } from "./brokers.js";
import { makeCertificates, opensslMissing } from "./certificates.js";
import { generatorMissing, load, type RunningLoad, startLoad, startProgram } from "./generator.js";
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

/** How a crowd is opened, and what it may cost. */
interface Crowd {
  readonly clients: number;
  readonly mostKiB: number;
  open(broker: RunningBroker, clients: number): RunningLoad;
}

async function openAndClose({ open }: Crowd, broker: RunningBroker): Promise<void> {
  const few = open(broker, FIRST_CLIENTS);
  await few.announced;
  few.release();
  await few.figures;
}

async function idle(crowd: Crowd, broker: RunningBroker): Promise<Readonly<Record<string, number>>> {
  const { clients } = crowd;
  await openAndClose(crowd, broker);
  const emptyBytes = residentBytes(broker.pid);
  const held = crowd.open(broker, clients);
  await held.announced;
  const before = cpuSeconds(broker.pid);
  await sleep(IDLE_MS);
  const cpuPercent = ((cpuSeconds(broker.pid) - before) / (IDLE_MS / 1000)) * 100;
  const bytes = (residentBytes(broker.pid) - emptyBytes) / clients;
  held.release();
  const { perSecond } = await held.figures;
  return { perSecond: perSecond!, bytes, cpuPercent };
}

async function idleFigures({ name, start, missing }: Contestant, crowd: Crowd): Promise<Figure[]> {
  if (missing !== undefined) return [];
  const broker = await start();
  try {
    const { perSecond, bytes, cpuPercent } = await idle(crowd, broker);
    const isOurs = name === "fleetrig";
    return [
      { name: `${name}: connects`, value: perSecond!, unit: "1/s" },
      {
        name: `${name}: memory per idle connection`,
        value: bytes! / 1024,
        unit: "KiB",
        ...(isOurs && { most: crowd.mostKiB }),
      },
      { name: `${name}: CPU while idle`, value: cpuPercent!, unit: "%", ...(isOurs && { most: 5 }) },
    ];
  } finally {
    broker.stop();
  }
}

const tcpIdle = (name: string, wanted: number, isLong: boolean): BenchCase => ({
  name,
  description: `${wanted.toLocaleString("en")} connections that do nothing for 10 s`,
  isLong,
  skipped: generatorMissing,
  async run() {
    const clients = Math.min(wanted, socketsPerProcess());
    const figures: Figure[] = [{ name: "connections (open files permitting)", value: clients, unit: "" }];
    const crowd: Crowd = {
      clients,
      mostKiB: 6,
      open: (broker, clients) => startLoad(broker, "hold", { clients, "deadline-s": DEADLINE_S }),
    };
    for (const contestant of BOTH) figures.push(...(await idleFigures(contestant, crowd)));
    return figures;
  },
});

const HOLD_TLS = fileURLToPath(new URL("./hold-tls.js", import.meta.url));

const tlsIdle = (name: string, clients: number, isLong: boolean): BenchCase => ({
  name,
  description: `${clients.toLocaleString("en")} mTLS connections (P-256, full handshakes) that do nothing for 10 s`,
  isLong,
  skipped: opensslMissing,
  async run() {
    const folder = makeCertificates();
    try {
      const contestant: Contestant = { name: "fleetrig", start: () => startFleetrig([`tls=${folder}`]) };
      return await idleFigures(contestant, {
        clients,
        mostKiB: 40,
        open: ({ port }, clients) =>
          startProgram([process.execPath, HOLD_TLS, String(port), folder, String(clients)]),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

export const CROWD_CASES: readonly BenchCase[] = [
  storm,
  tcpIdle("tcp-idle", 10_000, false),
  tcpIdle("tcp-idle-50,000", 50_000, true),
  tlsIdle("tls-idle", 2_000, false),
  tlsIdle("tls-idle-10,000", 10_000, true),
];
