import {
  BoardLink,
  type FrameEncoding,
  type LinkCounters,
  type NoiseSettings,
  SerialNoise,
} from "fleetrig/hil";
import { createRandomSource, isJsonObject, type Random, RealTime } from "fleetrig/kernel";
import { encodePacket, type Packet, PacketDecoder } from "fleetrig/protocol";
import { onTestFinished } from "vitest";
import { configuration } from "../micropython/bridged-board.js";
import { until } from "../virtual/rig.js";
import type { EndCounters } from "../link/link-account.js";

/** Answers and events that wait for the line must fit the 16 KiB that the board has for them. */
const CONTROL_LIMIT_CHARACTERS = 4_000;
const PUBLISHES_MAX = 16;
const TELEMETRY_EVERY_US = 100_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_äß€";
const TEXT_MAX_CHARACTERS = 2_000;
const TICK_MS = 5;
const SETTLE_MS = 60_000;

export interface NoisyBoardOptions {
  readonly encoding?: FrameEncoding;
  /** Longest text of an echo; JSON around it is part of a message of 6144 bytes. */
  readonly echoMaxCharacters?: number;
  readonly seed?: number;
}

/**
 * The host's end of the link to a board that runs the firmware, over bad wires. It is the board's MQTT server, too: messages go down and
 * telemetry comes up in the tunnel, and commands beside it. Whatever is not as it was sent is in `wrong`.
 */
export class NoisyBoard {
  readonly heard: string[] = [];
  readonly wrong: string[] = [];
  readonly link: BoardLink;
  readonly noiseToBoard: SerialNoise;
  readonly noiseToHost: SerialNoise;
  /** The end of what came outside of frames. */
  text = "";
  echoes = 0;
  published = 0;
  publishesAcknowledged = 0;
  telemetry = 0;
  private readonly time = new RealTime();
  private readonly clock = this.time.lane(0);
  private readonly random: Random;
  private readonly decoder = new PacketDecoder({ role: "server", maxPacketBytes: 65_536 });
  private echoCharacters = 0;
  private firstTelemetry: number | undefined;
  private connection = 0;

  /** @param write Puts bytes on the real line. */
  constructor(
    private readonly write: (bytes: Uint8Array) => void,
    private readonly options: NoisyBoardOptions = {},
  ) {
    const source = createRandomSource(options.seed ?? 1);
    const { clock } = this;
    this.random = source.stream("traffic");
    this.noiseToBoard = new SerialNoise({
      clock,
      random: source.stream("noise/board"),
      forward: (bytes) => this.write(bytes),
    });
    this.noiseToHost = new SerialNoise({
      clock,
      random: source.stream("noise/host"),
      forward: (bytes, atUs) => this.link.received(bytes, atUs),
    });
    this.link = new BoardLink({
      clock,
      random: source.stream("link"),
      write: (bytes) => this.noiseToBoard.push(bytes, clock.nowUs()),
      encoding: options.encoding ?? "cobs",
      baud: 921_600,
      handlers: {
        opened: () => this.heard.push("opened"),
        restarted: () => this.heard.push("restarted"),
        lost: (reason) => this.heard.push(`lost: ${reason}`),
        text: (bytes) => {
          this.text += Buffer.from(bytes).toString("latin1");
          this.text = this.text.slice(-TEXT_MAX_CHARACTERS);
        },
        event: () => undefined,
        network: ({ net, n }) => {
          this.connection = n;
          if (net === "dial") this.link.sendNetwork({ net: "opened", n });
          else if (net === "abort") this.wrong.push("abort");
        },
        networkData: (bytes) => {
          const failure = this.decoder.push(Buffer.from(bytes), (packet) => this.take(packet));
          if (failure !== undefined) this.wrong.push(`not MQTT: ${failure.message}`);
        },
      },
    });
    onTestFinished(() => {
      this.link.stop();
      this.time.stop();
    });
  }

  /** Bytes that came from the real line. */
  received(bytes: Uint8Array): void {
    this.noiseToHost.push(Uint8Array.from(bytes), this.clock.nowUs());
  }

  /** Opens the session and has the board connect. */
  async open(): Promise<void> {
    this.link.start();
    await until(() => this.link.isOpen, SETTLE_MS);
    const telemetry = [
      {
        s: 0,
        tag: "r1.0.0.",
        everyUs: TELEMETRY_EVERY_US,
        offsetUs: 0,
        topic: "site/t",
        qos: 0,
        retain: false,
        payload: '{"seq":{seq},"ts":{now}}',
      },
    ];
    await this.link.command("configure", configuration("noisy", { telemetry }));
    await this.link.command("start", { at: Math.round(this.link.fit.toBoardUs(this.clock.nowUs())) });
    await until(() => this.telemetry > 0, SETTLE_MS);
  }

  /** Sends as fast as the link takes it until the host has sent so many DATA frames, and waits until all of it is answered. */
  async run(frames: number, noise: NoiseSettings): Promise<void> {
    this.noiseToBoard.set(noise);
    this.noiseToHost.set(noise);
    while (this.isWell && this.link.counters.dataOut < frames) {
      this.feed();
      await pause(TICK_MS);
    }
    this.noiseToBoard.set({});
    this.noiseToHost.set({});
    await until(() => !this.isWell || this.isSettled, SETTLE_MS);
    if (!this.isWell) return;
    await this.link.command("stop", {});
    await pause(1_000);
  }

  /** Counters of both ends at the same point of the conversation; nothing else may be under way. */
  async counters(): Promise<{ host: LinkCounters; board: EndCounters }> {
    const asked = this.link.command("stats", {});
    const host = { ...this.link.counters };
    const stats = await asked;
    if (!isJsonObject(stats)) throw new Error("stats is no object");
    if (stats["dropped"] !== 0) this.wrong.push(`events dropped: ${JSON.stringify(stats["dropped"])}`);
    return { host, board: stats["link"] as unknown as EndCounters };
  }

  private get isWell(): boolean {
    return this.heard.length === 1 && this.wrong.length === 0;
  }

  private get isSettled(): boolean {
    return this.echoCharacters === 0 && this.published === this.publishesAcknowledged;
  }

  private feed(): void {
    const { random } = this;
    while (this.echoCharacters < CONTROL_LIMIT_CHARACTERS) {
      const longest = this.options.echoMaxCharacters ?? 3_000;
      this.echo(random.chance(0.7) ? random.below(Math.min(400, longest)) : random.below(longest + 1));
    }
    while (this.published - this.publishesAcknowledged < PUBLISHES_MAX) {
      this.published += 1;
      this.send({
        type: "publish",
        topic: "down",
        payload: Buffer.from(this.words(random.below(600))),
        qos: 1,
        retain: false,
        dup: false,
        packetId: 1 + (this.published % 65_535),
      });
    }
  }

  private words(length: number): string {
    let text = "";
    while (text.length < length) text += LETTERS[this.random.below(LETTERS.length)]!;
    return text;
  }

  private echo(length: number): void {
    const data = this.words(length);
    const cost = length + 100;
    this.echoCharacters += cost;
    const settled = (value: unknown): void => {
      this.echoes += 1;
      this.echoCharacters -= cost;
      if (value !== data) this.wrong.push(`echo ${this.echoes} of ${length}: ${String(value).slice(0, 80)}`);
    };
    this.link.command("echo", { data }, 60_000_000).then(settled, settled);
  }

  private send(packet: Packet): void {
    this.link.sendNetworkData(encodePacket(packet, 5));
  }

  private take(packet: Packet): void {
    if (packet.type === "connect") this.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
    else if (packet.type === "pingreq") this.send({ type: "pingresp" });
    else if (packet.type === "puback") {
      this.publishesAcknowledged += 1;
      if (packet.packetId !== 1 + (this.publishesAcknowledged % 65_535))
        this.wrong.push(`PUBACK ${packet.packetId} as number ${this.publishesAcknowledged}`);
    } else if (packet.type === "publish") this.takeTelemetry(packet.payload);
    else if (packet.type === "disconnect")
      this.link.sendNetwork({ net: "closed", n: this.connection, reason: "closed" });
    else this.wrong.push(`${packet.type} from the board`);
  }

  private takeTelemetry(payload: Uint8Array): void {
    const { seq } = JSON.parse(Buffer.from(payload).toString()) as { seq: number };
    this.firstTelemetry ??= seq;
    if (seq !== this.firstTelemetry + this.telemetry) this.wrong.push(`telemetry ${seq}`);
    this.telemetry += 1;
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
