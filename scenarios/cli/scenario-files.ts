import { nearestName } from "fleetrig/kernel";
import { posix } from "node:path";
import type { Host } from "./host.js";

/** Which files a command means. A problem is a sentence, with a hint where there is one. */
export interface ResolvedFiles {
  readonly files: readonly string[];
  readonly problems: readonly { readonly message: string; readonly hint: string }[];
}

/** Scenarios that prove that the harness fails; they run only when they are named. */
const MUST_FAIL = "must-fail";

/**
 * Expands files, folders and globs, each once and in a stable order. A folder stands for the scenarios directly in
 * it; `*` and `?` match within one part of a path, `**` any number of folders except `must-fail`.
 */
export function resolveScenarioFiles(host: Host, patterns: readonly string[]): ResolvedFiles {
  const files: string[] = [];
  const problems: { message: string; hint: string }[] = [];
  for (const pattern of patterns) {
    const found = expand(host, pattern.replaceAll("\\", "/"));
    if (found.length === 0) problems.push(describeMissing(host, pattern));
    files.push(...found);
  }
  return { files: [...new Set(files)], problems };
}

const isScenario = (name: string): boolean => /\.ya?ml$/.test(name);
const isGlob = (pattern: string): boolean => /[*?]/.test(pattern);

function expand(host: Host, pattern: string): readonly string[] {
  const kind = host.files.kind(pattern);
  if (kind === "file") return [posix.normalize(pattern)];
  if (kind === "folder") return scenariosIn(host, pattern);
  if (!isGlob(pattern)) return [];
  return expandGlob(
    host,
    pattern.startsWith("/") ? "/" : ".",
    posix.normalize(pattern).split("/").filter(Boolean),
  );
}

const scenariosIn = (host: Host, folder: string): readonly string[] =>
  host.files
    .list(folder)
    .filter(isScenario)
    .sort()
    .map((name) => posix.join(folder, name));

function expandGlob(host: Host, folder: string, parts: readonly string[]): readonly string[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [];
  if (part === "**") {
    const below = foldersIn(host, folder).filter((name) => name !== MUST_FAIL && !name.startsWith("."));
    const deeper = below.flatMap((name) => expandGlob(host, posix.join(folder, name), parts));
    return [...expandGlob(host, folder, rest), ...deeper];
  }
  if (rest.length > 0) {
    const folders = isGlob(part) ? foldersIn(host, folder).filter((name) => matches(part, name)) : [part];
    return folders.flatMap((name) => expandGlob(host, posix.join(folder, name), rest));
  }
  return host.files
    .list(folder)
    .filter((name) => isScenario(name) && matches(part, name))
    .sort()
    .map((name) => posix.join(folder, name));
}

const foldersIn = (host: Host, folder: string): readonly string[] =>
  host.files
    .list(folder)
    .filter((name) => name.endsWith("/"))
    .map((name) => name.slice(0, -1))
    .sort();

/** `*` and `?` within one part of a path. Only the last star is tried again, so there is no blow-up. */
function matches(pattern: string, name: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let n = 0; n < name.length; ) {
    if (pattern[p] === "*") {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

function describeMissing(host: Host, pattern: string): { message: string; hint: string } {
  if (host.files.kind(pattern) === "folder")
    return { message: `The folder ${pattern} has no scenarios.`, hint: "Scenarios end with .yaml or .yml." };
  if (isGlob(pattern))
    return {
      message: `Nothing matches ${pattern}.`,
      hint: "Quote the pattern so that the shell leaves it alone.",
    };
  const folder = posix.dirname(pattern);
  const near = nearestName(
    posix.basename(pattern),
    host.files.list(folder).map((name) => name.replace(/\/$/, "")),
  );
  return {
    message: `There is no file ${pattern}.`,
    hint: near === undefined ? "Check the name and the folder." : `Did you mean ${posix.join(folder, near)}?`,
  };
}
