import type { Clock, JsonObject, JsonValue, Random } from "fleetrig/kernel";
import { ClockExchange } from "./clock-exchange.js";
import { ClockFit } from "./clock-fit.js";
import { commandCutOff, commandFailed, ControlChannel } from "./control.js";
import { Demultiplexer } from "./demultiplexer.js";
import type { Frame, FrameEncoding } from "./frame.js";
import type { Hello } from "./hello.js";
import { createLinkCounters, type LinkCounters } from "./link-counters.js";
import { LinkSession, type Opening } from "./link-session.js";
import type { NetworkMessage } from "./network-message.js";
import { CONTROL, NETWORK } from "./reliable-channels.js";

/** 8N1 at the rate at which every ESP32's console begins. */
const BAUD_DEFAULT = 115_200;

export interface BoardLinkOptions {
  readonly clock: Clock;
  /** For session numbers. */
  readonly random: Random;
  write(bytes: Uint8Array): void;
  readonly handlers: BoardLinkHandlers;
  /** How the host writes frames; it reads both. Default: `cobs`. */
  readonly encoding?: FrameEncoding;
  /** Whether a line of the log says that the firmware dies. Default: none does, and a frame that one cuts in half is noticed 100 ms later. */
  readonly isPanic?: (line: string) => boolean;
  /** Bits per second of the line, for how long to wait for an answer. Default: 115200. */
  readonly baud?: number;
}

/** Who hears of a board. Nothing is called from within `command`, `sendNetwork` and `sendNetworkData`. */
export interface BoardLinkHandlers {
  /** A session stands. @param isNewBoot The board was not in this run of its when a session was last opened. */
  opened(hello: Hello, isNewBoot: boolean): void;
  /** The board restarted while a session stood; the next one is on its way. Commands in flight were rejected before. */
  restarted(hello: Hello): void;
  /** The session is gone for another reason, a sentence without capital and full stop; the next one is on its way. */
  lost(reason: string): void;
  /** Logs. @param atUs When the first byte came. The bytes are the handler's to keep. */
  text(bytes: Uint8Array, atUs: number): void;
  /** A message with `ev`; times in it are the board's. */
  event(event: JsonObject): void;
  network(message: NetworkMessage): void;
  /** Bytes of the connection that the board opened last. */
  networkData(bytes: Uint8Array): void;
}

/** Hears nothing. */
export const silentLinkHandlers: BoardLinkHandlers = {
  opened: () => undefined,
  restarted: () => undefined,
  lost: () => undefined,
  text: () => undefined,
  event: () => undefined,
  network: () => undefined,
  networkData: () => undefined,
};

/**
 * The host's end of the link to one board (PROTOCOL.md): bytes of a serial line in and out, and what they mean. It owns no port: whoever
 * does calls `received`, and makes `write` go nowhere while there is none.
 */
export class BoardLink {
  readonly fit = new ClockFit();
  readonly counters: LinkCounters = createLinkCounters();
  private readonly session: LinkSession;
  private readonly control: ControlChannel;
  private readonly exchange: ClockExchange;
  private readonly demultiplexer: Demultiplexer;

  constructor(private readonly options: BoardLinkOptions) {
    const { clock, random, handlers } = options;
    const { counters } = this;
    this.control = new ControlChannel({
      clock,
      counters,
      send: (message) => this.session.send(CONTROL, message, true),
      pendingBytes: () => this.session.pendingBytes(CONTROL),
      event: (event) => handlers.event(event),
      network: (message) => handlers.network(message),
    });
    this.session = new LinkSession({
      clock,
      random,
      counters,
      encoding: options.encoding ?? "cobs",
      baud: options.baud ?? BAUD_DEFAULT,
      write: (bytes) => options.write(bytes),
      handlers: {
        opened: (hello, opening) => this.opened(hello, opening),
        restarted: (hello) => this.restarted(hello),
        lost: (reason) => this.lost(reason),
        pong: (payload, atUs) => this.pong(payload, atUs),
        delivered: (channel, payload, isEnd) => this.delivered(channel, payload, isEnd),
      },
    });
    this.exchange = new ClockExchange(clock, (payload) => this.session.ping(payload));
    const lanes = {
      text: (bytes: Uint8Array, atUs: number) => handlers.text(bytes, atUs),
      frame: (frame: Frame, atUs: number) => this.session.received(frame, atUs),
    };
    this.demultiplexer = new Demultiplexer(clock, counters, lanes, options.isPanic);
  }

  /** Asks the board for a session until there is one. */
  start(): void {
    this.session.start();
  }

  /** Ends the session in order; commands in flight are rejected. Text still comes out, until the next `start` frames are dropped. */
  stop(): void {
    this.exchange.stop();
    this.session.stop();
    this.demultiplexer.stop();
    this.control.ended((op) => commandFailed(op, "lost", "the link was stopped"));
  }

  /** @param atUs When the host had them. */
  received(bytes: Uint8Array, atUs: number): void {
    this.demultiplexer.received(bytes, atUs);
  }

  get isOpen(): boolean {
    return this.session.isOpen;
  }

  /** What the board said of itself last; undefined until it has. */
  get hello(): Hello | undefined {
    return this.session.hello;
  }

  /**
   * Has the board do something.
   * @param limitUs For the answer, from now. Default: 5 s from when the board has the command, which a busy line may delay.
   * @returns the answer's value, null when it has none.
   * @throws FleetrigError BOARD_COMMAND_FAILED, BOARD_COMMAND_TIMEOUT, BOARD_RESTARTED (rejections)
   */
  command(op: string, args: JsonObject, limitUs?: number): Promise<JsonValue> {
    return this.control.command(op, args, limitUs);
  }

  /** Without a session it goes nowhere: the board's connections ended with the session. */
  sendNetwork(message: NetworkMessage): void {
    this.control.sendNetwork(message);
  }

  /** As `sendNetwork`. The bytes must not change any more. */
  sendNetworkData(bytes: Uint8Array): void {
    if (bytes.length > 0) this.session.send(NETWORK, bytes, false);
  }

  /** Bytes given to `sendNetworkData` that the board has not acknowledged. Nothing bounds them but the caller. */
  get networkBacklogBytes(): number {
    return this.session.pendingBytes(NETWORK);
  }

  private opened(hello: Hello, opening: Opening): void {
    this.fit.begin(hello.bootId);
    this.fit.add(opening.sample);
    this.exchange.start();
    this.options.handlers.opened(hello, opening.isNewBoot);
  }

  private restarted(hello: Hello): void {
    this.exchange.stop();
    this.control.ended(commandCutOff);
    this.options.handlers.restarted(hello);
  }

  private lost(reason: string): void {
    this.exchange.stop();
    this.control.ended((op) => commandFailed(op, "lost", reason));
    this.options.handlers.lost(reason);
  }

  private pong(payload: Uint8Array, atUs: number): void {
    const sample = this.exchange.answered(payload, atUs);
    if (sample === undefined || !this.fit.add(sample)) this.counters.invalid += 1;
  }

  private delivered(channel: number, payload: Uint8Array, isEnd: boolean): void {
    if (channel === CONTROL) this.control.received(payload, isEnd);
    else if (channel === NETWORK) this.options.handlers.networkData(payload);
    else this.counters.unknown += 1;
  }
}
