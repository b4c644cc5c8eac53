import type { Clock, JsonObject, JsonValue } from "fleetrig/kernel";
import { Demultiplexer } from "../../../hil/link/demultiplexer.js";
import { encodeFrame, FRAME, type Frame, type FrameEncoding } from "../../../hil/link/frame.js";
import type { Hello } from "../../../hil/link/hello.js";
import { createLinkCounters } from "../../../hil/link/link-counters.js";
import {
  CONTROL,
  NETWORK,
  type OutgoingFrame,
  ReliableChannels,
} from "../../../hil/link/reliable-channels.js";

const BOOT_EVERY_US = 200_000;
const HOST_CREDIT_BYTES = 4_096;
const EMPTY = new Uint8Array(0);

export const helloOf = (changes: Partial<Hello> = {}): Hello => ({
  proto: 1,
  fw: "fleetrig-virtual-end",
  version: "1.0.0",
  build: "01234567",
  chip: "virtual",
  mac: "7cdfa1001122",
  bootId: 1,
  boots: 1,
  reset: "POWERON",
  upUs: 1_000,
  rx: 4_096,
  maxPayload: 240,
  window: 4,
  caps: ["mqtt"],
  ...changes,
});

export interface VirtualEndOptions {
  readonly clock: Clock;
  readonly write: (bytes: Uint8Array) => void;
  readonly hello?: Partial<Hello>;
  readonly encoding?: FrameEncoding;
  readonly baud?: number;
  /** The board's clock by the host's. Default: the same. */
  readonly boardUs?: (hostUs: number) => number;
  /** Answers commands; undefined: does not. Default: `echo`. */
  readonly command?: (op: string, args: JsonObject) => JsonValue | undefined;
  readonly delivered?: (channel: number, payload: Uint8Array, isEnd: boolean) => void;
}

/** The board's end of the link (PROTOCOL.md) in TypeScript, for tests of the host's end. */
export class VirtualEnd {
  readonly counters = createLinkCounters();
  /** Bytes outside frames that the host has sent. */
  text = "";
  sessionsOpened = 0;
  hello: Hello;
  private session = 0;
  private channels: ReliableChannels | undefined;
  private encoding: FrameEncoding;
  private demultiplexer: Demultiplexer;
  private bootSentUs = Number.NEGATIVE_INFINITY;
  private message: Uint8Array[] = [];

  constructor(private readonly options: VirtualEndOptions) {
    this.hello = helloOf(options.hello);
    this.encoding = options.encoding ?? "cobs";
    this.demultiplexer = this.listen();
  }

  get isOpen(): boolean {
    return this.channels !== undefined;
  }

  /** Credit that the board gives; a test may take it away. */
  creditBytes = HOST_CREDIT_BYTES;

  /** Starts for the first time, or again. `silently`: its BOOT gets lost. */
  boot(changes: Partial<Hello> = {}, silently = false): void {
    this.hello = { ...this.hello, bootId: this.hello.bootId + 1, boots: this.hello.boots + 1, ...changes };
    this.forget();
    this.encoding = this.options.encoding ?? "cobs";
    this.demultiplexer.stop();
    this.demultiplexer = this.listen();
    this.bootSentUs = Number.NEGATIVE_INFINITY;
    if (!silently) this.sendBoot();
  }

  forget(): void {
    this.channels?.stop();
    this.channels = undefined;
    this.session = 0;
    this.message = [];
  }

  received(bytes: Uint8Array, atUs: number): void {
    this.demultiplexer.received(bytes, atUs);
  }

  print(text: string): void {
    this.options.write(Buffer.from(text));
  }

  send(channel: number, bytes: Uint8Array, isEnd: boolean): void {
    this.channels?.send(channel, bytes, isEnd);
  }

  say(message: JsonObject): void {
    this.send(CONTROL, Buffer.from(JSON.stringify(message)), true);
  }

  sendNetworkData(bytes: Uint8Array): void {
    this.send(NETWORK, bytes, false);
  }

  pendingBytes(channel: number): number {
    return this.channels?.pendingBytes(channel) ?? 0;
  }

  close(): void {
    this.transmit({ type: FRAME.close, channel: 0, sequence: 0, payload: EMPTY });
    this.forget();
  }

  /** An ACK without need. */
  acknowledge(): void {
    this.transmit({ type: FRAME.ack, channel: 0, sequence: 0, payload: EMPTY });
  }

  private listen(): Demultiplexer {
    return new Demultiplexer(this.options.clock, this.counters, {
      text: (bytes) => {
        this.text += Buffer.from(bytes).toString("latin1");
      },
      frame: (frame, atUs, encoding) => this.take(frame, atUs, encoding),
    });
  }

  private take(frame: Frame, atUs: number, encoding: FrameEncoding): void {
    this.encoding = encoding;
    if (frame.type === FRAME.open) this.open(frame);
    else if (frame.session !== this.session || this.channels === undefined) {
      this.counters.stale += 1;
      const isDue = this.options.clock.nowUs() - this.bootSentUs >= BOOT_EVERY_US;
      if (this.channels === undefined && isDue) this.sendBoot();
    } else this.takeOfSession(frame, atUs);
  }

  private takeOfSession(frame: Frame, atUs: number): void {
    if (frame.type === FRAME.close) {
      this.forget();
      return;
    }
    this.channels?.received(frame);
    if (frame.type === FRAME.ping) this.pong(frame, atUs);
  }

  private open(frame: Frame): void {
    if (frame.session !== this.session || this.channels === undefined) {
      this.forget();
      this.session = frame.session;
      this.sessionsOpened += 1;
      this.channels = new ReliableChannels({
        clock: this.options.clock,
        counters: this.counters,
        windowFrames: this.hello.window,
        maxPayloadBytes: this.hello.maxPayload,
        creditBytes: frame.credit,
        baud: this.options.baud ?? 115_200,
        transmit: (outgoing) => this.transmit(outgoing),
        delivered: (channel, payload, isEnd) => this.delivered(channel, payload, isEnd),
        gaveUp: () => this.close(),
      });
    }
    this.transmit({ type: FRAME.opened, channel: 0, sequence: 0, payload: this.helloBytes() });
  }

  private delivered(channel: number, payload: Uint8Array, isEnd: boolean): void {
    this.options.delivered?.(channel, payload, isEnd);
    if (channel !== CONTROL || this.options.delivered !== undefined) return;
    this.message.push(payload);
    if (!isEnd) return;
    const text = Buffer.concat(this.message).toString("utf8");
    this.message = [];
    const { id, op, args } = JSON.parse(text) as { id?: number; op: string; args: JsonObject };
    if (id === undefined) return;
    const value =
      this.options.command === undefined ? (args["data"] ?? null) : this.options.command(op, args);
    if (value !== undefined) this.say({ id, ok: true, value });
  }

  private pong(frame: Frame, atUs: number): void {
    const payload = Buffer.alloc(24);
    payload.set(frame.payload.subarray(0, 8));
    payload.writeBigUInt64LE(BigInt(Math.round(this.boardUs(atUs))), 8);
    payload.writeBigUInt64LE(BigInt(Math.round(this.boardUs(this.options.clock.nowUs()))), 16);
    this.transmit({ type: FRAME.pong, channel: 0, sequence: 0, payload });
  }

  private boardUs(hostUs: number): number {
    return this.options.boardUs?.(hostUs) ?? hostUs;
  }

  private helloBytes(): Uint8Array {
    return Buffer.from(JSON.stringify(this.hello));
  }

  private sendBoot(): void {
    this.bootSentUs = this.options.clock.nowUs();
    this.transmit({ type: FRAME.boot, channel: 0, sequence: 0, payload: this.helloBytes() });
  }

  private transmit(frame: OutgoingFrame): void {
    const { clock, write } = this.options;
    this.channels?.frameLeft();
    this.counters.framesOut += 1;
    write(
      encodeFrame(
        {
          ...frame,
          acknowledged: this.channels?.expected ?? 0,
          credit: this.creditBytes,
          session: this.session,
          timeUs: Math.round(this.boardUs(clock.nowUs())),
        },
        this.encoding,
      ),
    );
  }
}
