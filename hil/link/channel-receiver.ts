import type { Clock } from "fleetrig/kernel";
import { Deadline } from "./deadline.js";
import { CHANNEL_MASK, type Frame, MESSAGE_END } from "./frame.js";
import type { LinkCounters } from "./link-counters.js";

const ACK_DELAY_US = 10_000;
const SEQUENCES = 0x1_0000;

export interface ChannelReceiverOptions {
  readonly clock: Clock;
  readonly counters: LinkCounters;
  readonly windowFrames: number;
  /** A piece of a channel, in order. */
  delivered(channel: number, payload: Uint8Array, isEnd: boolean): void;
  /** Sends an ACK now. */
  acknowledge(): void;
}

/** The other direction: takes the frame that it expects and nothing else, and sees to it that the other end hears of it. */
export class ChannelReceiver {
  private expectedSequence = 0;
  private unacknowledgedFrames = 0;
  private readonly ackDue: Deadline;

  constructor(private readonly options: ChannelReceiverOptions) {
    this.ackDue = new Deadline(options.clock, () => options.acknowledge());
  }

  /** Next sequence expected: `acknowledged` of every frame that leaves. */
  get expected(): number {
    return this.expectedSequence;
  }

  received(frame: Frame): void {
    const { counters, windowFrames } = this.options;
    counters.dataIn += 1;
    const ahead = (frame.sequence - this.expectedSequence + SEQUENCES) % SEQUENCES;
    if (ahead !== 0) {
      counters[ahead < SEQUENCES / 2 ? "gaps" : "duplicates"] += 1;
      this.options.acknowledge();
      return;
    }
    this.expectedSequence = (this.expectedSequence + 1) % SEQUENCES;
    this.unacknowledgedFrames += 1;
    // A window that is half used up is a sender that will soon wait.
    if (this.unacknowledgedFrames * 2 >= windowFrames) this.options.acknowledge();
    else if (!this.ackDue.isSet) this.ackDue.set(ACK_DELAY_US);
    this.options.delivered(frame.channel & CHANNEL_MASK, frame.payload, (frame.channel & MESSAGE_END) !== 0);
  }

  /** A frame leaves, and says what is expected. */
  acknowledged(): void {
    this.unacknowledgedFrames = 0;
    this.ackDue.clear();
  }

  stop(): void {
    this.ackDue.stop();
  }
}
