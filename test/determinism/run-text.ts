import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { RunRecord } from "fleetrig/reports";
import { formatDiagnostic, loadScenario, type Scenario } from "fleetrig/scenarios";
import { runScenario, type RunOptions } from "../../scenarios/runner/run-scenario.js";

export interface RunTextOptions extends Omit<RunOptions, "scenario" | "identity" | "folder"> {
  readonly seed?: number;
  readonly clock?: "virtual" | "real";
  /** What relative paths of the text are relative to. */
  readonly folder?: string;
  /** Boards besides those of the text. */
  readonly bridges?: Scenario["bridges"];
}

/** Runs the text of a scenario with the seams of the runner that `fleetrig/testing` does not offer. */
export async function runText(text: string, options: RunTextOptions = {}): Promise<RunRecord> {
  const { seed, clock, folder = ".", bridges = [], ...hooks } = options;
  const loaded = loadScenario("scenario.yaml", {
    readFile: () => text,
    seedOverride: seed,
    clockOverride: clock,
  });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map((one) => formatDiagnostic(one, text)).join("\n"));
  const scenario = { ...loaded.scenario, bridges: [...bridges, ...loaded.scenario.bridges] };
  const identity = {
    file: "scenario.yaml",
    sha256: "",
    seed: scenario.seed,
    clock: scenario.clock,
    variant: "main",
    replay: "",
    gitSha: null,
  };
  return runScenario({ scenario, identity, folder, ...hooks });
}

/** Runs a scenario file the same way. */
export const runTextOf = (path: string, options: RunTextOptions = {}): Promise<RunRecord> =>
  runText(readFileSync(path, "utf8"), { folder: dirname(path), ...options });

/** Value of a metric over the whole run, or with exactly these labels. */
export function metric(record: RunRecord, name: string, labels: Record<string, string> = {}): unknown {
  const wanted = JSON.stringify(labels);
  return record.metrics.find((one) => one.name === name && JSON.stringify(one.labels) === wanted)?.value;
}

/** The record without what depends on the machine and the moment, as the bytes of its file. */
export const reproducibleBytes = (record: RunRecord): string =>
  JSON.stringify({ ...record, environment: undefined });
