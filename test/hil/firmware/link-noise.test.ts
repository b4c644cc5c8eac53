import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFirmware, type NoiseSettings, writeFactoryFlash } from "fleetrig/hil";
import { describe, expect, it, onTestFinished } from "vitest";
import { SerialPort } from "serialport";
import { expectExplained, harmedAtMost, noise, repeated } from "../link/link-account.js";
import { SCRIPT } from "../micropython/bridged-board.js";
import { FIRMWARE_BUILDS, lacksCompiler, lacksEmulator } from "../../rigs.js";
import { startBoard, temporaryFolder } from "../virtual/rig.js";
import { NoisyBoard, type NoisyBoardOptions } from "./noisy-board.js";

/** FLEETRIG_LINK_FULL=1: ten times as much, in real time. The sizes of the claim are those of link-reliability.test.ts, in virtual time. */
const FACTOR = process.env["FLEETRIG_LINK_FULL"] === "1" ? 10 : 1;
const TIMEOUT_MS = 180_000 * FACTOR;
/** The shortest time after which a frame is sent again. */
const RTO_MIN_MS = 60;
const WINDOW = 8;

const STALL_EVERY_US = 3_000_000;

async function expectLossless(board: NoisyBoard, frames: number, settings: NoiseSettings) {
  await board.open();
  await board.run(frames, settings);
  expect(board.wrong, board.text).toEqual([]);
  expect(board.heard, board.text).toEqual(["opened"]);
  expect(board.echoes).toBeGreaterThan(0);
  expect(board.publishesAcknowledged).toBe(board.published);
  const ends = await board.counters();
  if (FACTOR > 1)
    console.log(
      JSON.stringify({ ...ends, toBoard: board.noiseToBoard.counters, toHost: board.noiseToHost.counters }),
    );
  const toBoard = board.noiseToBoard.counters;
  // A process that is held up for 100 ms cuts a frame. The host counts these, the firmware counts them with the bad ones.
  const cutByBoard = harmedAtMost(toBoard) === 0 ? ends.board.badFrames : 0;
  expectExplained(ends.host, ends.board, toBoard, cutByBoard);
  expectExplained(ends.board, ends.host, board.noiseToHost.counters, ends.host.cutFrames);
  expect([ends.host.stale, ends.host.unknown, ends.host.invalid, ends.board.stale]).toEqual([0, 0, 0, 0]);
  return ends;
}

/** The firmware as a process on two pipes. A sanitizer that finds something ends it, and with it the link. */
async function nativeBoard(): Promise<NoisyBoard> {
  const { elf, image } = await buildFirmware({ target: "native-sanitized", outDir: FIRMWARE_BUILDS });
  const flash = join(temporaryFolder(), "flash.img");
  writeFactoryFlash(flash, readFileSync(image), "7cdfa1001122");
  const child = spawn(elf, ["--flash", flash], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  child.stdin.on("error", () => undefined);
  const board = new NoisyBoard((bytes) => child.stdin.write(bytes));
  child.stdout.on("data", (bytes: Buffer) => board.received(bytes));
  return board;
}

/** A virtual board behind its tty. */
async function ttyBoard(kind: "rv32" | "micropython", firmware: string, options?: NoisyBoardOptions) {
  const running = await startBoard({ kind, firmware });
  const port = new SerialPort({ path: running.path!, baudRate: 115_200 });
  await new Promise((resolve) => port.once("open", resolve));
  onTestFinished(() => new Promise<void>((resolve) => port.close(() => resolve())));
  const board = new NoisyBoard((bytes) => port.write(Buffer.from(bytes)), options);
  port.on("data", (bytes: Buffer) => board.received(bytes));
  return { board, pid: running.pid! };
}

const rv32Image = async (): Promise<string> =>
  (await buildFirmware({ target: "rv32", outDir: FIRMWARE_BUILDS })).image;

/** How often this process or the other was held up for as long as the retransmission timer, from now on. */
function watchStalls(pid: number): () => number {
  const waitedMs = (): number =>
    readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
      const [, waitedNs] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ");
      return sum + Number(waitedNs) / 1e6;
    }, 0);
  const before = waitedMs();
  let stalls = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs - lastMs > RTO_MIN_MS / 2) stalls += 1;
    lastMs = nowMs;
  }, 5);
  return () => {
    clearInterval(timer);
    return stalls + Math.floor((waitedMs() - before) / (RTO_MIN_MS / 2));
  };
}

describe.skipIf(lacksCompiler)("The firmware as a process, over pipes", () => {
  it.each([
    { rate: 1e-4, frames: 3_000 * FACTOR },
    { rate: 1e-3, frames: 600 * FACTOR },
  ])(
    "loses, changes and reorders nothing at byte error rate $rate, and every repetition is explained",
    async ({ rate, frames }) => {
      const { host, board } = await expectLossless(await nativeBoard(), frames, noise(rate, STALL_EVERY_US));
      expect(repeated(host) * repeated(board)).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(lacksEmulator)("The firmware on rv32, behind its tty", () => {
  it(
    "loses, changes and reorders nothing at byte error rate 1e-4, and every repetition is explained",
    async () => {
      const { board } = await ttyBoard("rv32", await rv32Image());
      const ends = await expectLossless(board, 1_000 * FACTOR, noise(1e-4, STALL_EVERY_US));
      expect(repeated(ends.host) * repeated(ends.board)).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    "repeats nothing on a good line unless a process was held up",
    async () => {
      const { board, pid } = await ttyBoard("rv32", await rv32Image());
      const stalls = watchStalls(pid);
      const ends = await expectLossless(board, 1_000, {});
      const heldUp = stalls();
      expect(repeated(ends.host)).toBeLessThanOrEqual(heldUp * WINDOW);
      expect(repeated(ends.board)).toBeLessThanOrEqual(heldUp * WINDOW);
    },
    TIMEOUT_MS,
  );
});

describe("main.py on a virtual board, in lines", () => {
  it(
    "loses, changes and reorders nothing at byte error rate 1e-4, and every repetition is explained",
    async () => {
      const { board } = await ttyBoard("micropython", SCRIPT, { encoding: "line", echoMaxCharacters: 1_500 });
      await expectLossless(board, 500, noise(1e-4, STALL_EVERY_US));
    },
    TIMEOUT_MS,
  );
});
