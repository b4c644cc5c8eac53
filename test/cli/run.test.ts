import { type AddressInfo, createServer } from "node:net";
import { parseSuiteRecord } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { command, scenario } from "./command.js";

const FILES = { "s/a.yaml": scenario("a"), "s/b.yaml": scenario("b", "expect: [connections.online == 11]") };
const recordOf = (text: string | undefined) => parseSuiteRecord(text ?? "", "report.json");

describe("fleetrig run", () => {
  it("shows each run and one line for all, and ends with the code of the worst", async () => {
    const { code, stdout, stderr } = await command("run s", FILES);
    expect(code).toBe(1);
    expect(stdout).toContain("✓ a seed 1");
    expect(stdout).toContain("✗ b seed 1");
    expect(stdout).toContain("replay: fleetrig run s/b.yaml --seed 1 --clock virtual");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("✗ failed  2 runs: 1 failed, 1 passed");
    expect(stderr).toContain("  a seed 1: passed after 2m 10s of virtual time in ");
  });

  it("shows only the result with --quiet", async () => {
    const { stdout, stderr } = await command("run s/a.yaml --quiet", FILES);
    expect(stdout).toContain("✓ passed");
    expect(stderr).toBe("");
  });

  it("takes the seed of --seed instead of the scenario's", async () => {
    const { files } = await command("run s/a.yaml --seed 7 --report json=a.json", FILES);
    expect(recordOf(files.get("a.json")).runs[0]).toMatchObject({ seed: 7, clock: "virtual" });
  });

  it("takes the time of --clock instead of the scenario's", async () => {
    const quick = { "q.yaml": scenario("q").replace("duration: 10s", "duration: 1s").replace("2m", "1s") };
    const { code, files, stderr } = await command("run q.yaml --clock real --report json=q.json", quick);
    expect(code).toBe(0);
    expect(recordOf(files.get("q.json")).runs[0]).toMatchObject({ clock: "real", fingerprint: null });
    expect(stderr).toMatch(/broker listens on mqtt:\/\/127\.0\.0\.1:\d+/);
  });

  it("runs only what has all tags", async () => {
    const { stdout } = await command("run s --tag smoke --tag a", FILES);
    expect(stdout).toContain("passed  1 run:");
    expect(await command("run s --tag nightly", FILES)).toMatchObject({ code: 2, stdout: "" });
  });

  it("gives the same report twice, apart from its environment", async () => {
    const both = await Promise.all([1, 2].map(() => command("run s/a.yaml --report json=a.json", FILES)));
    const [first, second] = both.map(({ files }) => recordOf(files.get("a.json")).runs[0]);
    expect({ ...first, environment: null }).toEqual({ ...second, environment: null });
    expect(first?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ["json=o/r.json", "o/r.json", '"schemaVersion": 1'],
    ["junit=j.xml", "j.xml", "<testsuites"],
    ["markdown=m.md", "m.md", "passed"],
    ["console=c.txt", "c.txt", "✓ passed"],
    ["github=g.txt", "g.txt", ""],
  ])("writes --report %s", async (report, path, text) => {
    const { code, files } = await command(`run s/a.yaml --report ${report}`, FILES);
    expect(code).toBe(0);
    expect(files.get(path)).toContain(text);
  });

  it("writes a folder of reports with --report-dir, beside single ones", async () => {
    const { files } = await command("run s/a.yaml --report-dir out/ --report junit=ci.xml", FILES);
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(["out/report.json", "out/junit.xml", "out/summary.md", "ci.xml"]),
    );
  });

  it("writes the other reports when one cannot be written, and ends with 3", async () => {
    const { code, files, stderr } = await command(
      "run s/a.yaml --report json=a.json --report junit=j.xml",
      FILES,
      {
        readOnly: ["a.json"],
      },
    );
    expect(code).toBe(3);
    expect(stderr).toContain("CLI_FILE_UNWRITABLE");
    expect(files.get("j.xml")).toContain("<testsuites");
  });

  it.each<[string, string]>([
    ["run", "missing required argument 'files'"],
    ["run nowhere", "There is no file nowhere."],
    ["run s --seed -1", "It must be a whole number."],
    ["run s --seed 1.5", "It must be a whole number."],
    ["run s --clock fast", "Allowed choices are virtual, real."],
    ["run s --jobs 0", "It must be from 1 to 64."],
    ["run s --jobs many", "It must be a whole number."],
    ["run s --seeds 9..1", "Give 1 to 10000 seeds."],
    ["run s --seeds 1..20000", "Give 1 to 10000 seeds."],
    ["run s --seeds 1,x", "It must be a whole number."],
    ["run s --seed 1 --seeds 1..2", "cannot be used with"],
    ["run s --variant contrl", 's/a.yaml has no variant "contrl". (RUN_VARIANT_UNKNOWN)'],
    ["run s --sweep --variant other", "RUN_VARIANT_UNKNOWN"],
    ["run s --report jsn=a.json", "CLI_REPORT_KIND"],
    ["run s --report json", "CLI_REPORT_PATH"],
    ["run s --report json=", "Write --report json=out/report.json."],
  ])("refuses %s before anything runs", async (line, text) => {
    const { code, stdout, stderr, files } = await command(line, FILES);
    expect(stderr).toContain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect([...files.keys()]).toEqual(Object.keys(FILES));
  });

  it.each([
    ["sensor=rv32", "s/a.yaml has no group sensor. (RUN_BOARDS_FLAG)\n  hint: Did you mean sensors?"],
    ["sensors=rv32,count=11", "the group sensors of s/a.yaml has 10 members."],
    ["sensors=rv32,count=two", 'is not understood: "count=two" is no count above 0'],
    ["sensors=arduino", 'is not understood: "arduino" chooses no board.'],
    ["sensors=mac:7c:df", 'is not understood: "mac:7c:df" chooses no board.'],
    ["sensors=mac:7c:df:a1:00:11:22,count=2", "is not understood: a MAC is that of one board."],
    ["rv32", "is not understood: no group stands before a =."],
  ])("refuses --boards %s before anything runs", async (flag, text) => {
    const { code, stdout, stderr } = await command(`run s/a.yaml --boards ${flag}`, FILES);
    expect(stderr).toContain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("runs nothing when one of the scenarios is wrong, and shows where", async () => {
    const { code, stdout, stderr } = await command("run s", {
      ...FILES,
      "s/c.yaml": scenario("c", "exepct: []"),
    });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("s/c.yaml:13:1 error: Unknown key");
    expect(stderr).toContain("Did you mean expect?");
  });

  it("reports a run that cannot begin beside the others, and ends with its exit code", async () => {
    const lost = scenario("lost").replace("builtin:temperature-sensor", "./nowhere.mjs");
    const { code, stdout, files } = await command("run s/a.yaml lost.yaml --report json=r.json", {
      ...FILES,
      "lost.yaml": lost,
    });
    expect(code).toBe(2);
    expect(stdout).toContain("✓ a seed 1");
    expect(stdout).toContain("[MODEL_FILE_FAILED]");
    const { verdict, runs } = recordOf(files.get("r.json"));
    expect(verdict).toBe("error");
    expect(runs.map((run) => run.verdict)).toEqual(["passed", "error"]);
    expect(runs[1]?.failure).toMatchObject({ code: "MODEL_FILE_FAILED", exitCode: 2 });
  });
});

describe("fleetrig run in real time", () => {
  it("ends with 3 when its port is taken, and reports the other runs", async () => {
    const server = createServer();
    await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
    const { port } = server.address() as AddressInfo;
    const taken = scenario("taken", `clock: real\nbroker: { mode: embedded, listen: "127.0.0.1:${port}" }`);
    const { code, stdout } = await command("run taken.yaml s/a.yaml", { ...FILES, "taken.yaml": taken });
    await new Promise((closed) => server.close(closed));
    expect(code).toBe(3);
    expect(stdout).toContain(`Cannot listen on 127.0.0.1:${port}`);
    expect(stdout).toContain("[LISTENER_UNAVAILABLE]");
    expect(stdout).toContain("✓ a seed 1");
  });
});

describe("fleetrig run on a terminal", () => {
  it("redraws one status line, and colours the result", async () => {
    const quick = { "q.yaml": scenario("q").replace("duration: 10s", "duration: 1s").replace("2m", "500ms") };
    const { stdout, stderr } = await command("run q.yaml --clock real", quick, { isTTY: true, columns: 100 });
    expect(stderr).toContain("\r\u001b[2K");
    expect(stderr).toContain("q seed 1 · steady · ");
    expect(stdout).toContain("\u001b[32m");
  });

  it("does without colour where NO_COLOR says so", async () => {
    const { stdout } = await command("run s/a.yaml", FILES, { isTTY: true, env: { NO_COLOR: "1" } });
    expect(stdout).not.toContain("\u001b");
  });
});

describe("fleetrig run in a GitHub workflow", () => {
  it("appends the summary and annotates the lines of the scenario", async () => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "/tmp/summary.md" };
    const { stdout, files } = await command(
      "run s/b.yaml",
      { ...FILES, "/tmp/summary.md": "# Before\n" },
      { env },
    );
    expect(files.get("/tmp/summary.md")).toMatch(/^# Before\n[^]*connections\.online/);
    expect(stdout).toMatch(/^::error file=s\/b\.yaml,line=13/m);
  });

  it("annotates nothing elsewhere", async () => {
    const { stdout } = await command("run s/b.yaml", FILES, { env: { GITHUB_ACTIONS: "false" } });
    expect(stdout).not.toContain("::error");
  });

  it("ends with 3 when the summary cannot be written, and annotates all the same", async () => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "/tmp/summary.md" };
    const readOnly = ["/tmp/summary.md"];
    const { code, stdout, stderr } = await command("run s/b.yaml", FILES, { env, readOnly });
    expect(code).toBe(3);
    expect(stdout).toContain("::error file=s/b.yaml");
    expect(stderr).toContain("CLI_FILE_UNWRITABLE");
  });
});

describe("fleetrig run with a sweep", () => {
  const sweep = scenario(
    "swept",
    "expect: [connections.online == 10]\nsweep:\n  seeds: 1..4\n  expect: [connections.online min == 10]\n  control:\n    override: { fleet.sensors.count: 20 }\n    expect: [connections.online min == 20]",
  );
  const files = { "w.yaml": sweep };

  it("runs every seed of every variant with --sweep", async () => {
    const {
      code,
      stdout,
      stderr,
      files: after,
    } = await command("run w.yaml --sweep --report json=r.json", files);
    expect(stderr).toContain("8 of 8 runs done");
    expect(stdout).toContain("swept over 4 seeds");
    const { runs, sweeps } = recordOf(after.get("r.json"));
    expect(runs).toEqual([]);
    expect(sweeps.map(({ variant, seeds }) => [variant, seeds])).toEqual([
      ["main", [1, 2, 3, 4]],
      ["control", [1, 2, 3, 4]],
    ]);
    expect(code).toBe(0);
  });

  it("takes the seeds of --seeds, each once", async () => {
    const { files: after } = await command("run w.yaml --seeds 5,3,5 --report json=r.json", files);
    expect(recordOf(after.get("r.json")).sweeps.map(({ seeds }) => seeds)).toEqual([
      [3, 5],
      [3, 5],
    ]);
  });

  it("runs one variant with --variant, once or over its seeds", async () => {
    const once = await command("run w.yaml --variant control --report json=r.json", files);
    expect(recordOf(once.files.get("r.json")).runs[0]).toMatchObject({ variant: "control", devices: 20 });
    const many = await command("run w.yaml --sweep --variant control --report json=r.json", files);
    expect(recordOf(many.files.get("r.json")).sweeps.map(({ variant }) => variant)).toEqual(["control"]);
  });

  it("fails by its seeds when it expects nothing over all of them", async () => {
    const { code, stdout } = await command("run s/b.yaml --seeds 1..3", FILES);
    expect(code).toBe(1);
    expect(stdout).toContain("failed seeds: 1, 2, 3");
    expect(stdout).toContain("fleetrig run s/b.yaml --seed 1 --clock virtual");
  });

  it("says why a seed could not run", async () => {
    const broken = { "w.yaml": sweep.replace("builtin:temperature-sensor", "./nowhere.mjs") };
    const {
      code,
      stdout,
      files: after,
    } = await command("run w.yaml --seeds 1..2 --variant main --report json=r.json", broken);
    expect(code).toBe(2);
    expect(stdout).toContain("[MODEL_FILE_FAILED]");
    const [record] = recordOf(after.get("r.json")).sweeps;
    expect(record).toMatchObject({
      verdict: "error",
      failedSeeds: [{ failure: { code: "MODEL_FILE_FAILED" } }, {}],
    });
  });
});
