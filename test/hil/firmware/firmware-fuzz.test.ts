import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFirmware, writeFactoryFlash } from "fleetrig/hil";
import { createRandomSource, type Random } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import { FIRMWARE_BUILDS, lacksCompiler } from "../../rigs.js";
import { encodeFrame, FRAME, type Frame, MESSAGE_END } from "../../../hil/link/frame.js";
import { temporaryFolder, until } from "../virtual/rig.js";

const FUZZ_BYTES = Number(process.env["FLEETRIG_FUZZ_BYTES"] ?? 400_000);
const MESSAGES = [
  '{"id":1,"op":"configure","args":{"thing":"f","index":0,"path":"bridge","model":"shadow-device","mqtt":{"version":5}}}',
  '{"id":2,"op":"start","args":{"at":0}}',
  '{"id":3,"op":"nvs","args":{"key":"k","value":"\\u00e9\\ud83d\\ude00"}}',
  '{"id":4,"op":"setState","args":{"values":{"temperature":{"rampTo":1e308,"overUs":-1}}}}',
  '{"net":"opened","n":1}',
  '{"net":"closed","n":1,"reason":"reset"}',
  '{"id":5,"op":"credentials","args":{"host":"h","port":1,"ca":"-----BEGIN"}}',
];

class FuzzedBoard {
  output = Buffer.alloc(0);
  errors = "";
  exit: number | null = null;
  readonly child: ChildProcess;

  constructor(program: string, flash: string) {
    this.child = spawn(program, ["--flash", flash], { stdio: "pipe" });
    this.child.stdout!.on("data", (bytes: Buffer) => {
      this.output = Buffer.concat([this.output.subarray(-20_000), bytes]);
      this.starts += bytes.toString("latin1").split("ESP-ROM:").length - 1;
    });
    this.child.stderr!.on("data", (bytes: Buffer) => {
      this.errors += bytes.toString();
    });
    this.child.on("exit", (code) => {
      this.exit = code ?? -1;
    });
    this.child.stdin!.on("error", () => undefined);
    onTestFinished(() => {
      this.child.kill("SIGKILL");
    });
  }
  starts = 0;

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.child.stdin!.write(bytes))
      await new Promise((resolve) => this.child.stdin!.once("drain", resolve));
  }
}

interface Piece {
  readonly bytes: Uint8Array;
  /** The board takes it, and expects the next sequence after it. */
  readonly isTaken: boolean;
}

type Head = Pick<Frame, "acknowledged" | "credit" | "session" | "timeUs">;

/** Random bytes, frames with any header and payload, messages with damage; some of them cut or with a wrong byte. */
function piece(random: Random, head: Head, sequence: number): Piece {
  const noise = Uint8Array.from({ length: random.below(481) }, () => random.below(256));
  const message = Buffer.from(MESSAGES[random.below(MESSAGES.length)]!);
  const isMessage = random.fraction() < 0.5;
  if (isMessage && random.fraction() < 0.7) message[random.below(message.length)] = 32 + random.below(95);
  const isInOrder = random.fraction() < 0.8;
  const frame = {
    ...head,
    type: isInOrder ? FRAME.data : random.below(13),
    channel: isMessage ? MESSAGE_END : random.below(3) | (random.below(2) * MESSAGE_END),
    sequence: isInOrder ? sequence : random.below(65_536),
    payload: isMessage ? message : noise,
  };
  const bytes = encodeFrame(frame, random.fraction() < 0.8 ? "cobs" : "line");
  const fate = random.fraction();
  if (fate < 0.1) return { bytes: noise, isTaken: false };
  if (fate < 0.2) return { bytes: bytes.subarray(0, random.below(bytes.length)), isTaken: false };
  if (fate < 0.3) bytes[random.below(bytes.length)] = random.below(256);
  return { bytes, isTaken: fate >= 0.3 && frame.type === FRAME.data && frame.sequence === sequence };
}

describe.skipIf(lacksCompiler)("the firmware's end of the link under sanitizers", () => {
  it(`stands ${FUZZ_BYTES} bytes of noise, damaged frames and hostile messages`, {
    timeout: 180_000 + FUZZ_BYTES / 10,
  }, async () => {
    const { elf, image } = await buildFirmware({ target: "native-sanitized", outDir: FIRMWARE_BUILDS });
    const flash = join(temporaryFolder(), "flash.img");
    writeFactoryFlash(flash, readFileSync(image), "7cdfa1001122");
    const board = new FuzzedBoard(elf, flash);
    const random = createRandomSource(20_261_121).stream("fuzz");
    for (let sent = 0, session = 1; sent < FUZZ_BYTES; session += 1) {
      const head = { acknowledged: random.below(30), credit: random.below(9_000), session, timeUs: 0 };
      const open = { ...head, type: FRAME.open, channel: 0, sequence: 0, payload: new Uint8Array(0) };
      const burst = [encodeFrame(open, "cobs")];
      for (let n = 0, sequence = 0; n < 30; n += 1) {
        const { bytes, isTaken } = piece(random, head, sequence);
        burst.push(bytes);
        sequence += Number(isTaken);
      }
      const bytes = Buffer.concat(burst);
      await board.write(bytes);
      sent += bytes.length;
    }
    await board.write(new Uint8Array(2_100).fill(1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const last = { acknowledged: 0, credit: 4_096, session: 0xfeedbeef, timeUs: 0, channel: 0, sequence: 0 };
    await board.write(encodeFrame({ ...last, type: FRAME.open, payload: new Uint8Array(0) }, "cobs"));
    const echo = Buffer.from('{"id":9,"op":"echo","args":{"data":"still-here"}}');
    await board.write(encodeFrame({ ...last, type: FRAME.data, channel: 0x80, payload: echo }, "cobs"));
    await until(() => board.exit !== null || board.output.includes("still-here"), 30_000);
    expect(board.errors).toBe("");
    expect(board.exit).toBeNull();
    expect(board.starts).toBe(1);
  });
});
