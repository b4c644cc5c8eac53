import type { BenchCase, Figure } from "./bench-case.js";
import { FLEETRIG, MOSQUITTO_PEER } from "./brokers.js";
import { generatorMissing, load } from "./generator.js";
import { alternate, medianOf, type RoundTable, withBrokers } from "./rounds.js";

const ROUNDS = 10;
const OPTIONS = { qos: 1, publishers: 1000, rate: 20_000, "warm-ms": 500, ms: 1500 };

function figuresOf(table: RoundTable): Figure[] {
  const figures: Figure[] = [];
  for (const name of table.keys()) {
    for (const [label, figure] of [
      ["p50", "p50Us"],
      ["p99", "p99Us"],
      ["p99.9", "p999Us"],
      ["largest", "maxUs"],
    ] as const)
      figures.push({ name: `${name}: ${label}`, value: medianOf(table, name, figure)! / 1000, unit: "ms" });
    figures.push({
      name: `${name}: CPU per delivery`,
      value: medianOf(table, name, "cpuUsPerDelivery")!,
      unit: "µs",
    });
  }
  return [...figures, ...compared(table)];
}

/** Rounds are compared pair by pair: both halves of a pair had the same neighbours. */
function compared(table: RoundTable): Figure[] {
  const ours = table.get("fleetrig")!.get("p99Us")!;
  const theirs = table.get("mosquitto")?.get("p99Us");
  if (theirs === undefined) return [];
  const better = ours.filter((value, round) => value < theirs[round]!).length;
  const ratio = medianOf(table, "fleetrig", "p99Us")! / medianOf(table, "mosquitto", "p99Us")!;
  return [
    { name: "p99, fleetrig to mosquitto", value: ratio, unit: "x", most: 1 },
    { name: `rounds with the lower p99, of ${ROUNDS}`, value: better, unit: "" },
  ];
}

export const LATENCY_CASE: BenchCase = {
  name: "tcp-latency",
  description: "1,000 publishers on a schedule of 20,000 messages per second, QoS 1, alternating rounds",
  skipped: generatorMissing,
  run: () =>
    withBrokers([FLEETRIG, MOSQUITTO_PEER], async (brokers) => {
      for (const broker of brokers.values()) await load(broker, "paced", OPTIONS);
      return figuresOf(await alternate(brokers, ROUNDS, (broker) => load(broker, "paced", OPTIONS)));
    }),
};
