import { US_PER_S } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import { runText } from "../determinism/run-text.js";
import type { BenchCase, Figure } from "./bench-case.js";
import { buildingScenario, idleScenario, libraryScenario } from "./scenario-texts.js";

const MIB = 1024 * 1024;
const cpuS = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

interface Measured {
  readonly record: RunRecord;
  readonly published: number;
  readonly cpuS: number;
  readonly wallS: number;
}

async function measured(text: string, seed = 42): Promise<Measured> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  let published = 0;
  const record = await runText(text, { seed, progress: (at) => (published = at.published) });
  if (record.verdict === "error") throw new Error(record.failure?.message ?? "the run failed");
  return { record, published, cpuS: cpuS(before), wallS: (performance.now() - startedMs) / 1000 };
}

const pace = ({ record, published, cpuS: used, wallS }: Measured): Figure[] => [
  { name: "messages", value: published, unit: "" },
  { name: "messages per wall second", value: published / wallS, unit: "1/s" },
  { name: "simulated per wall second", value: record.durationMs / 1000 / wallS, unit: "s/s" },
  { name: "CPU per message", value: (used / published) * 1e6, unit: "µs" },
];

const building: BenchCase = {
  name: "smart-building",
  description: "5,000 sensors, 26.5 simulated minutes, QoS 1, rule and shadows on",
  async run() {
    const run = await measured(libraryScenario("smart-building"));
    return [
      ...pace(run),
      { name: "wall", value: run.wallS, unit: "s", most: 10 },
      { name: "CPU", value: run.cpuS, unit: "s", most: 5 },
    ];
  },
};

const wave: BenchCase = {
  name: "disconnect-wave",
  description: "5,000 devices, 2,000 of them lose their link, configuration changes meanwhile",
  async run() {
    const run = await measured(libraryScenario("disconnect-wave"));
    return [{ name: "CPU", value: run.cpuS, unit: "s" }];
  },
};

/** Runs until nothing more is compiled: a sweep consists of warm runs. */
const WARM_UP_RUNS = 4;
const SWEEP_RUNS = 8;
/** A sweep leaves this expectation out, because it needs a second run per seed. */
const WITHOUT_COUNTERFACTUAL = [/^.*job\.prevented.*\n/m, ""] as const;

async function cpuPerRun(text: string): Promise<number> {
  for (let seed = 1; seed <= WARM_UP_RUNS; seed += 1) await measured(text, seed);
  const before = process.cpuUsage();
  for (let seed = 1; seed <= SWEEP_RUNS; seed += 1) await measured(text, WARM_UP_RUNS + seed);
  return cpuS(before) / SWEEP_RUNS;
}

const sweep: BenchCase = {
  name: "ota-sweep",
  description: "ota-rollout-abort, 1,000 devices, warm, one seed after the other in one process",
  async run() {
    const main = libraryScenario("ota-rollout-abort", [WITHOUT_COUNTERFACTUAL]);
    const control = libraryScenario("ota-rollout-abort", [
      WITHOUT_COUNTERFACTUAL,
      ["probability: 30%", "probability: 1%"],
    ]);
    return [
      { name: "CPU per run that aborts", value: await cpuPerRun(main), unit: "s", most: 0.3 },
      { name: "CPU per healthy run (1,000 updates)", value: await cpuPerRun(control), unit: "s" },
    ];
  },
};

const day: BenchCase = {
  name: "day",
  description: "the fleet of smart-building for 24 hours: 14.4 million messages",
  isLong: true,
  async run() {
    const run = await measured(
      buildingScenario(
        5_000,
        100,
        "stages:\n  - { name: day, duration: 24h }\nexpect:\n  - delivery.lost{qos=1} == 0\n",
      ),
    );
    return [
      ...pace(run),
      { name: "CPU", value: run.cpuS, unit: "s", most: 300 },
      { name: "resident memory", value: run.record.environment.rssBytesMax / MIB, unit: "MiB", most: 4096 },
    ];
  },
};

const large: BenchCase = {
  name: "20,000-devices",
  description: "the fleet of smart-building, four times as large, for 2 simulated minutes",
  async run() {
    const run = await measured(
      buildingScenario(
        20_000,
        400,
        "stages:\n  - { name: all, duration: 2m }\nexpect:\n  - delivery.unexpected == 0\n",
      ),
    );
    return [
      ...pace(run),
      { name: "CPU", value: run.cpuS, unit: "s" },
      { name: "resident memory", value: run.record.environment.rssBytesMax / MIB, unit: "MiB", most: 4096 },
    ];
  },
};

/** Heap in use after a collection, without what loading and compiling has left. */
function heapBytes(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  collect?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Heap per device at that second of the run, everything counted that the run keeps: plan, cloud, ledger. */
async function heapPerDevice(text: string, atS: number): Promise<number> {
  const before = heapBytes();
  let perDevice = 0;
  await runText(text, {
    prepared: ({ harness, fleet }) => {
      harness.after(atS * US_PER_S, () => {
        perDevice = (heapBytes() - before) / fleet.members.length;
      });
    },
  });
  return perDevice;
}

const MEMORY_DEVICES = 10_000;
const HOLD = "stages:\n  - { name: hold, duration: 90s }\nexpect:\n  - delivery.unexpected == 0\n";

const memory: BenchCase = {
  name: "heap-per-device",
  description: `heap per device of ${MEMORY_DEVICES}, both sides of the connection and all bookkeeping included`,
  async run() {
    // Small runs first: what loading and compiling leave behind is nobody's device.
    await heapPerDevice(idleScenario(200, 1_000, 60), 30);
    await heapPerDevice(buildingScenario(200, 1_000, HOLD), 80);
    const idle = await heapPerDevice(idleScenario(MEMORY_DEVICES, 1_000, 60), 30);
    const active = await heapPerDevice(buildingScenario(MEMORY_DEVICES, 1_000, HOLD), 80);
    return [
      { name: "idle device (connected, shadow, subscriptions)", value: idle, unit: "B" },
      { name: "active device (telemetry every 30 s)", value: active, unit: "B" },
    ];
  },
};

const crowd: BenchCase = {
  name: "100,000-devices",
  description: "100,000 devices connect at 5,000 per second and stay",
  async run() {
    const run = await measured(idleScenario(100_000, 5_000, 5));
    const [online] = run.record.expectations;
    return [
      { name: "all online", value: online?.verdict === "pass" ? 1 : 0, unit: "", least: 1 },
      { name: "CPU per device", value: (run.cpuS / 100_000) * 1e6, unit: "µs" },
      { name: "resident memory", value: run.record.environment.rssBytesMax / MIB, unit: "MiB", most: 4096 },
    ];
  },
};

export const VIRTUAL_CASES: readonly BenchCase[] = [building, wave, sweep, memory, large, crowd, day];
