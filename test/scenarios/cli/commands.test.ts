import {
  initCommand,
  listCommand,
  loadScenario,
  scenarioSchemaText,
  schemaCommand,
  validateCommand,
} from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { memoryHost } from "./memory-host.js";

const scenario = (name: string, extra = "") => `version: 1
name: ${name}
tags: [smoke, ${name}]
fleet:
  - { group: a, model: "builtin:shadow-device", count: 5, thingName: "a-{index}" }
stages:
  - { name: steady, duration: 1m }
${extra}`;

describe("fleetrig validate", () => {
  it("accepts valid scenarios and ends with 0", () => {
    const { host, written } = memoryHost({ "s/a.yaml": scenario("a"), "s/b.yml": scenario("b") });
    expect(validateCommand(host, ["s"])).toBe(0);
    expect(written).toEqual({ stdout: "ok    s/a.yaml  a\nok    s/b.yml  b\n", stderr: "" });
  });

  it("shows the place, the line and a hint for what is wrong, and ends with 2", () => {
    const { host, written } = memoryHost({ "a.yaml": scenario("a", "seeed: 4\n") });
    expect(validateCommand(host, ["a.yaml"])).toBe(2);
    expect(written.stderr).toBe(
      [
        'a.yaml:8:1 error: Unknown key "seeed". (SCENARIO_UNKNOWN_KEY)',
        "  7 |   - { name: steady, duration: 1m }",
        "  8 | seeed: 4",
        "    | ^^^^^",
        "  hint: Did you mean seed?",
        "",
        "",
      ].join("\n"),
    );
    expect(written.stdout).toBe("error a.yaml\n1 scenario is not valid: 1 error.\n");
  });

  it("checks the others too when one is broken", () => {
    const { host, written } = memoryHost({ "a.yaml": "x: 1\n", "b.yaml": scenario("b"), "c.yaml": "- 1\n" });
    expect(validateCommand(host, ["*.yaml"])).toBe(2);
    expect(written.stdout).toMatch(
      /^error a.yaml\nok {4}b.yaml {2}b\nerror c.yaml\n2 scenarios are not valid: \d+ errors\.\n$/,
    );
  });

  it("accepts with warnings and shows them", () => {
    const { host, written } = memoryHost({ "a.yaml": scenario("a", "expect: [delivery.ratio <= 100%]\n") });
    expect(validateCommand(host, ["a.yaml"])).toBe(0);
    expect(written.stderr).toContain(
      "warning: delivery.ratio <= 100% can never fail. (SCENARIO_CERTAIN_EXPECTATION)",
    );
  });

  it("suggests a name for a file that is not there", () => {
    const { host, written } = memoryHost({ "s/smart-building.yaml": scenario("a") });
    expect(validateCommand(host, ["s/smart-bilding.yaml"])).toBe(2);
    expect(written.stderr).toContain("There is no file s/smart-bilding.yaml.");
    expect(written.stderr).toContain("Did you mean s/smart-building.yaml?");
  });

  it("needs a scenario", () => {
    const { host, written } = memoryHost();
    expect(validateCommand(host, [])).toBe(2);
    expect(written.stderr).toContain("hint:");
  });

  it("lets scenarios extend files anywhere below the current folder, and no others", () => {
    const files = { "base.yaml": scenario("base"), "s/a.yaml": "extends: ../base.yaml\nname: a\n" };
    const inside = memoryHost(files);
    expect(validateCommand(inside.host, ["s/a.yaml"])).toBe(0);
    const outside = memoryHost({ ...files, "a.yaml": "extends: ../base.yaml\nname: a\n" });
    expect(validateCommand(outside.host, ["a.yaml"])).toBe(2);
    expect(outside.written.stderr).toContain("SCENARIO_EXTENDS_OUTSIDE");
  });
});

describe("fleetrig list", () => {
  const files = { "s/a.yaml": scenario("a"), "s/b.yaml": scenario("b"), "s/must-fail/c.yaml": scenario("c") };

  it("prints a table of the scenarios in a folder, without those that must fail", () => {
    const { host, written } = memoryHost(files);
    expect(listCommand(host, ["s"])).toBe(0);
    expect(written.stdout.split("\n")).toEqual([
      "scenario  clock    things  expects  tags     file",
      "a         virtual  5       0        smoke,a  s/a.yaml",
      "b         virtual  5       0        smoke,b  s/b.yaml",
      "",
    ]);
  });

  it("keeps those with all of the tags", () => {
    const { host, written } = memoryHost(files);
    expect(listCommand(host, ["s"], { tags: ["smoke", "b"], json: true })).toBe(0);
    expect(
      written.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { name: string }).name),
    ).toEqual(["b"]);
  });

  it("prints nothing when nothing is left", () => {
    const { host, written } = memoryHost(files);
    expect(listCommand(host, ["s"], { tags: ["none"] })).toBe(0);
    expect(written.stdout).toBe("");
  });

  it("needs a folder", () => {
    expect(listCommand(memoryHost().host, [])).toBe(2);
  });
});

describe("fleetrig schema", () => {
  it("prints the JSON Schema", () => {
    const { host, written } = memoryHost();
    expect(schemaCommand(host)).toBe(0);
    expect(written.stdout).toBe(scenarioSchemaText());
  });
});

describe("fleetrig init", () => {
  it("writes a scenario that is valid and has no warnings", () => {
    const { host, files, written } = memoryHost();
    expect(initCommand(host, "lab/My first_test.yaml")).toBe(0);
    expect(written.stdout).toContain("fleetrig run");
    const result = loadScenario("lab/My first_test.yaml", { readFile: (path) => files.get(path) ?? "" });
    expect(result).toMatchObject({ ok: true, warnings: [], scenario: { name: "my-first-test" } });
  });

  it("never overwrites", () => {
    const { host, files, written } = memoryHost({ "scenario.yaml": "mine" });
    expect(initCommand(host)).toBe(2);
    expect(files.get("scenario.yaml")).toBe("mine");
    expect(written.stderr).toContain("exists already");
  });

  it("wants a name that ends like a scenario", () => {
    expect(initCommand(memoryHost().host, "scenario.txt")).toBe(2);
  });

  it("finds a name when the file has none", () => {
    const { host, files } = memoryHost();
    expect(initCommand(host, "---.yml")).toBe(0);
    expect(files.get("---.yml")).toContain("name: my-scenario\n");
  });
});
