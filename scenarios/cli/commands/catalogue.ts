import { EXIT } from "fleetrig/kernel";
import { METRICS } from "fleetrig/reports";
import { BUILTIN_MODELS } from "fleetrig/sim";
import { FAULTS } from "../../schema/faults.js";
import { type Host, writeLine } from "../host.js";
import { writeTable } from "../text-table.js";

/** A list of names that scenarios can use. Each row begins with the name and ends with what it means. */
interface Catalogue {
  readonly titles: readonly string[];
  readonly rows: () => readonly (readonly string[])[];
}

/** Fault names tell by their first part who carries them out. */
const carrierOf = (fault: string): string => (fault.startsWith("link.") ? "link" : "device model");

const CATALOGUES = {
  metrics: {
    titles: ["metric", "kind", "labels", "means"],
    rows: () =>
      METRICS.map(({ name, kind, labels, definition }) => [name, kind, labels.join(","), definition]),
  },
  faults: {
    titles: ["fault", "carried out by", "models", "means"],
    rows: () =>
      [...FAULTS].map(([name, description]) => [name, carrierOf(name), modelsWith(name), description]),
  },
  models: {
    titles: ["model", "signals", "means"],
    rows: () =>
      Object.values(BUILTIN_MODELS).map(({ name, signals, description }) => [
        `builtin:${name}`,
        Object.keys(signals).join(","),
        description,
      ]),
  },
} as const satisfies Readonly<Record<string, Catalogue>>;

export type CatalogueName = keyof typeof CATALOGUES;
export const CATALOGUE_NAMES = Object.keys(CATALOGUES) as readonly CatalogueName[];

/** Built-in models that understand a fault; any device has links. */
function modelsWith(fault: string): string {
  if (fault.startsWith("link.")) return "any";
  const models = Object.values(BUILTIN_MODELS).filter(({ faults }) => faults?.includes(fault) === true);
  return models.map(({ name }) => name).join(",");
}

/**
 * `fleetrig list --metrics`, `--faults`, `--models`: the names that expectations, inject and fleet groups know, as
 * a table or as one JSON object per line.
 * @returns 0
 */
export function catalogueCommand(host: Host, name: CatalogueName, options: { json?: boolean } = {}): number {
  const { titles, rows } = CATALOGUES[name];
  if (options.json !== true) writeTable(host.stdout, titles, rows());
  else
    for (const row of rows())
      writeLine(
        host.stdout,
        JSON.stringify(Object.fromEntries(titles.map((title, i) => [title, row[i] ?? ""]))),
      );
  return EXIT.passed;
}
