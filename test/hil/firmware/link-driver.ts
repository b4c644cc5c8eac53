import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BoardLink, type NoiseSettings, SerialNoise } from "fleetrig/hil";
import { createRandomSource, type Random, type Timer, VirtualTime } from "fleetrig/kernel";
import { onTestFinished } from "vitest";
import { NativeProgram } from "../firmware-app/native.js";
import type { EndCounters } from "../link/link-account.js";
import { Wire } from "../link/link-rig.js";
import { Stream } from "../link/noisy-traffic.js";
import { FIRMWARE } from "./platform-driver.js";

const DRIVER = fileURLToPath(new URL("./link-driver.c", import.meta.url.replace("/dist/test/", "/test/")));
const PARTS = ["link", "link_frame", "link_window", "link_text", "cobs", "crc32"];
const FLAGS = "-std=c11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all";
const NEVER = 2n ** 63n;
const BITS_PER_BYTE = 10;

function compileDriver(baud: number): string {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-link-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "driver");
  const sources = [DRIVER, ...PARTS.map((name) => join(FIRMWARE, "src/platform", `${name}.c`))];
  const includes = [`-I${join(FIRMWARE, "include")}`, `-I${join(FIRMWARE, "src/platform")}`];
  const byteNs = `-DLINK_BYTE_NS=${Math.round((BITS_PER_BYTE * 1e9) / baud)}u`;
  execFileSync("gcc", [...FLAGS.split(" "), byteNs, ...includes, "-o", program, ...sources]);
  return program;
}

/** The firmware's end of the link, compiled with sanitizers, as a part of virtual time (link-driver.c). */
class FirmwareEnd {
  private readonly program: NativeProgram;
  private readonly due: Timer;

  constructor(
    private readonly time: VirtualTime,
    baud: number,
    private readonly write: (bytes: Uint8Array) => void,
  ) {
    this.program = new NativeProgram(compileDriver(baud));
    this.due = time.lane(4).after(0, () => this.poll("-"));
  }

  received(bytes: Uint8Array): void {
    if (bytes.length > 0) this.poll(Buffer.from(bytes).toString("hex"));
  }

  counters(): EndCounters {
    return JSON.parse(this.program.ask("?")) as EndCounters;
  }

  private poll(input: string): void {
    const nowUs = this.time.nowUs();
    const [due = "", output = ""] = this.program.ask(`${nowUs} ${input}`).split(" ");
    if (output !== "-") this.write(Buffer.from(output, "hex"));
    const dueUs = BigInt(due);
    if (dueUs < NEVER) this.due.again(Math.max(1, Number(dueUs) - nowUs));
    else this.due.cancel();
  }
}

export interface FirmwareLinkOptions {
  readonly noise: NoiseSettings;
  /** DATA frames that the host sends, repetitions not counted. */
  readonly frames: number;
  readonly baud?: number;
  readonly encoding?: "cobs" | "line";
  /** Sends nothing but a short echo now and then, every other two seconds: short round trips before long ones. */
  readonly rests?: boolean;
  readonly seed?: number;
}

const TICK_US = 5_000;
const QUIET_US = 20_000_000;
const STREAM_MAX_BYTES = 16_384;
const BACKLOG_BYTES = 4_096;
const PIECE_MAX_BYTES = 600;
const ECHOES_MAX = 4;
const ECHO_TIMEOUT_US = 60_000_000;
const REST_US = 2_000_000;
/** JSON around it is part of the message of 6144 bytes. */
const ECHO_MAX_CHARACTERS = 6_000;

/** Host in TypeScript, firmware in C, bad wires between them: echoes of all sizes, and bytes that the board sends back. */
export class FirmwareLink {
  readonly time = new VirtualTime();
  readonly heard: string[] = [];
  readonly link: BoardLink;
  readonly noiseToBoard: SerialNoise;
  readonly noiseToHost: SerialNoise;
  readonly sent = new Stream();
  readonly taken = new Stream();
  echoes = 0;
  /** What did not come as it was sent. */
  readonly wrong: string[] = [];
  private echoesWaiting = 0;
  private readonly random: Random;
  private readonly board: FirmwareEnd;

  constructor(private readonly options: FirmwareLinkOptions) {
    const { time } = this;
    const source = createRandomSource(options.seed ?? 1);
    const wire = { baud: options.baud ?? 921_600, latencyUs: 200 };
    this.random = source.stream("traffic");
    this.noiseToBoard = new SerialNoise({
      clock: time.lane(2),
      random: source.stream("noise/board"),
      forward: (bytes) => this.board.received(bytes),
    });
    this.noiseToHost = new SerialNoise({
      clock: time.lane(3),
      random: source.stream("noise/host"),
      forward: (bytes, atUs) => this.link.received(bytes, atUs),
    });
    const toBoard = new Wire(time.lane(5), wire, (bytes, atUs) => this.noiseToBoard.push(bytes, atUs));
    const toHost = new Wire(time.lane(6), wire, (bytes, atUs) => this.noiseToHost.push(bytes, atUs));
    this.board = new FirmwareEnd(time, wire.baud, toHost.write);
    this.link = new BoardLink({
      clock: time.lane(1),
      random: source.stream("link"),
      write: toBoard.write,
      baud: wire.baud,
      encoding: options.encoding ?? "cobs",
      handlers: {
        opened: () => this.heard.push("opened"),
        restarted: () => this.heard.push("restarted"),
        lost: (reason) => this.heard.push(`lost: ${reason}`),
        text: () => undefined,
        event: () => this.heard.push("event"),
        network: () => this.heard.push("network"),
        networkData: (bytes) => {
          if (!this.taken.accept(bytes)) this.wrong.push(`network at ${this.taken.position}`);
        },
      },
    });
  }

  private get frames(): number {
    const { dataOut, repeatedByTimeout, repeatedByAck, creditProbes } = this.link.counters;
    return dataOut - repeatedByTimeout - repeatedByAck - creditProbes;
  }

  /** So much noise at once at the board's end of the line. */
  flood(bytes: number): void {
    this.board.received(new Uint8Array(bytes).fill(0x55));
  }

  boardCounters(): EndCounters {
    return this.board.counters();
  }

  /** Sends as fast as the link takes it until enough frames have gone, and then waits until all is quiet. */
  async run(): Promise<void> {
    const { time, link, options } = this;
    link.start();
    time.advance(100_000);
    this.noiseToBoard.set(options.noise);
    this.noiseToHost.set(options.noise);
    const endUs = time.nowUs() + options.frames * 1_000_000;
    while (this.heard.length === 1 && time.nowUs() < endUs && this.frames < options.frames) {
      this.feed();
      time.advance(TICK_US);
      await Promise.resolve();
    }
    this.noiseToBoard.set({});
    this.noiseToHost.set({});
    for (let n = 0; n < QUIET_US; n += 100 * TICK_US) {
      time.advance(100 * TICK_US);
      await Promise.resolve();
    }
    link.stop();
    time.advance(TICK_US);
  }

  private feed(): void {
    const { random, link } = this;
    if (this.options.rests === true && this.time.nowUs() % (2 * REST_US) < REST_US) {
      if (this.echoesWaiting === 0) this.echo("");
      return;
    }
    while (
      link.networkBacklogBytes < BACKLOG_BYTES &&
      this.sent.position - this.taken.position < STREAM_MAX_BYTES
    )
      link.sendNetworkData(this.sent.next(1 + random.below(PIECE_MAX_BYTES)));
    while (this.echoesWaiting < ECHOES_MAX) {
      const length = random.chance(0.8) ? random.below(400) : random.below(ECHO_MAX_CHARACTERS + 1);
      const data = `${this.echoes} ${String.fromCodePoint(97 + random.below(26)).repeat(length)}`;
      this.echo(data);
    }
  }

  private echo(data: string): void {
    this.echoesWaiting += 1;
    const answered = (value: unknown): void => {
      this.echoes += 1;
      this.echoesWaiting -= 1;
      if (value !== data) this.wrong.push(`echo ${this.echoes}: ${String(value).slice(0, 80)}`);
    };
    this.link.command("echo", { data }, ECHO_TIMEOUT_US).then(answered, answered);
  }
}
