import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT, FleetrigError, invariant } from "fleetrig/kernel";
import type { ExpectationRecord, RunRecord } from "fleetrig/reports";
import { createNodeHost } from "../cli/host/node-host.js";
import { loadFile } from "../cli/load-files.js";
import { doRunJob } from "../cli/run-job.js";
import { formatDiagnostic } from "../load/diagnostics.js";
import type { LoadResult } from "../load/load-scenario.js";
import { MAIN_VARIANT } from "../runner/job.js";

/**
 * Scenarios inside somebody else's test suite: any runner will do, since nothing here listens to the process,
 * prints, or stays open after the promise is settled.
 *
 * ```ts
 * it("converges after a disconnect wave", async () => {
 *   expectPassed(await runScenarioFile("scenarios/disconnect-wave.yaml"));
 * });
 * ```
 */
export interface RunScenarioFileOptions {
  /** Default: the file's. */
  readonly seed?: number;
  /** Default: the file's. */
  readonly clock?: "virtual" | "real";
  /** Ends the run early; its record then says `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called in a real-time run as soon as clients can connect, so that the code under test can take part. */
  readonly listening?: (endpoint: { readonly host: string; readonly port: number }) => void;
}

/**
 * Runs a scenario file once. A run that fails is a record with its verdict, not an exception.
 * @param path Relative to the working directory, or a file URL (`new URL("./a.yaml", import.meta.url)`).
 * Neither is one that cannot begin, because its model does not load or its port is taken: its verdict is `error`.
 * @throws FleetrigError `TESTING_SCENARIO_INVALID` with every problem of the file.
 */
export async function runScenarioFile(
  path: string | URL,
  options: RunScenarioFileOptions = {},
): Promise<RunRecord> {
  const { seed, clock, ...hooks } = options;
  const host = createNodeHost([]);
  const file = scenarioPath(path, host.cwd);
  const loaded = loadFile(host, file, { seedOverride: seed, clockOverride: clock });
  if (!loaded.ok) throw invalid(file, loaded);
  const { scenario } = loaded;
  const result = await doRunJob(
    host,
    { file, seed: scenario.seed, clock: scenario.clock, variant: MAIN_VARIANT, isSweep: false },
    { gitSha: null, ...hooks },
  );
  invariant(result.kind === "record", "a job that is no sweep brings a record");
  return result.record;
}

/** As a user would type it, so that the replay line can be pasted. */
function scenarioPath(path: string | URL, cwd: string): string {
  const plain = path instanceof URL || path.startsWith("file:") ? fileURLToPath(path) : path;
  const below = isAbsolute(plain) ? relative(cwd, plain) : plain;
  return (below.startsWith("..") ? plain : below).replaceAll("\\", "/");
}

function invalid(file: string, { diagnostics, sources }: Extract<LoadResult, { ok: false }>): FleetrigError {
  const problems = diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic, sources.find(({ path }) => path === diagnostic.file)?.text),
  );
  return new FleetrigError(
    "TESTING_SCENARIO_INVALID",
    `${file} is not a valid scenario.\n${problems.join("\n")}\n`,
    { hint: `Run fleetrig validate ${file}.`, exitCode: EXIT.usage },
  );
}

/**
 * Asserts that a run passed. Inconclusive and interrupted runs did not.
 * @throws FleetrigError `TESTING_RUN_NOT_PASSED`; its message lists what was not met, where it is written, and
 *   the command that repeats the run.
 */
export function expectPassed(record: RunRecord): void {
  if (record.verdict === "passed") return;
  const { scenario, verdict, seed, clock, failure, replay } = record;
  const unmet = [...record.expectations, ...record.environment.expectations].filter(
    (one) => one.severity === "fail" && one.verdict !== "pass",
  );
  const error = new FleetrigError(
    "TESTING_RUN_NOT_PASSED",
    [
      `Scenario ${scenario.name} did not pass: ${verdict} (seed ${seed}, ${clock} time).`,
      ...(failure === null ? [] : [`  ${failure.code}: ${failure.message}`]),
      ...unmet.flatMap(describe),
      `  replay: ${replay}`,
      `${unmet.length} of ${record.expectations.length + record.environment.expectations.length} expectations were not met.`,
    ].join("\n"),
    { context: { scenario: scenario.name, verdict, seed, replay }, exitCode: EXIT.failed },
  );
  Error.captureStackTrace(error, expectPassed);
  throw error;
}

const describe = ({ expr, verdict, reason, measured, file, line, column }: ExpectationRecord): string[] => [
  `  ${verdict}: ${expr}`,
  `    ${reason ?? `Measured ${measured}.`} (${file}:${line}:${column})`,
];
