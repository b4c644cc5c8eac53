import { type RealSample, soakForReal } from "../soak/real-soak.js";
import { type Trend, trendOf, verdictOf } from "../soak/trend.js";
import { soakVirtually } from "../soak/virtual-soak.js";
import type { BenchCase, Figure } from "./bench-case.js";

/** Memory may grow by so much in a day and still be called level. */
const LEVEL_MIB_PER_DAY = 1;
/** Of 24 hours in virtual time, those in which sessions and queues have reached their usual number. */
const WARM_HOURS = 6;
/** Two hours each, which is how long sessions live: shorter ones are too much like their neighbours. */
const VIRTUAL_BATCHES = 9;
const REAL_BATCHES = 12;
const MIB = 1_048_576;
const MINUTES_PER_DAY = 1_440;

const isFull = process.argv.includes("--full");
const minutesWanted = process.argv[process.argv.indexOf("--minutes") + 1];
const minutes =
  process.argv.includes("--minutes") && minutesWanted !== undefined ? Number(minutesWanted) : isFull ? 60 : 3;

const LEVELS = { level: 1, unclear: 0, grows: -1 } as const;

function slopeFigures(name: string, trend: Trend): Figure[] {
  const verdict = verdictOf(trend, LEVEL_MIB_PER_DAY);
  return [
    { name: `${name}: slope per day`, value: trend.slope, unit: "MiB" },
    { name: `${name}: 95 % confidence, ±`, value: trend.margin, unit: "MiB" },
    { name: `${name}: mean`, value: trend.mean, unit: "MiB" },
    {
      name: `${name}: level (1 yes, 0 cannot be told, -1 grows)`,
      value: LEVELS[verdict],
      unit: "",
      least: 1,
    },
  ];
}

const virtual: BenchCase = {
  name: "soak-virtual",
  description: "24 hours in virtual time: 300 clients that come and go, with everything MQTT 5 has",
  isLong: true,
  async run() {
    const samples: { at: number; value: number }[] = [];
    const { published, received, statistics, grown, timersLeft } = await soakVirtually({
      seed: 1,
      hours: 24,
      clients: 300,
      pauseS: 20,
      sampled(hours) {
        globalThis.gc!();
        globalThis.gc!();
        if (hours >= WARM_HOURS)
          samples.push({ at: hours / 24, value: process.memoryUsage().heapUsed / MIB });
      },
    });
    return [
      { name: "published", value: published, unit: "" },
      { name: "received", value: received, unit: "" },
      { name: "connects", value: statistics.connected, unit: "" },
      ...slopeFigures("heap", trendOf(samples, VIRTUAL_BATCHES)),
      { name: "tables that still hold something at the end", value: grown.length, unit: "", most: 0 },
      { name: "timers left at the end", value: timersLeft, unit: "", most: 0 },
    ];
  },
};

/** The first quarter is for sessions and queues to reach their usual number. */
const warm = (samples: readonly RealSample[]): readonly RealSample[] =>
  samples.slice(Math.floor(samples.length / 4));

const real: BenchCase = {
  name: "soak",
  description: `${minutes} minutes on sockets: 5,000 msg/s, 50 reconnects/s, slow readers, wills, retained messages`,
  isLong: true,
  // Beside the load: getting ready, and what was left behind has to expire.
  deadlineMs: (minutes + 10) * 60_000,
  async run() {
    const soak = await soakForReal({ minutes });
    const samples = warm(soak.samples);
    const trend = (name: "rss" | "heapUsed"): Trend =>
      trendOf(
        samples.map(({ atMinutes, report }) => ({
          at: atMinutes / MINUTES_PER_DAY,
          value: report[name] / MIB,
        })),
        REAL_BATCHES,
      );
    const { sessions, subscriptions, queuedBytes } = soak.aftermath.statistics;
    return [
      { name: "messages per second", value: soak.sentPerS, unit: "1/s", least: 4_900 },
      { name: "connects", value: soak.connects, unit: "" },
      { name: "QoS 1 messages", value: soak.sentQos1, unit: "" },
      { name: "QoS 1 messages lost", value: soak.lostQos1, unit: "", most: 0 },
      { name: "p50", value: soak.p50Ms, unit: "ms" },
      { name: "p99", value: soak.p99Ms, unit: "ms" },
      ...slopeFigures("heap", trend("heapUsed")),
      ...slopeFigures("resident memory", trend("rss")),
      {
        name: "sessions, subscriptions, queued bytes at the end",
        value: sessions + subscriptions + queuedBytes,
        unit: "",
        most: 0,
      },
      { name: "heap at the end", value: soak.aftermath.heapUsed / MIB, unit: "MiB" },
      { name: "ended by itself after stop (1 = yes)", value: soak.hasEnded ? 1 : 0, unit: "", least: 1 },
    ];
  },
};

export const SOAK_CASES: readonly BenchCase[] = [virtual, real];
