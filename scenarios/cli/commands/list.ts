import { EXIT } from "fleetrig/kernel";
import type { Scenario } from "../../scenario.js";
import { type Host, writeLine } from "../host.js";
import { loadFiles, refuseUsage } from "../load-files.js";
import { writeTable } from "../text-table.js";

/** What `list` shows, and how. */
export interface ListOptions {
  /** Only scenarios with all of these tags. */
  readonly tags?: readonly string[];
  /** One JSON object per line instead of a table. */
  readonly json?: boolean;
}

/**
 * `fleetrig list <files, folders, globs>`: what scenarios there are.
 * @returns 0, or 2 when one of them is not valid
 */
export function listCommand(host: Host, patterns: readonly string[], options: ListOptions = {}): number {
  if (patterns.length === 0)
    return refuseUsage(host, "list needs a folder or scenarios.", "Write fleetrig list scenarios/library.");
  const { ok, loaded } = loadFiles(host, patterns);
  const rows = loaded.flatMap(({ path, result }) => (result.ok ? [{ path, scenario: result.scenario }] : []));
  const wanted = rows.filter(({ scenario }) =>
    (options.tags ?? []).every((tag) => scenario.tags.includes(tag)),
  );
  if (options.json === true) for (const row of wanted) writeLine(host.stdout, JSON.stringify(summary(row)));
  else writeTable(host.stdout, COLUMNS, wanted.map(cellsOf));
  return ok ? EXIT.passed : EXIT.usage;
}

interface Row {
  readonly path: string;
  readonly scenario: Scenario;
}

function summary({ path, scenario }: Row) {
  const { name, description, tags, clock, seed, fleet, stages, expect, sweep } = scenario;
  return {
    path,
    name,
    description,
    tags,
    clock,
    seed,
    things: fleet.reduce((sum, group) => sum + group.count, 0),
    stages: stages.map((stage) => stage.name),
    expectations: expect.length,
    sweepSeeds: sweep?.seeds.length ?? 0,
  };
}

const COLUMNS = ["scenario", "clock", "things", "expects", "tags", "file"] as const;

function cellsOf(row: Row): readonly string[] {
  const { name, clock, things, expectations, tags, path } = summary(row);
  return [name, clock, `${things}`, `${expectations}`, tags.join(","), path];
}
