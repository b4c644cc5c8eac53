import type { Clock, Random } from "fleetrig/kernel";
import type { ClockSample } from "./clock-fit.js";
import { Deadline } from "./deadline.js";
import { encodeFrame, FRAME, type Frame, type FrameEncoding } from "./frame.js";
import { type Hello, isSameBoot, parseHello } from "./hello.js";
import type { LinkCounters } from "./link-counters.js";
import { type OutgoingFrame, ReliableChannels } from "./reliable-channels.js";

const OPEN_EVERY_US = 250_000;
/** A board that says nothing for this long, though it is asked, is gone. */
const SILENCE_MAX_US = 5_000_000;
/** The host takes whatever comes at once. */
const HOST_CREDIT_BYTES = 32_768;
const EMPTY = new Uint8Array(0);

export interface LinkSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: LinkCounters;
  readonly encoding: FrameEncoding;
  readonly baud: number;
  write(bytes: Uint8Array): void;
  readonly handlers: LinkSessionHandlers;
}

/** How a session came to be. */
export interface Opening {
  /** The board was not in this run of its when a session was last opened. */
  readonly isNewBoot: boolean;
  /** OPENED was made between the first OPEN and its arrival: a first look at the board's clock, however coarse. */
  readonly sample: ClockSample;
}

interface LinkSessionHandlers {
  opened(hello: Hello, opening: Opening): void;
  restarted(hello: Hello): void;
  lost(reason: string): void;
  pong(payload: Uint8Array, atUs: number): void;
  delivered(channel: number, payload: Uint8Array, isEnd: boolean): void;
}

/**
 * Sessions as the host has them (PROTOCOL.md §2): asks for one until it has it, and for a new one whenever it is lost. The session number
 * is what tells frames of the present from those that a restart or a new bench has left behind.
 */
export class LinkSession {
  private state: "stopped" | "opening" | "open" = "stopped";
  private session = 0;
  private askedAtUs = 0;
  private latestHello: Hello | undefined;
  /** What the board said when a session was last opened with it. */
  private openedHello: Hello | undefined;
  private channels: ReliableChannels | undefined;
  private readonly openDue: Deadline;
  private readonly silence: Deadline;

  constructor(private readonly options: LinkSessionOptions) {
    this.openDue = new Deadline(options.clock, () => this.ask());
    this.silence = new Deadline(options.clock, () => this.lose("the board says nothing any more", true));
  }

  get isOpen(): boolean {
    return this.state === "open";
  }

  get hello(): Hello | undefined {
    return this.latestHello;
  }

  start(): void {
    if (this.state === "stopped") this.begin();
  }

  stop(): void {
    if (this.state === "stopped") return;
    if (this.state === "open") this.control(FRAME.close, EMPTY);
    this.end("stopped");
    this.openDue.stop();
    this.silence.stop();
  }

  pendingBytes(channel: number): number {
    return this.channels?.pendingBytes(channel) ?? 0;
  }

  /** @returns false when there is no session. */
  send(channel: number, bytes: Uint8Array, isEnd: boolean): boolean {
    if (this.channels === undefined) return false;
    this.channels.send(channel, bytes, isEnd);
    return true;
  }

  ping(payload: Uint8Array): void {
    this.control(FRAME.ping, payload);
  }

  received(frame: Frame, atUs: number): void {
    if (this.state === "stopped") return;
    if (frame.type === FRAME.boot) this.takeBoot(frame);
    else if (frame.session !== this.session) this.options.counters.stale += 1;
    else if (frame.type === FRAME.opened) this.takeOpened(frame, atUs);
    else if (this.state === "open") this.takeOfSession(frame, atUs);
    else this.options.counters.stale += 1;
  }

  private takeOfSession(frame: Frame, atUs: number): void {
    this.silence.set(SILENCE_MAX_US);
    const { channels } = this;
    if (frame.type === FRAME.close) {
      this.lose("the board closed the session", false);
      return;
    }
    channels?.received(frame);
    if (frame.type === FRAME.pong) this.options.handlers.pong(frame.payload, atUs);
    else if (frame.type !== FRAME.data && frame.type !== FRAME.ack) this.options.counters.unknown += 1;
  }

  private takeBoot(frame: Frame): void {
    const hello = this.helloOf(frame);
    if (hello === undefined) return;
    if (this.state === "open") {
      this.sessionGone(hello);
      return;
    }
    this.latestHello = hello;
    this.ask();
  }

  private takeOpened(frame: Frame, atUs: number): void {
    const hello = this.helloOf(frame);
    if (hello === undefined) return;
    if (this.state === "opening") this.open(hello, frame, atUs);
    else if (this.openedHello === undefined || isSameBoot(hello, this.openedHello)) {
      this.silence.set(SILENCE_MAX_US);
      this.channels?.received(frame);
    } else this.sessionGone(hello);
  }

  /** The board does not know the session that stands here: it has restarted, or has given it up and we did not hear of it. */
  private sessionGone(hello: Hello): void {
    const { counters, handlers } = this.options;
    const isRestart = this.openedHello === undefined || !isSameBoot(hello, this.openedHello);
    this.latestHello = hello;
    if (!isRestart) {
      this.lose("the board does not know the session any more", false);
      return;
    }
    counters.restarts += 1;
    this.begin();
    handlers.restarted(hello);
  }

  private helloOf(frame: Frame): Hello | undefined {
    const hello = parseHello(frame.payload);
    if (hello === undefined) this.options.counters.invalid += 1;
    return hello;
  }

  private begin(): void {
    this.end("opening");
    this.session = 1 + this.options.random.below(0xffff_ffff);
    this.askedAtUs = this.options.clock.nowUs();
    this.ask();
  }

  private ask(): void {
    this.openDue.set(OPEN_EVERY_US);
    this.control(FRAME.open, EMPTY);
  }

  private open(hello: Hello, frame: Frame, atUs: number): void {
    const { clock, counters, baud, handlers } = this.options;
    const isNewBoot = this.openedHello === undefined || !isSameBoot(hello, this.openedHello);
    this.state = "open";
    this.latestHello = hello;
    this.openedHello = hello;
    this.openDue.clear();
    this.silence.set(SILENCE_MAX_US);
    this.channels = new ReliableChannels({
      clock,
      counters,
      baud,
      windowFrames: hello.window,
      maxPayloadBytes: Math.min(hello.maxPayload, hello.rx),
      creditBytes: frame.credit,
      transmit: (frame) => this.transmit(frame),
      delivered: (channel, payload, isEnd) => handlers.delivered(channel, payload, isEnd),
      gaveUp: () => this.lose("the board acknowledges nothing any more", true),
    });
    counters.sessionsOpened += 1;
    const { timeUs } = frame;
    handlers.opened(hello, {
      isNewBoot,
      sample: { t1Us: this.askedAtUs, t2Us: timeUs, t3Us: timeUs, t4Us: atUs },
    });
  }

  /** Gives the session up and asks for a new one. */
  private lose(reason: string, tellBoard: boolean): void {
    if (this.state !== "open") return;
    if (tellBoard) this.control(FRAME.close, EMPTY);
    this.options.counters.sessionsLost += 1;
    this.begin();
    this.options.handlers.lost(reason);
  }

  private end(state: "stopped" | "opening"): void {
    this.state = state;
    this.channels?.stop();
    this.channels = undefined;
    this.silence.clear();
    this.openDue.clear();
  }

  private control(type: number, payload: Uint8Array): void {
    this.transmit({ type, channel: 0, sequence: 0, payload });
  }

  private transmit(frame: OutgoingFrame): void {
    const { counters, clock, encoding, write } = this.options;
    const { channels } = this;
    const wire = encodeFrame(
      {
        ...frame,
        acknowledged: channels?.expected ?? 0,
        credit: HOST_CREDIT_BYTES,
        session: this.session,
        timeUs: clock.nowUs(),
      },
      encoding,
    );
    channels?.frameLeft();
    counters.framesOut += 1;
    counters.bytesOut += wire.length;
    write(wire);
  }
}
