import { type Clock, FleetrigError, type Timer } from "fleetrig/kernel";
import { ESPError, Transport } from "esptool-js";
import type { PortEnd, PortReceiver } from "../port/port.js";
import type { FlashLine } from "./flash-line.js";
import { SlipDecoder, encodeSlip } from "./slip.js";

/** Frames kept while nobody reads them; more than a boot loader ever sends unasked. */
const HELD_FRAMES = 256;
/** A line with nothing for this long has nothing more to say. */
const QUIET_MS = 20;

/**
 * esptool-js's way to the chip, over a port of ours. All of its own transport is replaced: that one polls the host's clock, gives up on the first
 * byte that is no frame, prints to the console and leaves DTR asserted. Opening, closing and resetting are not its business any more.
 */
export class LoaderTransport extends Transport implements PortReceiver {
  private readonly frames: Uint8Array[] = [];
  private waiting:
    | { take(frame: Uint8Array): void; fail(error: Error): void; readonly timer: Timer }
    | undefined;
  private end: PortEnd | undefined;
  private readonly slip = new SlipDecoder((frame) => this.frame(frame));
  private readonly stopListening: () => void;

  constructor(
    private readonly line: FlashLine,
    private readonly clock: Clock,
  ) {
    super({ getInfo: () => ({}) });
    this.stopListening = line.listen(this);
  }

  /** Why the line is gone; undefined while it is there. */
  get lost(): FleetrigError | undefined {
    if (this.end === undefined) return undefined;
    return new FleetrigError("FLASH_LINE_LOST", "The board's port went away while its flash was worked on.", {
      hint: "Plug it in again and repeat: what has been written and verified is not written again.",
      context: { reason: this.end },
    });
  }

  /** Hands the port back to whoever else listens. */
  release(): void {
    this.stopListening();
    this.waiting?.timer.cancel();
    this.waiting = undefined;
  }

  received(bytes: Uint8Array): void {
    this.slip.push(bytes);
  }

  closed(reason: PortEnd): void {
    this.end = reason;
    this.waiting?.fail(this.lost!);
  }

  override async write(data: Uint8Array): Promise<void> {
    if (this.lost !== undefined) throw this.lost;
    this.line.port.write(encodeSlip(data));
  }

  override read(timeoutMs: number): Promise<Uint8Array> {
    const held = this.frames.shift();
    if (held !== undefined) return Promise.resolve(held);
    if (this.lost !== undefined) return Promise.reject(this.lost);
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(timeoutMs * 1000, () =>
        this.waiting?.fail(new ESPError(`No answer within ${timeoutMs} ms`)),
      );
      const settle = (): void => {
        timer.cancel();
        this.waiting = undefined;
      };
      this.waiting = {
        timer,
        take: (frame) => {
          settle();
          resolve(frame);
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      };
    });
  }

  override flushInput(): void {
    this.frames.length = 0;
  }

  /** Reads until the line is quiet, at most `limit` frames. @returns How many there were. */
  async drain(limit: number, quietMs: number = QUIET_MS): Promise<number> {
    for (let count = 0; count < limit; count += 1) {
      const frame = await this.read(quietMs).catch(() => undefined);
      if (frame === undefined) return count;
    }
    return limit;
  }

  override async drainInput(): Promise<void> {
    await this.drain(HELD_FRAMES);
    this.flushInput();
  }

  override async changeBaudrate(baud: number): Promise<boolean> {
    await this.line.port.setBaud(baud);
    this.baudrate = baud;
    return false;
  }

  override async connect(baud = 115_200): Promise<void> {
    await this.changeBaudrate(baud);
  }

  override async disconnect(): Promise<void> {}
  override async readLoop(): Promise<void> {}
  override async waitForUnlock(): Promise<void> {}
  override async flushOutput(): Promise<void> {}
  override async setSignals(): Promise<void> {}
  override async setDTR(): Promise<void> {}
  override async setRTS(): Promise<void> {}
  override trace(): void {}

  override inWaiting(): number {
    return this.frames.length;
  }

  /** Text of the ROM, where esptool-js looks for the boot mode: proving that is the reset's business. */
  override peek(): Uint8Array {
    return new Uint8Array(0);
  }

  private frame(frame: Uint8Array): void {
    if (this.waiting !== undefined) this.waiting.take(frame);
    else if (this.frames.length < HELD_FRAMES) this.frames.push(frame);
  }
}
