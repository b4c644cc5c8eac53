import type { Socket } from "node:net";
import { FleetrigError, US_PER_MS } from "fleetrig/kernel";
import type { PortExportOptions } from "./export-port.js";
import type { ModemLines, Port } from "./port.js";
import {
  bigEndian32,
  COM_PORT,
  COM_PORT_ANSWER,
  comPortMessage,
  CONTROL,
  escapeIac,
  OPTION,
  readBigEndian32,
  TELNET,
  telnetCommand,
  TelnetReader,
} from "./telnet.js";

const MAX_BAUD = 12_000_000;
/** The board is not read faster than the client reads. Beyond this it is too slow for its board, and is let go. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;
/** The client is not read while more than this waits for its board, commands counted as so many bytes each. */
const MAX_WAITING_BYTES = 1024 * 1024;
const COMMAND_COST_BYTES = 64;
const LOOK_US = 20 * US_PER_MS;
const SIGNATURE = Buffer.from("fleetrig");

const LINE_VALUES: Readonly<Record<number, Partial<ModemLines>>> = {
  [CONTROL.dtrOn]: { dtr: true },
  [CONTROL.dtrOff]: { dtr: false },
  [CONTROL.rtsOn]: { rts: true },
  [CONTROL.rtsOff]: { rts: false },
};

/** One client of an exported port, from its coming to its leaving. */
export class ExportSession {
  readonly finished: Promise<void>;
  private finish: (() => void) | undefined;
  private port: Port | undefined;
  private baud: number;
  private lines: ModemLines = { dtr: false, rts: false };
  /** What the client has asked of the lines in the bytes at hand; set in one step, as a tty does. */
  private wishes: number[] = [];
  /** Commands are done one after the other, and data waits for them. */
  private queue: Promise<void> = Promise.resolve();
  private queuedBytes = 0;
  private isHeldBack = false;
  private readonly reader = new TelnetReader({
    data: (bytes) => this.forward(bytes),
    command: (verb, option) => this.negotiate(verb, option),
    subnegotiation: (bytes) => this.ask(bytes),
  });

  constructor(
    private readonly socket: Socket,
    private readonly options: PortExportOptions,
  ) {
    this.baud = options.baud;
    this.finished = new Promise((resolve) => (this.finish = resolve));
    socket.pause();
  }

  /** Resolves when the client has left and the port is closed. */
  async run(first: Buffer): Promise<void> {
    const left = new Promise<void>((resolve) => this.socket.once("close", () => resolve()));
    try {
      this.port = await this.options.opener.open({
        address: this.options.address,
        baud: this.baud,
        lines: this.lines,
        receiver: {
          received: (bytes) => this.send(this.isRaw ? bytes.slice() : escapeIac(bytes).slice()),
          closed: () => this.socket.destroy(),
        },
      });
      this.socket.on("data", (chunk: Buffer) => this.hear(chunk));
      if (first.length > 0) this.hear(first);
      this.socket.resume();
      await left;
      await this.queue;
    } catch (error) {
      this.options.note?.(error instanceof FleetrigError ? error.message : String(error));
      this.socket.destroy();
    }
    await this.port?.close();
    this.finish?.();
  }

  private get isRaw(): boolean {
    return this.options.protocol === "tcp";
  }

  private hear(chunk: Buffer): void {
    if (this.isRaw) this.port?.write(chunk);
    else {
      this.reader.push(chunk);
      this.setWishedLines();
    }
    if (!this.isHeldBack && this.waitingBytes > MAX_WAITING_BYTES) this.holdBack();
  }

  private get waitingBytes(): number {
    return this.queuedBytes + (this.port?.bufferedBytes ?? 0);
  }

  private holdBack(): void {
    this.isHeldBack = true;
    this.socket.pause();
    const look = this.options.clock.after(LOOK_US, () => {
      if (this.socket.destroyed) return;
      if (this.waitingBytes > MAX_WAITING_BYTES) look.again(LOOK_US);
      else {
        this.isHeldBack = false;
        this.socket.resume();
      }
    });
  }

  private send(bytes: Uint8Array): void {
    if (this.socket.destroyed) return;
    this.socket.write(bytes);
    if (this.socket.writableLength > MAX_BACKLOG_BYTES) {
      this.options.note?.("The client reads slower than the board writes, and was let go.");
      this.socket.destroy();
    }
  }

  private forward(bytes: Uint8Array): void {
    this.setWishedLines();
    const copy = bytes.slice();
    this.enqueue(() => this.port?.write(copy), copy.length);
  }

  private negotiate(verb: number, option: number): void {
    const isKnown =
      option === OPTION.comPort || option === OPTION.binary || option === OPTION.suppressGoAhead;
    if (verb === TELNET.will) this.send(telnetCommand(isKnown ? TELNET.do : TELNET.dont, option));
    else if (verb === TELNET.do) this.send(telnetCommand(isKnown ? TELNET.will : TELNET.wont, option));
  }

  private ask(bytes: Uint8Array): void {
    const [option, command = 255] = bytes;
    if (option !== OPTION.comPort) return;
    const value = bytes.subarray(2);
    if (command === COM_PORT.control) {
      this.control(value[0] ?? 0);
      return;
    }
    this.setWishedLines();
    if (command === COM_PORT.baud) this.setBaud(readBigEndian32(value) ?? 0);
    else if (command === COM_PORT.signature && value.length === 0) this.answer(command, SIGNATURE);
    else if (command <= COM_PORT.purge) this.answer(command, value);
  }

  private control(value: number): void {
    if (LINE_VALUES[value] !== undefined) {
      this.wishes.push(value);
      return;
    }
    this.setWishedLines();
    this.enqueue(() => this.answerNow(COM_PORT.control, Uint8Array.of(this.controlState(value))));
  }

  private controlState(value: number): number {
    if (value === CONTROL.askDtr) return this.lines.dtr ? CONTROL.dtrOn : CONTROL.dtrOff;
    if (value === CONTROL.askRts) return this.lines.rts ? CONTROL.rtsOn : CONTROL.rtsOff;
    return value === CONTROL.askFlow ? CONTROL.noFlow : value;
  }

  private setWishedLines(): void {
    if (this.wishes.length === 0) return;
    const wishes = this.wishes;
    this.wishes = [];
    this.enqueue(async () => {
      for (const step of stepsOf(wishes)) {
        const lines = { ...this.lines, ...step };
        await this.port?.setLines(lines).then(
          () => (this.lines = lines),
          () => undefined,
        );
      }
      for (const wish of wishes) {
        // Where there are no lines the answer is that they are released still.
        const isDtr = LINE_VALUES[wish]?.dtr !== undefined;
        const state = this.controlState(isDtr ? CONTROL.askDtr : CONTROL.askRts);
        this.answerNow(COM_PORT.control, Uint8Array.of(state));
      }
    });
  }

  private setBaud(baud: number): void {
    this.enqueue(async () => {
      if (baud >= 50 && baud <= MAX_BAUD) {
        await this.port?.setBaud(baud).then(
          () => (this.baud = baud),
          () => undefined,
        );
      }
      this.answerNow(COM_PORT.baud, bigEndian32(this.baud));
    });
  }

  private answer(command: number, value: Uint8Array): void {
    this.enqueue(() => this.answerNow(command, value));
  }

  private answerNow(command: number, value: Uint8Array): void {
    this.send(comPortMessage(command + COM_PORT_ANSWER, value));
  }

  private enqueue(step: () => unknown, bytes = COMMAND_COST_BYTES): void {
    this.queuedBytes += bytes;
    this.queue = this.inTurn(this.queue, step).finally(() => (this.queuedBytes -= bytes));
  }

  private async inTurn(before: Promise<void>, step: () => unknown): Promise<void> {
    await before;
    await step();
  }
}

/** Wishes for different lines in a row are one step; a second wish for the same line begins another. */
function stepsOf(wishes: readonly number[]): Partial<ModemLines>[] {
  const steps: Partial<ModemLines>[] = [];
  for (const wish of wishes) {
    const line = LINE_VALUES[wish] ?? {};
    const last = steps.at(-1);
    const isNew = last !== undefined && Object.keys(line).every((name) => !(name in last));
    if (isNew) steps[steps.length - 1] = { ...last, ...line };
    else steps.push(line);
  }
  return steps;
}
