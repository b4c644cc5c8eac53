import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFirmware } from "fleetrig/hil";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../hil/virtual/rig.js";
import { FIRMWARE_BUILDS, lacksCompiler, lacksEmulator } from "../rigs.js";
import { BoardRig, control, jsonLines, Meddler } from "./board-rig.js";

const rig = new BoardRig();
const file = (name: string): string => join(rig.folder, name);
type Started = Awaited<ReturnType<BoardRig["start"]>>;

afterAll(async () => {
  expect(await rig.stop()).not.toContain(3);
});

describe.skipIf(lacksEmulator)("fleetrig board with a virtual rv32 board", () => {
  let board: Started;
  beforeAll(async () => {
    board = await rig.start("--kind rv32 --tag sensors");
  });

  it("lists it without asking it, and knows its firmware once it was asked", async () => {
    const before = jsonLines(await rig.output("list --json")).find(({ mac }) => mac === board.mac);
    expect(before).toMatchObject({
      chip: "rv32-virt",
      virtual: "rv32",
      port: board.port,
      version: null,
      state: "free",
    });
    await rig.output(`reset ${board.mac}`);
    const after = jsonLines(await rig.output("list --json")).find(({ mac }) => mac === board.mac);
    expect(after).toMatchObject({ firmware: "fleetrig-reference", version: "1.0.0", tags: ["sensors"] });
  });

  it("shows a panic with its places and goes on when the board comes back, also from the recording", async () => {
    const meddler = new Meddler();
    const path = file("crash.frport");
    const monitor = rig.begin(`monitor sensors --json --reset --record ${path}`, meddler);
    const events = () => jsonLines(monitor.written.stdout);
    const has = (event: string): boolean => events().some((one) => one.event === event);
    await until(() => has("hello"));
    await meddler.command("crash", { kind: "load-fault" });
    await until(() => has("panic") && events().filter(({ event }) => event === "hello").length > 1);
    const taken = await rig.run(`reset ${board.mac}`);
    expect(taken.code).toBe(3);
    expect(taken.stderr).toMatch(/BOARD_LEASED.*\n.*fleetrig board monitor has it/);
    await control(board.control, { op: "plug", in: false });
    await until(() => has("detached"));
    await control(board.control, { op: "plug", in: true });
    await until(() => events().filter(({ event }) => event === "attached").length === 2);
    monitor.interrupt();
    expect(await monitor.code).toBe(0);
    const panic = events().find(({ event }) => event === "panic");
    expect(panic).toMatchObject({ kind: "load-access-fault", end: "rebooting" });
    expect(panic?.["frames"]).toContainEqual(expect.stringMatching(/^\w+ \(\w+\.c:\d+\)$/));
    expect(events().find(({ level }) => level === "info")).toMatchObject({ event: "line", tag: "boot" });

    const replayed = await rig.run(`replay ${path} --json`);
    const again = jsonLines(replayed.stdout).find(({ event }) => event === "panic");
    expect(again).toMatchObject({ kind: "load-access-fault", cause: panic?.["cause"] });
    const raw = await rig.run(`replay ${path} --raw`);
    expect(raw.stdout).toContain("Guru Meditation Error");
  }, 30_000);

  it("enters its loader and leaves it, proven both times", async () => {
    const down = await rig.output(`download ${board.mac} --json`);
    expect(jsonLines(down)[0]).toMatchObject({ event: "download", mac: board.mac, method: "restart" });
    const up = await rig.output(`reset ${board.mac}`);
    expect(up).toMatch(/ restarted: proven in .* by restart\n {2}fleetrig-reference 1\.0\.0 on rv32-virt/);
  });

  it("flashes it through its ROM, and it says the new version", async () => {
    const { image } = await buildFirmware({ target: "rv32", outDir: FIRMWARE_BUILDS, version: "1.1.0" });
    const { code, stdout } = await rig.run(`flash ${board.mac} ${image}`);
    expect(code).toBe(0);
    expect(stdout).toContain("it says: fleetrig-reference 1.1.0");
  }, 30_000);
});

describe.skipIf(lacksCompiler)("fleetrig board with a virtual native board", () => {
  let board: Started;
  beforeAll(async () => {
    board = await rig.start("--kind native");
  });

  it("passes the self test, and the report says what was found", async () => {
    const path = file("report.json");
    const { code, stdout } = await rig.run(`selftest ${board.mac} --load 300ms --report ${path}`);
    expect(stdout.match(/^(?:ok|FAILED|-) /gm)).toHaveLength(10);
    expect(stdout).toMatch(/passed in .*, on a virtual board \(native\)/);
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(path, "utf8")) as { steps: Record<string, unknown>[] };
    expect(report).toMatchObject({
      schema: 1,
      passed: true,
      virtual: "native",
      note: expect.stringContaining("silicon"),
    });
    expect(report.steps.find(({ step }) => step === "resets")).toMatchObject({
      verdict: "passed",
      figures: { resets: 10, methods: ["restart"] },
    });
    expect(report.steps.find(({ step }) => step === "link under load")).toMatchObject({
      figures: { lost: 0, wrong: 0 },
    });
  }, 30_000);

  it("is examined by the doctor", async () => {
    const { code, stdout } = await rig.run(`doctor ${board.mac}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}hello .*fleetrig-reference 1\.0\.0 on posix/m);
    expect(stdout).toMatch(/^ok {4}reset .*proven in .* by restart/m);
  });

  it("is used from elsewhere while it is exported", async () => {
    const exported = rig.begin(`export ${board.mac} --listen 127.0.0.1:0 --protocol tcp --json`);
    await until(() => exported.written.stdout !== "");
    const { address } = jsonLines(exported.written.stdout)[0]!;
    const { stdout } = await rig.run(`doctor ${String(address)} --json`);
    const checks = jsonLines(stdout).filter(({ check }) =>
      ["open", "hello", "reset"].includes(String(check)),
    );
    expect(checks).toMatchObject([
      { ok: true },
      { ok: true, text: expect.stringContaining("on posix") },
      { ok: false },
    ]);
    exported.interrupt();
    expect(await exported.code).toBe(0);
  }, 30_000);

  it("is flashed by a command of the user's", async () => {
    const { code, stderr } = await rig.run(`flash ${board.mac} --command echo\tflashing\t{port}\t{mac}`);
    expect(code).toBe(0);
    expect(stderr).toContain(`flashing ${board.port} ${board.mac}`);
  });
});

describe("fleetrig board with a virtual MicroPython board", () => {
  let board: Started;
  beforeAll(async () => {
    board = await rig.start("--kind micropython");
    writeFileSync(file("good.py"), "print('sum', 6 * 7)\n");
    writeFileSync(file("bad.py"), "def measure():\n    return 1 / 0\n\nmeasure()\n");
  });

  it("runs a script and shows what it prints", async () => {
    const { code, stdout } = await rig.run(
      `deploy ${board.mac} lib/good.py=${file("good.py")} --run ${file("good.py")}`,
    );
    expect([code, stdout]).toEqual([0, "sum 42\n"]);
  });

  it.each([
    ["a script that is run", "lib/bad.py=BAD --run BAD", /failed at .*bad\.py:2: ZeroDivisionError/],
    ["main.py", "main.py=BAD", /failed at main\.py:2: ZeroDivisionError/],
  ])("ends with 1 and file and line when %s fails", async (_what, args, text) => {
    const { code, stderr } = await rig.run(`deploy ${board.mac} ${args.replaceAll("BAD", file("bad.py"))}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(text);
  });

  it("says with --json what was written, though main.py fails", async () => {
    const { code, stdout } = await rig.run(`deploy ${board.mac} main.py=${file("bad.py")} --json`);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      event: "deployed",
      error: expect.stringContaining("main.py:2"),
    });
  });
});

describe("fleetrig board with a virtual ROM", () => {
  let board: Started;
  beforeAll(async () => {
    board = await rig.start("--kind rom --chip esp32s3");
    writeFileSync(file("data.bin"), Buffer.alloc(30_000, "fleetrig"));
  });

  it("writes what is not there, verifies it, and knows it the next time", async () => {
    const write = `flash ${board.mac} 0x10000=${file("data.bin")} --json`;
    const first = jsonLines(await rig.output(write))[0];
    expect(first).toMatchObject({
      event: "flashed",
      wasCurrent: false,
      board: { chip: "esp32s3", mac: board.mac },
    });
    expect(jsonLines(await rig.output(write))[0]).toMatchObject({ wasCurrent: true, writtenBytes: 0 });
  });

  it("erases only when that is confirmed", async () => {
    const careful = await rig.run(`erase ${board.mac}`);
    expect([careful.code, careful.stderr.includes("--yes")]).toEqual([2, true]);
    const { code, stdout } = await rig.run(`erase ${board.mac} --yes --region 0x10000+0x1000`);
    expect([code, stdout]).toEqual([0, `02:f1:ee:04:00:01 erased: 4096 bytes from 0x10000\n`]);
    expect(await rig.output(`erase ${board.mac} --yes`)).toContain("erased: all of its flash");
  });

  it.each([
    ["DATA", "FLASH_IMAGE_PLACE"],
    ["", "FLASH_IMAGE_PLACE"],
    ["0x0=nowhere.bin", "CLI_FILE_UNREADABLE"],
    ["0x10000=DATA --mac 7c:df:a1:00:11:22", "FLASH_WRONG_BOARD"],
  ])("refuses to flash %s", async (images, problem) => {
    const { code, stderr } = await rig.run(`flash ${board.mac} ${images.replace("DATA", file("data.bin"))}`);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });

  it("fails the self test, since nobody says hello", async () => {
    const { code, stdout } = await rig.run(`selftest ${board.mac} --json`);
    expect(code).toBe(1);
    const verdicts = Object.fromEntries(jsonLines(stdout).map(({ step, verdict }) => [step, verdict]));
    expect(verdicts).toMatchObject({ hello: "failed", resets: "passed", storage: "skipped" });
  });
});
