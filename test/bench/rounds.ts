import { AEDES_PEER, type Contestant, FLEETRIG, MOSQUITTO_PEER, type RunningBroker } from "./brokers.js";

/** Brokers take turns within one run: only their ratio means something on a machine that others use too. */
export const CONTESTANTS: readonly Contestant[] = [FLEETRIG, MOSQUITTO_PEER, AEDES_PEER];

export type Name = Contestant["name"];

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Starts those that are there, hands them to `work`, stops them. */
export async function withBrokers<T>(
  contestants: readonly Contestant[],
  work: (brokers: ReadonlyMap<Name, RunningBroker>) => Promise<T>,
): Promise<T> {
  const brokers = new Map<Name, RunningBroker>();
  try {
    for (const { name, missing, start } of contestants)
      if (missing === undefined) brokers.set(name, await start());
    return await work(brokers);
  } finally {
    for (const broker of brokers.values()) broker.stop();
  }
}

/** What each broker reached in each round, by figure. */
export type RoundTable = ReadonlyMap<Name, ReadonlyMap<string, readonly number[]>>;

/** Every round measures each broker once, in turn; `measure` yields named figures. */
export async function alternate(
  brokers: ReadonlyMap<Name, RunningBroker>,
  rounds: number,
  measure: (broker: RunningBroker, name: Name) => Promise<Readonly<Record<string, number>>>,
): Promise<RoundTable> {
  const table = new Map<Name, Map<string, number[]>>();
  for (const name of brokers.keys()) table.set(name, new Map());
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, broker] of brokers) {
      const row = table.get(name)!;
      for (const [figure, value] of Object.entries(await measure(broker, name)))
        row.set(figure, [...(row.get(figure) ?? []), value]);
    }
  }
  return table;
}

/** Median of a figure of one broker; undefined when it did not take part. */
export function medianOf(table: RoundTable, name: Name, figure: string): number | undefined {
  const values = table.get(name)?.get(figure);
  return values === undefined ? undefined : median(values);
}
