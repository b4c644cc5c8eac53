import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix, relative } from "node:path";

/** What each project folder may import; everything else is a violation of the third law. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "broker/kernel": [],
  "broker/protocol": ["kernel"],
  broker: ["kernel", "protocol"],
  sim: ["kernel", "protocol"],
  hil: ["kernel", "protocol", "sim"],
  reports: ["kernel"],
  scenarios: ["kernel", "protocol", "broker", "sim", "hil", "reports"],
};

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly reason: string;
}

const IMPORT = /(?:\bfrom\s+|\bimport\s+|\bimport\()["']([^"']+)["']/g;

/** The most specific project folder a file belongs to. */
const projectOf = (file: string): string | undefined =>
  Object.keys(ALLOWED)
    .filter((folder) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];

/** Checks one source text. `file` is its path from the root of the repository, with forward slashes. */
export function importViolations(file: string, source: string): Violation[] {
  const project = projectOf(file);
  if (project === undefined) return [];
  const violations: Violation[] = [];
  source.split("\n").forEach((text, index) => {
    for (const [, specifier] of text.matchAll(IMPORT)) {
      const reason = reasonAgainst(project, file, specifier!);
      if (reason !== undefined) violations.push({ file, line: index + 1, specifier: specifier!, reason });
    }
  });
  return violations;
}

function reasonAgainst(project: string, file: string, specifier: string): string | undefined {
  if (specifier.startsWith("fleetrig/")) {
    const target = specifier.slice("fleetrig/".length).replace(/\.json$/, "");
    if (target === "package" || ALLOWED[project]!.includes(target)) return undefined;
    return `${project} may import ${ALLOWED[project]!.join(", ") || "nothing of ours"}`;
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(file), specifier));
  return projectOf(target) === project
    ? undefined
    : "a relative import leaves its project; use the package's name";
}

/** Checks every source file below `root`. */
export function checkImports(root: string): Violation[] {
  return ["broker", "sim", "hil", "reports", "scenarios"].flatMap((folder) =>
    sourceFiles(join(root, folder)).flatMap((path) =>
      importViolations(relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8")),
    ),
  );
}

/** Every .ts file below a folder, in a stable order. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return sourceFiles(path);
      return path.endsWith(".ts") ? [path] : [];
    });
}
