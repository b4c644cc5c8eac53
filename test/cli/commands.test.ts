import { METRICS } from "fleetrig/reports";
import { BUILTIN_MODELS } from "fleetrig/sim";
import { FAULTS, scenarioSchemaText } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";
import { command, scenario } from "./command.js";

const COMMANDS = ["run", "validate", "list", "report", "broker", "lint-policy", "init", "schema", "doctor"];

describe("help", () => {
  it("names every command and every exit code", async () => {
    const { code, stdout } = await command("--help");
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const exit of [0, 1, 2, 3, 4, 130, 143])
      expect(stdout).toMatch(new RegExp(`^  ${exit}\\s+\\w`, "m"));
  });

  it.each(COMMANDS)("of %s says what it does, on stdout and within the width", async (name) => {
    const { code, stdout, stderr } = await command(`${name} --help`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: fleetrig ${name} .*\\n\\n[A-Z].*\\.\\n`, "s"));
    const wide = stdout.split("\n").filter((line) => line.length > 80);
    expect(wide).toEqual([]);
    expect(await command(`help ${name}`)).toMatchObject({ code: 0, stdout });
  });

  it("tells the version", async () => {
    expect(await command("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([
    ["frobnicate", "unknown command 'frobnicate'"],
    ["--frobnicate", "unknown option '--frobnicate'"],
    ["schema extra", "too many arguments"],
    ["validate", "missing required argument 'files'"],
    ["report a b c", "too many arguments"],
  ])("is pointed to by %s", async (line, text) => {
    const { code, stderr } = await command(line);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr).toContain("Run with --help for the options.");
  });
});

describe("fleetrig list", () => {
  it.each<[string, readonly string[]]>([
    ["--metrics", METRICS.map(({ name }) => name)],
    ["--faults", [...FAULTS.keys()]],
    ["--models", Object.keys(BUILTIN_MODELS).map((name) => `builtin:${name}`)],
  ])("%s prints every name with its meaning", async (option, names) => {
    const table = await command(`list ${option}`);
    expect(table.code).toBe(0);
    const lines = table.stdout.trimEnd().split("\n").slice(1);
    expect(lines.map((line) => line.split(" ", 1)[0])).toEqual(names);
    const rows = (await command(`list ${option} --json`)).stdout.trimEnd().split("\n");
    const means = rows.map((row) => (JSON.parse(row) as { means: string }).means);
    expect(means).toHaveLength(names.length);
    expect(means.every((text) => text.length > 10)).toBe(true);
  });

  it.each(["--metrics --faults", "--metrics scenario.yaml"])("refuses %s", async (line) => {
    expect(await command(`list ${line}`)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("fleetrig report", () => {
  const files = { "a.yaml": scenario("a"), "b.yaml": scenario("b", "expect: [connections.online == 11]") };
  const recorded = async () =>
    (await command("run a.yaml b.yaml --quiet --report json=r.json", files)).files.get("r.json") ?? "";

  it("shows a record as the run did", async () => {
    const run = await command("run a.yaml b.yaml --report json=r.json", files);
    const again = await command("report r.json", { "r.json": run.files.get("r.json") ?? "" });
    expect(again).toMatchObject({ code: 0, stdout: run.stdout });
  });

  it("renders it again into files, and annotates nothing", async () => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "s.md" };
    const line = "report r.json --report junit=j.xml --report-dir o";
    const { code, stdout, files: after } = await command(line, { "r.json": await recorded() }, { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect([...after.keys()].sort()).toEqual([
      "j.xml",
      "o/junit.xml",
      "o/report.html",
      "o/report.json",
      "o/summary.md",
      "r.json",
    ]);
  });

  it("finds nothing between two runs of the same", async () => {
    const { code, stdout } = await command("report x.json y.json", {
      "x.json": await recorded(),
      "y.json": await recorded(),
    });
    expect(code).toBe(0);
    expect(stdout).toContain("Nothing comparable changed.");
  });

  it("ends with 1 when two runs differ", async () => {
    const text = await recorded();
    const other = text.replaceAll('"passed"', '"failed"');
    const { code, stdout } = await command("report x.json y.json", { "x.json": text, "y.json": other });
    expect(code).toBe(1);
    expect(stdout).toContain("verdict: passed → failed");
  });

  it.each([
    ["report nowhere.json", "CLI_FILE_UNREADABLE"],
    ["report a.yaml", "RECORD_INVALID"],
    ["report empty.json", "RECORD_INVALID"],
    ["report new.json", "RECORD_VERSION"],
    ["report empty.json --report txt=a", "RECORD_INVALID"],
  ])("refuses %s", async (line, text) => {
    const { code, stderr, stdout } = await command(line, {
      ...files,
      "empty.json": "{}",
      "new.json": '{ "schemaVersion": 99 }',
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
  });
});

describe("fleetrig doctor", () => {
  const limits =
    "Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 4096                 files\n";

  it("tells what is there and what to do about the rest", async () => {
    const { code, stdout } = await command(
      "doctor",
      {
        "/proc/self/limits": limits,
        "/bin/mosquitto_pub": "",
        "/dev/ttyUSB0": "",
      },
      { env: { PATH: "/nowhere:/bin" } },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {8}Node\.js/m);
    expect(stdout).toMatch(/^ok .*loopback sockets/m);
    expect(stdout).toMatch(/^ok .*\/bin\/mosquitto_pub/m);
    expect(stdout).toMatch(/^optional .*open files .*1024\n.*ulimit -n/m);
    expect(stdout).toMatch(/^optional .*Chromium/m);
  });

  it.each([
    [{ nodeVersion: "v18.20.0" }, "Node.js 20.19 or newer"],
    [{ readOnly: ["."] }, "cannot be written"],
  ])("ends with 3 when every run needs what is missing: %j", async (options, text) => {
    const { code, stdout } = await command("doctor", {}, options);
    expect(code).toBe(3);
    expect(stdout).toContain(text);
  });
});

describe("fleetrig init and schema", () => {
  it("write a scenario that runs and passes as it is", async () => {
    const { code, files } = await command("init mine.yaml");
    expect(code).toBe(0);
    expect(await command("run mine.yaml --quiet", Object.fromEntries(files))).toMatchObject({ code: 0 });
  });

  it("never overwrite, and take no other names", async () => {
    expect(await command("init", { "scenario.yaml": "" })).toMatchObject({ code: 2 });
    expect(await command("init scenario.txt")).toMatchObject({ code: 2 });
  });

  it("print the schema and nothing else", async () => {
    expect(await command("schema")).toMatchObject({ code: 0, stdout: scenarioSchemaText(), stderr: "" });
  });
});
