import { resolveScenarioFiles } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { memoryHost } from "./memory-host.js";

const { host } = memoryHost(
  Object.fromEntries(
    [
      "a.yaml",
      "lib/z.yaml",
      "lib/b.yml",
      "lib/notes.md",
      "lib/must-fail/no-data.yaml",
      "lib/deep/c.yaml",
      "lib/.hidden/h.yaml",
    ].map((path) => [path, ""]),
  ),
);

const files = (...patterns: string[]) => resolveScenarioFiles(host, patterns).files;

describe("files of a command", () => {
  it.each<[string, string[]]>([
    ["a.yaml", ["a.yaml"]],
    ["./a.yaml", ["a.yaml"]],
    ["lib", ["lib/b.yml", "lib/z.yaml"]],
    ["lib/", ["lib/b.yml", "lib/z.yaml"]],
    ["lib\\z.yaml", ["lib/z.yaml"]],
    ["lib/*.yaml", ["lib/z.yaml"]],
    ["lib/?.y*ml", ["lib/b.yml", "lib/z.yaml"]],
    ["*/z.yaml", ["lib/z.yaml"]],
    ["**/*.yaml", ["a.yaml", "lib/z.yaml", "lib/deep/c.yaml"]],
    ["lib/must-fail", ["lib/must-fail/no-data.yaml"]],
    ["lib/must-fail/*.yaml", ["lib/must-fail/no-data.yaml"]],
  ])("%s means %j", (pattern, expected) => {
    expect(files(pattern)).toEqual(expected);
  });

  it("are listed once, in the order they were named", () => {
    expect(files("lib/z.yaml", "lib", "a.yaml", "lib/z.yaml")).toEqual(["lib/z.yaml", "lib/b.yml", "a.yaml"]);
  });

  it.each([
    ["lib/zz.yaml", "Did you mean lib/z.yaml?"],
    ["b.yaml", "Did you mean a.yaml?"],
    ["nowhere/at-all.yaml", "Check the name and the folder."],
    ["lib/*.json", "Quote the pattern so that the shell leaves it alone."],
  ])("%s is a problem with the hint: %s", (pattern, hint) => {
    const { files: found, problems } = resolveScenarioFiles(host, [pattern]);
    expect(found).toEqual([]);
    expect(problems.map((problem) => problem.hint)).toEqual([hint]);
  });

  it("says when a folder has no scenarios", () => {
    const empty = memoryHost({ "docs/readme.md": "" });
    expect(resolveScenarioFiles(empty.host, ["docs"]).problems[0]?.message).toBe(
      "The folder docs has no scenarios.",
    );
  });

  it("matches patterns full of stars at once", () => {
    const long = memoryHost({ [`${"a".repeat(200)}.yaml`]: "" });
    expect(resolveScenarioFiles(long.host, [`${"*a".repeat(60)}b.yaml`]).files).toEqual([]);
  });
});
