import type { Socket } from "node:net";
import type { Timer } from "fleetrig/kernel";
import type { Direction } from "../links/link-fault.js";
import type { DirectionState } from "../links/link-path.js";
import type { OutgoingBytes } from "./byte-faults.js";
import type { DevicePath } from "./device-paths.js";
import type { Piece } from "./frame-cutter.js";
import { JoinedWrites } from "./joined-writes.js";
import type { ProxyTally } from "./proxy-counters.js";

/** How a stream ends: in order, by a reset, or in order for both sides because a fault says so. */
export type StreamEnd = "fin" | "reset" | "both";

/** One direction of one connection. */
export interface ProxyLaneOptions {
  readonly direction: Direction;
  readonly path: DevicePath;
  readonly source: Socket;
  readonly target: Socket;
  readonly tally: ProxyTally;
  /** The end of the stream has its turn: everything before it was passed on. */
  readonly ended: (direction: Direction, end: StreamEnd) => void;
}

/** Something that waits for its turn, in order. */
interface Held {
  readonly bytes: Uint8Array;
  readonly end: StreamEnd | undefined;
  readonly sliceBytes: number;
  readonly gapUs: number;
  dueUs: number;
  /** Bytes already written. */
  at: number;
  next: Held | undefined;
}

/** So much may wait in one direction before its source is no longer read. */
const WAITING_BYTES_MAX = 1_048_576;
/** What waiting costs besides the bytes: a flood of two-byte packets is not free. */
const HELD_OVERHEAD_BYTES = 256;
const NOTHING = new Uint8Array(0);

/** Passes on what one side sends, when the path says so: at once, later, in slices or never. */
export class ProxyLane implements DirectionState {
  lastArrivalUs = 0;
  busyUntilUs = 0;
  private passedBytes = 0;
  private first: Held | undefined;
  private last: Held | undefined;
  private heldBytes = 0;
  private timer: Timer | undefined;
  private isPaused = false;
  /** The rest of the packet in hand is swallowed too. */
  private isSwallowing = false;
  /** The end of the stream was taken: nothing comes after it. */
  private hasEnd = false;

  private readonly writes: JoinedWrites;

  constructor(private readonly options: ProxyLaneOptions) {
    this.writes = new JoinedWrites(options.target);
  }

  /** Takes what the source sent; to be followed by {@link flush}. */
  pass(piece: Piece): void {
    if (this.hasEnd || (piece.isContinuation && this.isSwallowing)) return;
    const { path, direction, tally } = this.options;
    const arrivalUs = path.link.arrivalUs(this, direction, piece.packet, piece.bytes.length);
    this.isSwallowing = arrivalUs < 0;
    if (this.isSwallowing) {
      tally[direction].droppedPackets += 1;
      return;
    }
    const outgoing = this.bent(piece.bytes);
    const { bytes, sliceBytes, gapUs, isLast } = outgoing;
    this.passedBytes += bytes.length;
    this.hold({ bytes, end: undefined, sliceBytes, gapUs, dueUs: arrivalUs, at: 0, next: undefined });
    if (sliceBytes > 0) this.lastArrivalUs += gapUs * Math.max(0, Math.ceil(bytes.length / sliceBytes) - 1);
    if (isLast) this.holdEnd("both", this.lastArrivalUs);
  }

  /** The source has ended. A link that swallows everything tells nobody. */
  end(end: StreamEnd): void {
    if (this.hasEnd) return;
    const { path, direction } = this.options;
    const arrivalUs = path.link.arrivalUs(this, direction, undefined, 0);
    if (arrivalUs < 0) return;
    this.holdEnd(end, arrivalUs);
    this.flush();
  }

  /** Passes on what is due already. */
  flush(): void {
    if (this.timer === undefined) this.release();
    if (this.isPaused || this.waitingBytes <= WAITING_BYTES_MAX) return;
    this.isPaused = true;
    this.options.source.pause();
  }

  /** What waits is lost, and so is what comes. */
  close(): void {
    this.hasEnd = true;
    this.timer?.cancel();
    this.timer = undefined;
    this.first = undefined;
    this.last = undefined;
    this.heldBytes = 0;
    this.relieve();
  }

  /** Reads on if there is room again; to be called when the target has drained. */
  relieve(): void {
    if (!this.isPaused || this.waitingBytes > WAITING_BYTES_MAX / 2) return;
    this.isPaused = false;
    this.options.source.resume();
  }

  private get waitingBytes(): number {
    return this.heldBytes + this.options.target.writableLength;
  }

  private bent(bytes: Uint8Array): OutgoingBytes {
    const { path, direction } = this.options;
    const { passedBytes } = this;
    const outgoing = { direction, passedBytes, bytes, sliceBytes: 0, gapUs: 0, isLast: false };
    if (path.hasByteFaults) path.bend(outgoing);
    return outgoing;
  }

  private holdEnd(end: StreamEnd, dueUs: number): void {
    this.hasEnd = true;
    this.hold({ bytes: NOTHING, end, sliceBytes: 0, gapUs: 0, dueUs, at: 0, next: undefined });
  }

  private hold(held: Held): void {
    this.heldBytes += held.bytes.length + HELD_OVERHEAD_BYTES;
    if (this.last === undefined) this.first = held;
    else this.last.next = held;
    this.last = held;
  }

  private wait(delayUs: number): void {
    this.timer = this.options.path.link.clock.after(delayUs, wake, this);
  }

  /** The first of what waits is due. */
  wake(): void {
    this.timer = undefined;
    this.release();
    this.relieve();
  }

  /** Passes on what is due; slices come one at a time. */
  private release(): void {
    const { clock } = this.options.path.link;
    const nowUs = clock.nowUs();
    const { target } = this.options;
    target.cork();
    for (let held = this.first; held !== undefined; held = this.first) {
      if (held.dueUs > nowUs) {
        this.wait(held.dueUs - nowUs);
        break;
      }
      if (!this.write(held)) {
        held.dueUs = nowUs + held.gapUs;
        this.wait(held.gapUs);
        break;
      }
      this.remove(held);
    }
    this.writes.flush();
    target.uncork();
  }

  /** @returns whether that was all of it. */
  private write(held: Held): boolean {
    const { bytes, at, sliceBytes } = held;
    const end = sliceBytes > 0 ? Math.min(at + sliceBytes, bytes.length) : bytes.length;
    const { tally, direction } = this.options;
    held.at = end;
    if (end > at) this.writes.add(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    tally[direction].passedBytes += end - at;
    return end === bytes.length;
  }

  private remove(held: Held): void {
    this.first = held.next;
    if (this.first === undefined) this.last = undefined;
    this.heldBytes -= held.bytes.length + HELD_OVERHEAD_BYTES;
    if (held.end === undefined) return;
    this.writes.flush();
    this.options.ended(this.options.direction, held.end);
  }
}

const wake = (lane: ProxyLane): void => lane.wake();
