import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { describe, expect, it } from "vitest";
import { sourceFiles } from "./import-rules.js";

interface Rule {
  readonly name: string;
  /** Pieces are joined so that this file does not break its own rules. */
  readonly pattern: RegExp;
  readonly reason: string;
}

const RULES: readonly Rule[] = [
  { name: "undecided marks", pattern: /\b(?:TODO|FIXME|XXX)\b/, reason: "decide, or open an issue" },
  { name: "silenced compiler", pattern: /@ts-(?:ignore|nocheck|expect-error)/, reason: "mend the type" },
  { name: "escape from types", pattern: /\bas any\b/, reason: "name the type" },
  { name: "plain errors", pattern: /new Error\(/, reason: "FleetrigError carries code and hint" },
  { name: "console output", pattern: /\bconsole\.\w+\(/, reason: "write through the host or a sink" },
];

const SKIPPED_TESTS = /\b(?:it|test|describe)\.(?:only|skip|todo)\b/;
const VAGUE_NAMES = /(?:^|\/)(?:utils?|helpers?|common|misc|manager)(?:\.|\/|-)/;

const folders = ["broker", "sim", "hil", "reports", "scenarios"];
const sources = folders.flatMap((folder) => sourceFiles(folder)).map((path) => relative(process.cwd(), path));

describe("tidiness", () => {
  it.each(RULES)("has no $name: $reason", ({ pattern }) => {
    const hits = sources.flatMap((path) =>
      readFileSync(path, "utf8")
        .split("\n")
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
    );
    expect(hits).toEqual([]);
  });

  it("keeps every source file within 450 lines", () => {
    const long = sources.filter((path) => readFileSync(path, "utf8").split("\n").length > 450);
    expect(long).toEqual([]);
  });

  it("names files and folders by what they are", () => {
    expect(sources.filter((path) => VAGUE_NAMES.test(path))).toEqual([]);
  });

  it("runs every test it has", () => {
    const tests = sourceFiles("test").filter((path) => !path.endsWith("tidy.test.ts"));
    expect(tests.filter((path) => SKIPPED_TESTS.test(readFileSync(path, "utf8")))).toEqual([]);
  });
});
