import type { BenchCase } from "./bench-case.js";
import { startFleetrig } from "./brokers.js";
import { generatorMissing, load, type LoadOptions } from "./generator.js";
import { peakDuring, residentBytes } from "./process-figures.js";
import { median } from "./rounds.js";

const MIB = 1024 * 1024;
const HOSTILE_CLIENTS = 10_000;
const HALF = 100;
const ROUNDS = 3;

const frozen: BenchCase = {
  name: "frozen-subscribers",
  description: "one publisher to 200 subscribers, QoS 1; 100 of them stop reading",
  skipped: generatorMissing,
  async run() {
    const broker = await startFleetrig();
    const runs: readonly (readonly [string, LoadOptions])[] = [
      ["all", { subscribers: 2 * HALF }],
      ["frozen", { subscribers: 2 * HALF, frozen: HALF }],
      ["half", { subscribers: HALF }],
    ];
    const rates = new Map<string, number[]>(runs.map(([name]) => [name, []]));
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [name, options] of runs) {
          // A message that a healthy subscriber lacks ends the generator, and with it this case.
          const { perSecond } = await load(broker, "fan-out", { ...options, qos: 1, window: 64, ms: 1500 });
          rates.get(name)!.push(perSecond! / (options["subscribers"]! - (options["frozen"] ?? 0)));
        }
      }
    } finally {
      broker.stop();
    }
    const [all, withFrozen, half] = ["all", "frozen", "half"].map((name) => median(rates.get(name)!));
    return [
      { name: "publishes, 200 that read", value: all!, unit: "1/s" },
      { name: "publishes, 100 that read and 100 frozen", value: withFrozen!, unit: "1/s" },
      { name: "publishes, 100 that read", value: half!, unit: "1/s" },
      { name: "with frozen to all reading", value: withFrozen! / all!, unit: "x", least: 0.9 },
      { name: "with frozen to the readers alone", value: withFrozen! / half!, unit: "x" },
    ];
  },
};

interface Claimed {
  readonly closed: number;
  readonly peakMiB: number;
}

async function claimed(gather: 0 | 1): Promise<Claimed> {
  const broker = await startFleetrig();
  try {
    await load(broker, "connect", { clients: 200 });
    const beforeBytes = residentBytes(broker.pid);
    const work = load(broker, "claim", { clients: HOSTILE_CLIENTS, gather });
    const { peakBytes, result } = await peakDuring(broker.pid, work);
    return { closed: result["closed"]!, peakMiB: (peakBytes - beforeBytes) / MIB };
  } finally {
    broker.stop();
  }
}

const claim: BenchCase = {
  name: "hostile-connect",
  description: "10,000 sockets begin a CONNECT that claims 256 MB and send on until they are ended",
  skipped: generatorMissing,
  async run() {
    const coming = await claimed(0);
    const gathered = await claimed(1);
    return [
      { name: "ended by the broker", value: coming.closed, unit: "", least: HOSTILE_CLIENTS },
      { name: "memory at most, all together", value: coming.peakMiB, unit: "MiB", most: 60 },
      { name: "ended when all were open before", value: gathered.closed, unit: "", least: HOSTILE_CLIENTS },
      { name: "memory at most then, sockets included", value: gathered.peakMiB, unit: "MiB" },
    ];
  },
};

const CONNECT_DEADLINE_S = 5;
/** Timers and a busy machine may be late, not generous. */
const LATENESS_MS = 1000;

const loris: BenchCase = {
  name: "slow-loris",
  description: "10,000 sockets send one byte of CONNECT per second; a canary is timed meanwhile",
  skipped: generatorMissing,
  async run() {
    const broker = await startFleetrig([`connectDeadlineS=${CONNECT_DEADLINE_S}`]);
    try {
      const figures = await load(broker, "loris", { clients: HOSTILE_CLIENTS });
      return [
        { name: "evicted", value: figures["evicted"]!, unit: "", least: HOSTILE_CLIENTS },
        {
          name: `longest stay (deadline ${CONNECT_DEADLINE_S} s)`,
          value: figures["longestMs"]!,
          unit: "ms",
          most: CONNECT_DEADLINE_S * 1000 + LATENESS_MS,
        },
        { name: "canary p50", value: figures["p50Us"]! / 1000, unit: "ms" },
        { name: "canary p99", value: figures["p99Us"]! / 1000, unit: "ms", most: 100 },
      ];
    } finally {
      broker.stop();
    }
  },
};

export const HOSTILE_CASES: readonly BenchCase[] = [frozen, claim, loris];
