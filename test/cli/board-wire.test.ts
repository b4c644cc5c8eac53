import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryPort, type PortOpenerOptions } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../scenarios/cli/program.js";
import { CH340, FakeSystem } from "../hil/enumerate/fake-system.js";
import { LoopbackBoard } from "../hil/fixtures/loopback-board.js";
import { until } from "../hil/virtual/rig.js";
import { memoryHost } from "../scenarios/cli/memory-host.js";
import { jsonLines } from "./board-rig.js";

const PATH = "/dev/ttyUSB0";
const MAC = "7cdfa1000077";

let state: string;
let time: RealTime;
let board: LoopbackBoard;
let typed: string;
/** Survives commands, as the file of seen boards does. */
let files: Record<string, string>;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "fr-wire-"));
  time = new RealTime();
  board = new LoopbackBoard({ clock: time.lane(0), mac: MAC });
  board.power(true);
  typed = "";
  files = {};
});

afterEach(() => {
  time.stop();
  rmSync(state, { recursive: true });
});

/** A port with modem lines and the board behind them. */
const openPorts = ({ clock }: PortOpenerOptions) => ({
  open: async (opening: ConstructorParameters<typeof MemoryPort>[0]["opening"]) => {
    const port = new MemoryPort({
      clock,
      opening,
      peer: {
        received: (bytes) => {
          typed += Buffer.from(bytes).toString("latin1");
          board.received(bytes, time.nowUs());
        },
        lines: (lines) => board.lines(lines),
        closed: () => board.unplugged(),
      },
    });
    board.plugged(port);
    return port;
  },
});

/** The command on a machine with a CH340 that has the board. */
function begin(line: string) {
  const argv = ["board", ...line.split(" ")];
  const machine = { files: new FakeSystem().plug(CH340("1-1.3", "ttyUSB0")), openPorts };
  const memory = memoryHost(files, { argv, env: { FLEETRIG_STATE_DIR: state }, machine });
  const code = main(memory.host).then((ended) => {
    files = Object.fromEntries(memory.files);
    return ended;
  });
  return { ...memory, code };
}

async function run(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = begin(line);
  return { code: await command.code, ...command.written };
}

describe("fleetrig board at a wire with modem lines", () => {
  it("asks a nameless board who it is, and finds it by its MAC from then on", async () => {
    expect((await run(`reset ${MAC}`)).stderr).toContain("BOARD_UNKNOWN");
    expect((await run("list --probe")).stdout).toMatch(/esp32c3 +7c:df:a1:00:00:77\? .* free$/m);
    const { code, stdout } = await run("reset 7C:DF:A1:00:00:77");
    expect([code, stdout.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/restarted: proven in .* by hard$/),
    ]);
  });

  it("does not claim a reset that nobody saw", async () => {
    board.power(false);
    const { code, stderr } = await run(`reset ${PATH}`);
    expect(code).toBe(3);
    expect(stderr).toContain("BOARD_RESET_UNPROVEN");
    expect(stderr).toMatch(/hard \(D0.*?\): silent after .*?, nothing was seen/);
  }, 30_000);

  it("shows the log with its levels, writes only what is typed, and ends with 0 when it is interrupted", async () => {
    const monitor = begin(`monitor ${PATH} --json --send`);
    const has = (event: string): boolean =>
      jsonLines(monitor.written.stdout).some((one) => one.event === event);
    await until(() => has("attached"));
    board.print("W (12) sensor: too \u001b[31mhot\u001b[0m\r\n");
    await until(() => has("line"));
    expect(typed).toBe("");
    monitor.type("help");
    await until(() => typed !== "");
    expect(typed).toBe("help\r\n");
    board.panic();
    await until(() => has("panic") && has("boot") && has("hello"));
    monitor.interrupt("SIGINT");
    expect(await monitor.code).toBe(0);
    const events = jsonLines(monitor.written.stdout);
    expect(events.find(({ event }) => event === "line")).toMatchObject({
      level: "warn",
      tag: "sensor",
      message: "too hot",
      boardMs: 12,
    });
    expect(events.find(({ event }) => event === "panic")).toMatchObject({
      kind: "load-access-fault",
      frames: ["0x42001234", "0x42005678"],
    });
    expect(events.find(({ event }) => event === "boot")).toMatchObject({
      mode: "firmware",
      resetReason: "PANIC",
    });
  });

  it("says when another board answers than the bench file has there", async () => {
    const bench = `boards: [{ mac: "7c:df:a1:00:00:99", name: arm, port: ${PATH} }]`;
    files = { "fleetrig.bench.yaml": bench };
    const { stdout } = await run("list --probe --json");
    expect(jsonLines(stdout)[0]).toMatchObject({ name: "arm", mac: "7cdfa1000099", macIsGuess: true });
    const doctor = await run("doctor arm --json");
    expect(doctor.code).toBe(1);
    expect(jsonLines(doctor.stdout).find(({ check }) => check === "hello")).toMatchObject({
      ok: false,
      text: expect.stringContaining("7c:df:a1:00:00:77"),
    });
  });
});
