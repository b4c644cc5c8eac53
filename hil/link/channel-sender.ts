import type { Clock } from "fleetrig/kernel";
import { Deadline } from "./deadline.js";
import { MESSAGE_END, wireBytes } from "./frame.js";
import type { LinkCounters } from "./link-counters.js";

const RTO_MIN_US = 60_000;
const RTO_MAX_US = 1_000_000;
/** Before anything was measured. */
const SRTT_INITIAL_US = 250_000;
/** Nothing acknowledged, and nothing heard. */
const SILENT_MAX_US = 5_000_000;
/** Nothing acknowledged: a bad line may need many tries. */
const UNACKNOWLEDGED_MAX_US = 20_000_000;
/** Noticed so late that the time was up, this process was held up: what has come in meanwhile is read first. */
const LATE_US = 5_000;
const GRACE_US = 20_000;
const SEQUENCES = 0x1_0000;
const BITS_PER_BYTE = 10;
const EMPTY = new Uint8Array(0);

/** A piece of a channel as it waits for its frame, and then for the other end to have it. */
export interface Piece {
  readonly channelBits: number;
  readonly payload: Uint8Array;
  readonly sequence: number;
  sentAtUs: number;
  sendings: number;
}

export interface ChannelSenderOptions {
  readonly clock: Clock;
  readonly counters: LinkCounters;
  readonly windowFrames: number;
  readonly maxPayloadBytes: number;
  readonly creditBytes: number;
  /** Bits per second on the wire, for how long a frame takes. */
  readonly baud: number;
  /** Makes a DATA frame of it, with the acknowledgement of the moment. */
  transmit(piece: Piece): void;
  /** Nothing was acknowledged for too long. The sender does nothing more. */
  gaveUp(): void;
}

/** (a - b) modulo 2^16. */
const distance = (a: number, b: number): number => (a - b + SEQUENCES) % SEQUENCES;

/**
 * One direction of all channels as its sender sees it (PROTOCOL.md §3): go-back-N within a window of frames and the other end's credit.
 *
 * Pieces `0 .. flying - 1` of the queue are under way, the rest wait. After going back, repeated acknowledgements that the frames from
 * before still cause must not make it go back again, or two spurious repetitions would feed each other for ever: see `mayBeEcho`.
 */
export class ChannelSender {
  private queue: Piece[] = [];
  private head = 0;
  private flying = 0;
  private flyingBytes = 0;
  private queuedBytesByChannel = new Map<number, number>();
  private nextSequence = 0;
  private creditBytes: number;
  private srttUs: number | undefined;
  private repetitions = 0;
  private repeatedAcks = 0;
  /** The oldest frame is the oldest since. */
  private oldestSinceUs = 0;
  private heardUs = 0;
  /** It went back because of acknowledgements, and the oldest frame is still the same. */
  private quietUntilUs = 0;
  /** Numbers after the last frame, each time it went back, as long as they are still to come. */
  private readonly echoes = new Set<number>();
  private readonly due: Deadline;
  private isExcused = false;

  constructor(private readonly options: ChannelSenderOptions) {
    this.creditBytes = options.creditBytes;
    this.due = new Deadline(options.clock, (lateUs) => this.timedOut(lateUs));
  }

  /** Bytes of a channel that the other end has not acknowledged, sent or not. */
  pendingBytes(channel: number): number {
    return this.queuedBytesByChannel.get(channel) ?? 0;
  }

  /** Queues bytes of a channel, cut into pieces; `isEnd`: a message ends with them. */
  send(channel: number, bytes: Uint8Array, isEnd: boolean): void {
    const { maxPayloadBytes } = this.options;
    for (let at = 0; at === 0 || at < bytes.length; at += maxPayloadBytes) {
      const isLast = at + maxPayloadBytes >= bytes.length;
      this.queue.push({
        channelBits: channel | (isEnd && isLast ? MESSAGE_END : 0),
        payload: bytes.subarray(at, at + maxPayloadBytes),
        sequence: this.nextSequence,
        sentAtUs: 0,
        sendings: 0,
      });
      this.nextSequence = (this.nextSequence + 1) % SEQUENCES;
    }
    this.queuedBytesByChannel.set(channel, this.pendingBytes(channel) + bytes.length);
    this.pump();
  }

  /**
   * Takes what every frame of the session says.
   * @param isAck It says nothing else: then saying the same again means that something is missing.
   */
  acknowledged(sequence: number, creditBytes: number, isAck: boolean): void {
    this.heardUs = this.options.clock.nowUs();
    const oldest = this.queue[this.head];
    const count = oldest === undefined ? 0 : distance(sequence, oldest.sequence);
    if (count > this.flying) return;
    this.creditBytes = creditBytes;
    if (count > 0) this.advance(count);
    else if (isAck && this.flying > 0) this.ackRepeated(oldest!);
    this.pump();
  }

  stop(): void {
    this.due.stop();
    this.queue = [];
    this.head = 0;
    this.flying = 0;
    this.queuedBytesByChannel.clear();
  }

  private advance(count: number): void {
    const nowUs = this.options.clock.nowUs();
    let measured: Piece | undefined;
    for (let n = 0; n < count; n += 1) {
      const piece = this.queue[this.head]!;
      this.head += 1;
      this.flying -= 1;
      this.flyingBytes -= piece.payload.length;
      this.echoes.delete(piece.sequence);
      const channel = piece.channelBits & ~MESSAGE_END;
      this.queuedBytesByChannel.set(channel, this.pendingBytes(channel) - piece.payload.length);
      measured = piece.sendings === 1 ? piece : undefined;
    }
    if (measured !== undefined) this.measure(nowUs - measured.sentAtUs);
    if (this.head > 1_024 || this.head === this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    this.repetitions = 0;
    this.repeatedAcks = 0;
    this.quietUntilUs = 0;
    this.isExcused = false;
    this.oldestSinceUs = nowUs;
    if (this.flying > 0) this.due.set(this.rtoUs());
    else this.due.clear();
  }

  /** Karn: of frames that were sent once, since nobody knows which sending of others was acknowledged. */
  private measure(rttUs: number): void {
    this.srttUs = this.srttUs === undefined ? rttUs : this.srttUs + (rttUs - this.srttUs) / 8;
  }

  private rtoUs(): number {
    const oldest = this.queue[this.head];
    const wireUs = Math.max(4 * this.wireUs(oldest?.payload.length ?? 0), 2 * this.flyingWireUs());
    const rtoUs = 2 * (this.srttUs ?? SRTT_INITIAL_US) + wireUs;
    return Math.min(
      // On a slow line one window takes longer than that.
      Math.max(RTO_MAX_US, wireUs),
      Math.max(RTO_MIN_US, rtoUs) * 2 ** this.repetitions,
      this.flying > 0 ? this.giveUpUs - this.options.clock.nowUs() : RTO_MAX_US,
    );
  }

  private get giveUpUs(): number {
    const { oldestSinceUs, heardUs } = this;
    return Math.min(Math.max(oldestSinceUs, heardUs) + SILENT_MAX_US, oldestSinceUs + UNACKNOWLEDGED_MAX_US);
  }

  private flyingWireUs(): number {
    return this.flying * this.wireUs(0) + (this.flyingBytes * BITS_PER_BYTE * 1_000_000) / this.options.baud;
  }

  private wireUs(payloadBytes: number): number {
    return (wireBytes(payloadBytes) * BITS_PER_BYTE * 1_000_000) / this.options.baud;
  }

  private ackRepeated(oldest: Piece): void {
    if (this.mayBeEcho(oldest.sequence)) return;
    this.repeatedAcks += 1;
    if (this.repeatedAcks === 2) this.goBack("repeatedByAck");
  }

  /**
   * Whether a repeated acknowledgement may be due to what was sent before. Frames that were repeated without need are all answered with
   * the number after the last of them, before anything newer is. And what was on its way when acknowledgements made it go back is
   * still answered with the number of the frame that was missing, for a round trip.
   */
  private mayBeEcho(sequence: number): boolean {
    return this.echoes.has(sequence) || this.options.clock.nowUs() < this.quietUntilUs;
  }

  private goBack(cause: "repeatedByTimeout" | "repeatedByAck"): void {
    const { counters, clock } = this.options;
    const pieces = this.queue.slice(this.head, this.head + this.flying);
    const quietUs = cause === "repeatedByAck" ? (this.srttUs ?? SRTT_INITIAL_US) : 0;
    this.quietUntilUs = clock.nowUs() + quietUs;
    this.repeatedAcks = 0;
    // When the time is up, what was caused before has come.
    if (cause === "repeatedByTimeout") this.echoes.clear();
    this.echoes.add((pieces[0]!.sequence + pieces.length) % SEQUENCES);
    this.due.set(this.rtoUs());
    for (const piece of pieces) {
      counters[cause] += 1;
      this.transmit(piece);
    }
  }

  private timedOut(lateUs: number): void {
    if (this.flying === 0) {
      this.askForCredit();
      return;
    }
    if (lateUs > LATE_US && !this.isExcused) {
      this.isExcused = true;
      this.due.set(GRACE_US);
      return;
    }
    this.isExcused = false;
    if (this.options.clock.nowUs() >= this.giveUpUs) {
      this.stop();
      this.options.gaveUp();
      return;
    }
    this.repetitions += 1;
    this.goBack("repeatedByTimeout");
  }

  /** An empty frame that came before, as it seems, is answered at once, and the answer says how much credit there is. */
  private askForCredit(): void {
    const oldest = this.queue[this.head];
    if (oldest === undefined) return;
    this.options.counters.creditProbes += 1;
    this.transmit({
      channelBits: oldest.channelBits & ~MESSAGE_END,
      payload: EMPTY,
      sequence: (oldest.sequence + SEQUENCES - 1) % SEQUENCES,
      sentAtUs: 0,
      sendings: 0,
    });
    this.repetitions += 1;
    this.due.set(this.rtoUs());
  }

  private pump(): void {
    const { windowFrames, clock } = this.options;
    for (;;) {
      const piece = this.queue[this.head + this.flying];
      if (piece === undefined || this.flying >= windowFrames) break;
      if (this.flyingBytes + piece.payload.length > this.creditBytes) break;
      if (this.flying === 0) {
        this.oldestSinceUs = clock.nowUs();
        this.repetitions = 0;
        this.due.clear();
      }
      this.flying += 1;
      this.flyingBytes += piece.payload.length;
      this.transmit(piece);
    }
    if (!this.due.isSet && this.head < this.queue.length) this.due.set(this.rtoUs());
  }

  private transmit(piece: Piece): void {
    piece.sentAtUs = this.options.clock.nowUs();
    piece.sendings += 1;
    this.options.transmit(piece);
  }
}
