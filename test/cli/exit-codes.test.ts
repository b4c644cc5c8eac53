import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSuiteRecord } from "fleetrig/reports";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scenario } from "./command.js";
import { build, type Ending, start } from "./process.js";

const FIXTURES = "test/cli/fixtures";
const MUST_FAIL = "scenarios/library/must-fail";
/** Without the signal it would be ten minutes; how fast exactly depends on the machine. */
const SECONDS_TO_END = 20;

let folder = "";
beforeAll(() => {
  build();
  folder = mkdtempSync(join(tmpdir(), "fleetrig-cli-"));
  writeFileSync(join(folder, "passes.yaml"), scenario("passes"));
  writeFileSync(join(folder, "broken.yaml"), "version: 1\nname: [\n");
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Ending> => start(["run", ...args]).ended;
const inFolder = (...args: string[]): Promise<Ending> => start(args, { cwd: folder }).ended;

describe("the command as a process ends with", () => {
  it("0 when every expectation passed, with the result on stdout and progress on stderr", async () => {
    const options = { cwd: folder, env: { CI: "true" } };
    const { code, stdout, stderr } = await start(["run", "passes.yaml", "--quiet"], options).ended;
    expect(code).toBe(0);
    expect(stdout).toContain("✓ passed  1 run: 1 passed");
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toBe("");
  });

  it.each(["lost-messages", "no-data", "reconnect-in-step"])("1 for must-fail/%s", async (name) => {
    const { code, stdout } = await run(`${MUST_FAIL}/${name}.yaml`);
    expect(code).toBe(1);
    expect(stdout).toContain(`replay: fleetrig run ${MUST_FAIL}/${name}.yaml --seed 42 --clock virtual`);
  });

  it.each<[string, string[], string]>([
    ["broken YAML", ["run", "broken.yaml"], "SCENARIO_SYNTAX"],
    ["a file that is not there", ["run", "pases.yaml"], "Did you mean passes.yaml?"],
    ["an option that is not there", ["run", "passes.yaml", "--sede", "1"], "Did you mean --seed?"],
    [
      "a report kind that is not there",
      ["run", "passes.yaml", "--report", "jnuit=a.xml"],
      'Did you mean "junit"?',
    ],
    ["a command that is not there", ["rum"], "Did you mean run?"],
    ["no command", [], "Usage: fleetrig"],
  ])("2 for %s", async (_, args, text) => {
    const { code, stdout, stderr } = await inFolder(...args);
    expect(stderr).toContain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("3 when nobody listens at the external broker, and says so in the report", async () => {
    const port = await closedPort();
    const text = readFileSync(`${FIXTURES}/closed-port.yaml`, "utf8").replace(":9", `:${port}`);
    writeFileSync(join(folder, "closed.yaml"), text);
    const { code, stdout } = await inFolder("run", "closed.yaml", "--report", "json=closed.json");
    expect(code).toBe(3);
    expect(stdout).toContain(`The broker at mqtt://127.0.0.1:${port} did not let the observer in`);
    const { runs } = recordOf("closed.json");
    expect(runs[0]).toMatchObject({
      verdict: "error",
      failure: { code: "RUN_BROKER_UNREACHABLE", exitCode: 3 },
    });
  });

  it("3 when a report cannot be written, after showing the result", async () => {
    const { code, stdout, stderr } = await inFolder(
      "run",
      "passes.yaml",
      "--report",
      "json=passes.yaml/a.json",
    );
    expect(code).toBe(3);
    expect(stdout).toContain("✓ passed");
    expect(stderr).toContain("The file passes.yaml/a.json cannot be written. (CLI_FILE_UNWRITABLE)");
  });

  it("4 when a model blocks the thread and latencies mean nothing", async () => {
    const { code, stdout } = await run(`${FIXTURES}/overloaded.yaml`);
    expect(stdout).toContain("The generator was late");
    expect(code).toBe(4);
  });
});

describe("an interrupted process", () => {
  it.each([
    ["SIGINT", 130, 1],
    ["SIGTERM", 143, 1],
    ["SIGINT", 130, 2],
  ] as const)(
    "ends soon after %s with %i and partial reports, with --jobs %i",
    async (signal, code, jobs) => {
      const out = join(folder, `${signal}-${jobs}`);
      const files = [`${FIXTURES}/long.yaml`, ...(jobs === 1 ? [] : [join(folder, "passes.yaml")])];
      const command = start(["run", ...files, "--jobs", String(jobs), "--report-dir", out]);
      await command.says("of 5 online");
      const sentAt = performance.now();
      command.child.kill(signal);
      const ending = await command.ended;
      expect(ending).toMatchObject({ code, signal: null });
      expect(performance.now() - sentAt).toBeLessThan(SECONDS_TO_END * 1000);
      const { verdict, runs } = recordOf(join(out, "report.json"));
      expect(verdict).toBe("interrupted");
      const long = runs.find((record) => record.scenario.name === "long");
      expect(long).toMatchObject({ verdict: "interrupted", stages: [{ name: "steady" }] });
      expect(readFileSync(join(out, "junit.xml"), "utf8")).toContain("interrupted");
      expect(readFileSync(join(out, "summary.md"), "utf8")).toContain("interrupted");
    },
  );

  it("ends at once at the second signal, whatever it is doing", async () => {
    const pipe = join(folder, "nobody-reads");
    execFileSync("mkfifo", [pipe]);
    const command = start(["run", `${FIXTURES}/long.yaml`, "--report", `json=${pipe}`]);
    await command.says("of 5 online");
    command.child.kill("SIGINT");
    await command.says("long seed 1: interrupted");
    command.child.kill("SIGINT");
    expect(await command.ended).toMatchObject({ code: null, signal: "SIGINT" });
  });
});

function recordOf(path: string) {
  const at = existsSync(path) ? path : join(folder, path);
  return parseSuiteRecord(readFileSync(at, "utf8"), path);
}

/** A loopback port that was free a moment ago. */
function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
