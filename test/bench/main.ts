import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ACCESS_CASES } from "./access-cases.js";
import { type BenchCase, type CaseResult, type Figure, meetsTarget } from "./bench-case.js";
import { CLOUD_CASES } from "./cloud-cases.js";
import { CROWD_CASES } from "./crowd-cases.js";
import { DURABLE_CASES } from "./durable-cases.js";
import { FLEET_INDEX_CASES } from "./fleet-index-case.js";
import { HIL_FLASH_CASES } from "./hil-flash-case.js";
import { HIL_LATENCY_CASE } from "./hil-latency-case.js";
import { HIL_LINK_CASE } from "./hil-link-case.js";
import { HIL_STORM_CASES } from "./hil-storm-cases.js";
import { HIL_VIRTUAL_CASES } from "./hil-virtual-case.js";
import { HIL_WEDGE_CASE } from "./hil-wedge-case.js";
import { HOSTILE_CASES } from "./hostile-cases.js";
import { LATENCY_CASE } from "./latency-case.js";
import { PKI_CASES } from "./pki-cases.js";
import { PROVISIONING_CASES } from "./provisioning-cases.js";
import { REGISTRY_CASES } from "./registry-case.js";
import { SOAK_CASES } from "./soak-case.js";
import { THROUGHPUT_CASES } from "./throughput-case.js";
import { VIRTUAL_CASES } from "./virtual-cases.js";

/**
 * `npm run bench`: every case in a process of its own, a table on stdout, the same in out/bench.json.
 * Options: `--full` adds the long cases, `--only <name>` runs the case of that name, or those whose names begin so, `--write <file>` writes
 * elsewhere, `--minutes` is how long `soak` takes,
 * `--priority` makes brokers and their load go before whatever else the machine does.
 */
const CASES: readonly BenchCase[] = [
  ...THROUGHPUT_CASES,
  LATENCY_CASE,
  ...CROWD_CASES,
  ...HOSTILE_CASES,
  ...DURABLE_CASES,
  ...VIRTUAL_CASES,
  ...PKI_CASES,
  ...ACCESS_CASES,
  ...FLEET_INDEX_CASES,
  ...REGISTRY_CASES,
  ...PROVISIONING_CASES,
  ...CLOUD_CASES,
  ...HIL_FLASH_CASES,
  HIL_WEDGE_CASE,
  HIL_LINK_CASE,
  ...HIL_VIRTUAL_CASES,
  ...HIL_STORM_CASES,
  HIL_LATENCY_CASE,
  ...SOAK_CASES,
];
const CASE_DEADLINE_MS = 20 * 60_000;
const MIB_PER_KIB = 1 / 1024;

/** Unknown words end it here: a run takes half an hour. */
const { values: options } = parseArgs({
  options: {
    case: { type: "string" },
    full: { type: "boolean", default: false },
    minutes: { type: "string" },
    only: { type: "string" },
    priority: { type: "boolean" },
    write: { type: "string", default: "out/bench.json" },
  },
});

async function runCase(bench: BenchCase): Promise<CaseResult> {
  const { name, description } = bench;
  const startedMs = performance.now();
  const skipped = bench.skipped?.();
  const figures = skipped === undefined ? await bench.run() : [];
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    name,
    description,
    ...(skipped !== undefined && { skipped }),
    figures,
    cpuS: (userCPUTime + systemCPUTime) / 1e6,
    wallS: (performance.now() - startedMs) / 1000,
    rssMaxMiB: maxRSS * MIB_PER_KIB,
  };
}

/** A case that fails is reported; the others still run. */
function runInProcess({ name, description, deadlineMs = CASE_DEADLINE_MS }: BenchCase): CaseResult {
  const self = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, ["--expose-gc", self, "--case", name, ...process.argv.slice(2)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: deadlineMs,
  });
  if (child.status !== 0) {
    process.exitCode = 1;
    if (child.signal === "SIGTERM") console.error(`${name} was ended after ${deadlineMs / 60_000} minutes`);
    return { name, description, failed: true, figures: [], cpuS: 0, wallS: 0, rssMaxMiB: 0 };
  }
  return JSON.parse(child.stdout) as CaseResult;
}

function print(result: CaseResult): void {
  const { name, description, skipped, failed, figures, cpuS, wallS, rssMaxMiB } = result;
  console.log(`\n${name}: ${description}`);
  if (skipped !== undefined) console.log(`  SKIPPED: ${skipped}`);
  if (failed === true) console.log("  FAILED: the reason is above");
  for (const figure of figures) console.log(`  ${line(figure)}`);
  console.log(`  (process: ${shown(cpuS)} s CPU, ${shown(wallS)} s wall, ${shown(rssMaxMiB)} MiB)`);
}

function line(figure: Figure): string {
  const { name, value, unit, most, least, isInconclusive } = figure;
  const isMet = meetsTarget(figure);
  const target = most === undefined ? `at least ${least}` : `at most ${most}`;
  const word = isInconclusive === true ? "INCONCLUSIVE" : isMet === true ? "met" : "MISSED";
  const verdict = isMet === undefined && isInconclusive !== true ? "" : `${word}: ${target}`;
  return `${name.padEnd(48)} ${shown(value).padStart(12)} ${unit.padEnd(4)} ${verdict}`.trimEnd();
}

const shown = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 1000 ? 1 : 0 });

function runAll(): void {
  const { only, full: isFull, write: file } = options;
  const exact = CASES.filter(({ name }) => name === only);
  const begun = CASES.filter(({ name }) => name.startsWith(only ?? ""));
  const usual = CASES.filter(({ isLong }) => isFull || isLong !== true);
  const chosen = only === undefined ? usual : exact.length > 0 ? exact : begun;
  if (chosen.length === 0)
    throw new Error(`there is no case ${only}: ${CASES.map(({ name }) => name).join(", ")}`);
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    /** Who else was there: figures of a busy machine are worse than its own. */
    loadAverageBefore: loadavg()[0],
  };
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}`);
  const results: CaseResult[] = [];
  for (const bench of chosen) {
    const result = runInProcess(bench);
    print(result);
    results.push(result);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  console.log(`\nWritten to ${file}.`);
}

if (options.case === undefined) runAll();
else {
  const result = await runCase(CASES.find(({ name }) => name === options.case)!);
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
