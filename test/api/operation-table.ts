import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { OPERATIONS } from "fleetrig/broker";

/** The README's table of operations, made from the operations that are registered; run as a program, it writes it. */
const PAGE = "README.md";
const BEGIN = "<!-- operations: written by `npm run operations` -->\n";
const END = "<!-- end of operations -->";

export type ServiceName = keyof typeof OPERATIONS;

export interface ModelShape {
  readonly type: string;
  readonly members?: Readonly<
    Record<string, { readonly shape: string; readonly location?: string; readonly locationName?: string }>
  >;
  readonly required?: readonly string[];
  readonly payload?: string;
  readonly min?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly member?: string;
}

export interface Model {
  readonly operations: Readonly<
    Record<string, { readonly method: string; readonly path: string; readonly input?: string }>
  >;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

export const SERVICES = Object.keys(OPERATIONS) as readonly ServiceName[];

export const modelOf = (service: ServiceName): Model =>
  JSON.parse(readFileSync(`broker/api/model/${service}.json`, "utf8")) as Model;

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

function section(service: ServiceName): { readonly row: string; readonly details: string } {
  const all = Object.keys(modelOf(service).operations).sort();
  const table = OPERATIONS[service];
  const there = all.filter((name) => table[name] !== undefined);
  const partly = there.filter((name) => table[name]!.lacks !== undefined);
  const whole = there.filter((name) => table[name]!.lacks === undefined);
  const missing = all.filter((name) => table[name] === undefined);
  const reasons = partly.map((name) => `- \`${name}\`: ${table[name]!.lacks}`).join("\n");
  return {
    row: `| \`${service}\` | ${whole.length} | ${partly.length} | ${missing.length} |`,
    details: [
      `**\`${service}\`, supported**: ${list(whole)}`,
      ...(partly.length > 0 ? [`**Partly**:\n\n${reasons}`] : []),
      ...(missing.length > 0 ? [`**Not** (501): ${list(missing)}`] : []),
    ].join("\n\n"),
  };
}

function renderOperations(): string {
  const sections = SERVICES.map(section);
  return [
    "| API | supported | partly | not |",
    "|---|---|---|---|",
    ...sections.map(({ row }) => row),
    "",
    "<details><summary>All operations by name</summary>",
    "",
    sections.map(({ details }) => details).join("\n\n"),
    "",
    "</details>",
    "",
  ].join("\n");
}

/** The README with the table in its place. */
export function withOperations(readme: string): string {
  const begin = readme.indexOf(BEGIN) + BEGIN.length;
  return readme.slice(0, begin) + renderOperations() + readme.slice(readme.indexOf(END));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(PAGE, withOperations(readFileSync(PAGE, "utf8")));
