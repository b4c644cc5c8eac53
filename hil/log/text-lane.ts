import { type Clock, type Timer, US_PER_MS } from "fleetrig/kernel";
import { decodeText } from "./decode-text.js";

/**
 * The text lane: bytes that are no frames, cut into lines. A line ends with LF, CRLF or CR, or where it gets too long.
 * A board that stops in the middle of a line, at a prompt or in a panic, is heard as well: what there is of the line is
 * shown as *unfinished*, and the whole line still comes when it ends.
 */
export interface TextLine {
  /** Without its end, colours and cursor movements; bytes that are no text are shown as `\xNN`. */
  readonly text: string;
  /** When its first byte came. */
  readonly atUs: number;
  /** When the first byte after its last rest came: what was left of another line, or of noise, may stand before it. */
  readonly resumedUs: number;
}

export interface TextLaneOptions {
  readonly clock: Clock;
  line(line: TextLine): void;
  /**
   * What there is of a line that has no end yet: within 20 ms of new bytes, and once with `isQuiet` when nothing came for 100 ms.
   */
  unfinished(line: TextLine, isQuiet: boolean): void;
}

/** Longer lines are cut here. */
export const MAX_LINE_BYTES = 4096;
const LOOK_EVERY_US = 20 * US_PER_MS;
const QUIET_US = 100 * US_PER_MS;
const LF = 0x0a;
const CR = 0x0d;

export class TextLane {
  private readonly pending = new Uint8Array(MAX_LINE_BYTES);
  private length = 0;
  private firstUs = 0;
  private resumedUs = 0;
  private lastUs = 0;
  /** Bytes of the pending line that `unfinished` has shown. */
  private shown = 0;
  private isQuietTold = false;
  private isAfterReturn = false;
  private look: Timer | undefined;
  private isLooking = false;

  constructor(private readonly options: TextLaneOptions) {}

  /** @param atUs When the host had the bytes. */
  received(bytes: Uint8Array, atUs: number): void {
    for (let i = 0; i < bytes.length; i += 1) this.take(bytes[i]!, atUs);
    if (this.length > 0) this.lookSoon();
  }

  /** Ends the pending line: nothing more of it can come. */
  flush(): void {
    this.end();
    this.isAfterReturn = false;
  }

  private take(byte: number, atUs: number): void {
    if (byte === LF) {
      if (!this.isAfterReturn) this.end(atUs);
      this.isAfterReturn = false;
      return;
    }
    if (byte === CR) {
      // CR CR LF is one end: some consoles translate twice.
      this.end();
      this.isAfterReturn = true;
      return;
    }
    this.isAfterReturn = false;
    if (this.length === 0) this.firstUs = atUs;
    if (this.length === 0 || atUs - this.lastUs >= QUIET_US) this.resumedUs = atUs;
    this.pending[this.length] = byte;
    this.length += 1;
    this.lastUs = atUs;
    this.isQuietTold = false;
    if (this.length === MAX_LINE_BYTES) this.end();
  }

  /** @param emptyAtUs Given where an empty line counts too: when it ended. */
  private end(emptyAtUs?: number): void {
    if (this.length === 0 && emptyAtUs === undefined) return;
    const line =
      this.length === 0 ? { text: "", atUs: emptyAtUs!, resumedUs: emptyAtUs! } : this.pendingLine();
    this.length = 0;
    this.shown = 0;
    this.options.line(line);
  }

  private pendingLine(): TextLine {
    const text = decodeText(this.pending.subarray(0, this.length));
    return { text, atUs: this.firstUs, resumedUs: this.resumedUs };
  }

  private lookSoon(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    if (this.look === undefined) {
      this.look = this.options.clock.after(LOOK_EVERY_US, () => this.lookNow());
    } else {
      this.look.again(LOOK_EVERY_US);
    }
  }

  private lookNow(): void {
    this.isLooking = false;
    if (this.length === 0) return;
    const isQuiet = this.options.clock.nowUs() - this.lastUs >= QUIET_US;
    if (this.shown < this.length || (isQuiet && !this.isQuietTold)) {
      this.shown = this.length;
      this.isQuietTold = isQuiet;
      this.options.unfinished(this.pendingLine(), isQuiet);
    }
    if (!this.isQuietTold && this.length > 0) this.lookSoon();
  }
}
