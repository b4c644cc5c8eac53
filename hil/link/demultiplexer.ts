import type { Clock } from "fleetrig/kernel";
import { Deadline } from "./deadline.js";
import {
  CARRIAGE_RETURN,
  decodeCobsFrame,
  decodeLineFrame,
  FRAME_MAX_BYTES,
  FRAME_START,
  LINE_FEED,
  LINE_START,
  type Frame,
  type FrameEncoding,
} from "./frame.js";
import type { LinkCounters } from "./link-counters.js";

/** A frame that gets no byte for this long was none. */
const IDLE_US = 100_000;
/** Noticed so late, it was this process that was held up: what has come in meanwhile is read first. */
const LATE_US = 5_000;
const GRACE_US = 20_000;

/** After a longer pause it is no longer the rest of a frame what comes. */
const REST_US = 1_000_000;

/** A board may also send a panic's text on purpose: within this time of one that ended a frame, no other does, so a repetition gets through. */
const PANIC_AGAIN_US = 2_000_000;
const PANIC_LINE_MAX_BYTES = 200;

/** Who hears of the two lanes, in the order in which they came. */
export interface LaneReceiver {
  /**
   * Bytes of the text lane, never a zero.
   * @param atUs When the first of them came. The bytes are the receiver's to keep.
   */
  text(bytes: Uint8Array, atUs: number): void;
  /** @param atUs When the first byte of the frame came. */
  frame(frame: Frame, atUs: number, encoding: FrameEncoding): void;
}

/**
 * Takes the two lanes of a serial line apart (PROTOCOL.md §1), both encodings at once. Every byte that comes in goes out again, in a frame
 * or as text, except the zeros between frames: what a panic cuts in half is still read by people. A frame that
 * comes late goes out as both.
 */
export class Demultiplexer {
  private lane: "text" | "cobs" | "line" = "text";
  private readonly held = new Uint8Array(FRAME_MAX_BYTES);
  private heldBytes = 0;
  private heldSinceUs = 0;
  /** Where in `held` the line begins that is being read, were it text. */
  private lineFrom = 0;
  /** How the frame in `held` is encoded that was cut because nothing came: all of it is told, and its rest may still come. */
  private cutEncoding: FrameEncoding | undefined;
  private panickedUs = Number.NEGATIVE_INFINITY;
  private readonly idle: Deadline;

  /** @param isPanic Whether a line says that the firmware dies: in the middle of a frame it ends the frame, without a wait. */
  constructor(
    clock: Clock,
    private readonly counters: LinkCounters,
    private readonly receiver: LaneReceiver,
    private readonly isPanic: (line: string) => boolean = () => false,
  ) {
    this.idle = new Deadline(clock, (lateUs) => this.cut(lateUs));
  }

  received(bytes: Uint8Array, atUs: number): void {
    this.counters.bytesIn += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      if (this.cutEncoding !== undefined) at = this.readRest(bytes, at, atUs, this.cutEncoding);
      else if (this.lane === "text") at = this.readText(bytes, at, atUs);
      else if (this.lane === "cobs") at = this.readCobs(bytes, at, atUs);
      else at = this.readLine(bytes, at, atUs);
    }
    if (this.lane === "text") this.idle.clear();
    else this.idle.set(IDLE_US);
  }

  /** Hands out what it holds: nothing more will come. */
  stop(): void {
    this.idle.stop();
    if (this.cutEncoding === undefined) this.spill();
    else this.forgetCut();
    this.lane = "text";
  }

  private readText(bytes: Uint8Array, from: number, atUs: number): number {
    let end = from;
    while (end < bytes.length && bytes[end] !== FRAME_START && bytes[end] !== LINE_START) end += 1;
    if (end > from) this.emitText(bytes.subarray(from, end), atUs);
    if (end === bytes.length) return end;
    if (bytes[end] === FRAME_START) this.lane = "cobs";
    else this.beginLine(atUs);
    return end + 1;
  }

  private readCobs(bytes: Uint8Array, from: number, atUs: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte !== FRAME_START) {
        if (!this.hold(byte, atUs)) return at;
        if (byte === LINE_FEED && this.cutByPanic(atUs)) return at + 1;
      } else if (this.heldBytes > 0 && this.endCobs()) return at + 1;
    }
    return bytes.length;
  }

  /** @returns whether it was a frame. If not, the zero that ended it may begin the next one. */
  private endCobs(): boolean {
    const frame = decodeCobsFrame(this.held.subarray(0, this.heldBytes));
    if (frame === undefined) {
      this.counters.badFrames += 1;
      this.spill();
      return false;
    }
    this.emitFrame(frame, "cobs");
    return true;
  }

  private readLine(bytes: Uint8Array, from: number, atUs: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte === FRAME_START || byte === LINE_START) {
        this.counters.badFrames += 1;
        this.spill();
        if (byte === FRAME_START) this.lane = "cobs";
        else this.beginLine(atUs);
        return at + 1;
      }
      if (!this.hold(byte, atUs)) return at;
      if (byte === LINE_FEED) {
        this.endLine();
        return at + 1;
      }
    }
    return bytes.length;
  }

  private beginLine(atUs: number): void {
    this.lane = "line";
    this.hold(LINE_START, atUs);
  }

  private endLine(): void {
    const frame = decodeLineFrame(withoutReturn(this.held.subarray(1, this.heldBytes - 1)));
    if (frame !== undefined) {
      this.emitFrame(frame, "line");
      return;
    }
    this.counters.badFrames += 1;
    this.lane = "text";
    this.spill();
  }

  /** @returns false when no frame is that long: then all of it was text, and so is what follows. */
  private hold(byte: number, atUs: number): boolean {
    if (this.heldBytes === FRAME_MAX_BYTES) {
      this.counters.longFrames += 1;
      this.lane = "text";
      this.spill();
      return false;
    }
    if (this.heldBytes === 0) {
      this.heldSinceUs = atUs;
      this.lineFrom = 0;
    }
    this.held[this.heldBytes] = byte;
    this.heldBytes += 1;
    return true;
  }

  private cutByPanic(atUs: number): boolean {
    const from = Math.max(this.lineFrom, this.heldBytes - PANIC_LINE_MAX_BYTES);
    this.lineFrom = this.heldBytes;
    if (atUs - this.panickedUs < PANIC_AGAIN_US) return false;
    const end = this.held[this.heldBytes - 2] === CARRIAGE_RETURN ? this.heldBytes - 2 : this.heldBytes - 1;
    if (!this.isPanic(Buffer.from(this.held.subarray(from, end)).toString("latin1"))) return false;
    this.panickedUs = atUs;
    this.counters.cutFrames += 1;
    this.lane = "text";
    this.spill();
    return true;
  }

  private cut(lateUs: number): void {
    if (lateUs > LATE_US) {
      this.idle.set(GRACE_US);
      return;
    }
    const { lane, heldBytes } = this;
    this.lane = "text";
    if (lane === "text" || heldBytes === 0) return;
    this.counters.cutFrames += 1;
    this.spill();
    this.heldBytes = heldBytes;
    this.cutEncoding = lane;
  }

  /** Text at once, as a panic would be; and if a frame becomes whole by it, that too. */
  private readRest(bytes: Uint8Array, from: number, atUs: number, encoding: FrameEncoding): number {
    const ends = encoding === "cobs" ? [FRAME_START] : [LINE_FEED, FRAME_START, LINE_START];
    let end = from;
    while (end < bytes.length && !ends.includes(bytes[end]!)) end += 1;
    const rest = bytes.subarray(from, end);
    if (atUs - this.heldSinceUs > REST_US || this.heldBytes + rest.length > FRAME_MAX_BYTES) {
      this.forgetCut();
      return from;
    }
    if (rest.length > 0) this.emitText(rest, atUs);
    this.held.set(rest, this.heldBytes);
    this.heldBytes += rest.length;
    if (end === bytes.length) return end;
    const whole = this.held.subarray(0, this.heldBytes);
    const frame =
      encoding === "cobs" ? decodeCobsFrame(whole) : decodeLineFrame(withoutReturn(whole.subarray(1)));
    this.forgetCut();
    // Otherwise what ended it may begin the next one.
    if (frame === undefined) return end;
    if (encoding === "line") this.emitText(bytes.subarray(end, end + 1), atUs);
    this.counters.lateFrames += 1;
    this.emitFrame(frame, encoding);
    return end + 1;
  }

  private forgetCut(): void {
    this.cutEncoding = undefined;
    this.heldBytes = 0;
  }

  private spill(): void {
    const bytes = this.held.slice(0, this.heldBytes);
    this.heldBytes = 0;
    if (bytes.length > 0) this.emitText(bytes, this.heldSinceUs);
  }

  private emitText(bytes: Uint8Array, atUs: number): void {
    this.counters.textBytes += bytes.length;
    this.receiver.text(bytes, atUs);
  }

  private emitFrame(frame: Frame, encoding: FrameEncoding): void {
    this.lane = "text";
    this.heldBytes = 0;
    this.counters.framesIn += 1;
    this.receiver.frame(frame, this.heldSinceUs, encoding);
  }
}

const withoutReturn = (line: Uint8Array): Uint8Array =>
  line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
