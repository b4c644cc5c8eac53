import type { BenchCase, Figure } from "./bench-case.js";
import type { RunningBroker } from "./brokers.js";
import { generatorMissing, load, type LoadOptions } from "./generator.js";
import { alternate, CONTESTANTS, medianOf, type Name, type RoundTable, withBrokers } from "./rounds.js";

/** One row of the comparison, and how many times a peer's throughput is to be reached. */
interface Row {
  readonly name: string;
  readonly mode: string;
  readonly options: LoadOptions;
  readonly least: Readonly<Partial<Record<Name, number>>>;
}

const ROUNDS = 3;
const SUBSCRIBERS = 1000;

const FAN_IN: readonly Row[] = [
  {
    name: "fan-in QoS 0, 16 per write",
    mode: "fan-in",
    options: { qos: 0, batch: 16 },
    least: { mosquitto: 12, aedes: 25 },
  },
  {
    name: "fan-in QoS 0, 1 per write",
    mode: "fan-in",
    options: { qos: 0, batch: 1 },
    least: { mosquitto: 1.7, aedes: 3.5 },
  },
  {
    name: "fan-in QoS 1, 1 per write",
    mode: "fan-in",
    options: { qos: 1, batch: 1 },
    least: { mosquitto: 2.5, aedes: 4.5 },
  },
];

const FAN_OUT: readonly Row[] = [
  {
    name: "fan-out to 1,000, QoS 0",
    mode: "fan-out",
    options: { qos: 0, subscribers: SUBSCRIBERS, window: 64 },
    least: { mosquitto: 7, aedes: 10 },
  },
  {
    name: "fan-out to 1,000, QoS 1",
    mode: "fan-out",
    options: { qos: 1, subscribers: SUBSCRIBERS, window: 64 },
    least: { mosquitto: 5, aedes: 7 },
  },
];

const PAIRS: readonly Row[] = [
  {
    name: "1,000 pairs, QoS 1, closed loop",
    mode: "pairs",
    options: { qos: 1, publishers: 1000 },
    least: { mosquitto: 1.4, aedes: 3 },
  },
];

const throughputCase = (name: string, description: string, rows: readonly Row[]): BenchCase => ({
  name,
  description,
  skipped: generatorMissing,
  run: () =>
    withBrokers(CONTESTANTS, async (brokers) => {
      const figures: Figure[] = [];
      for (const row of rows) figures.push(...(await measureRow(row, brokers)));
      return figures;
    }),
});

async function measureRow(row: Row, brokers: ReadonlyMap<Name, RunningBroker>): Promise<Figure[]> {
  const { mode, options } = row;
  // What a broker compiles or allocates at its first sight of a load is nobody's throughput.
  for (const broker of brokers.values()) await load(broker, mode, { ...options, "warm-ms": 0, ms: 500 });
  return figuresOf(row, await alternate(brokers, ROUNDS, (broker) => load(broker, mode, options)));
}

function figuresOf({ name, least }: Row, table: RoundTable): Figure[] {
  const ours = medianOf(table, "fleetrig", "perSecond")!;
  const figures: Figure[] = [{ name: `${name}: fleetrig`, value: ours, unit: "1/s" }];
  for (const peer of ["mosquitto", "aedes"] as const) {
    const theirs = medianOf(table, peer, "perSecond");
    if (theirs === undefined) continue;
    const target = least[peer];
    figures.push(
      { name: `  ${peer}`, value: theirs, unit: "1/s" },
      {
        name: `  fleetrig to ${peer}`,
        value: ours / theirs,
        unit: "x",
        ...(target !== undefined && { least: target }),
      },
    );
  }
  for (const broker of table.keys())
    figures.push({
      name: `  CPU per delivery, ${broker}`,
      value: medianOf(table, broker, "cpuUsPerDelivery")!,
      unit: "µs",
    });
  figures.push(
    { name: "  core used by fleetrig", value: 100 * medianOf(table, "fleetrig", "cpuShare")!, unit: "%" },
    {
      name: "  core used by its load",
      value: 100 * medianOf(table, "fleetrig", "loadCpuShare")!,
      unit: "%",
    },
  );
  return figures;
}

export const THROUGHPUT_CASES: readonly BenchCase[] = [
  throughputCase("tcp-fan-in", "20 publishers to one subscriber over loopback, 64 B", FAN_IN),
  throughputCase("tcp-fan-out", "one publisher to 1,000 subscribers over loopback, 64 B", FAN_OUT),
  throughputCase("tcp-pairs", "1,000 publishers to a subscriber each, one message of each under way", PAIRS),
];
