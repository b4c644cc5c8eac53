import type { Clock } from "fleetrig/kernel";
import { ChannelReceiver } from "./channel-receiver.js";
import { ChannelSender } from "./channel-sender.js";
import { FRAME, type Frame } from "./frame.js";
import type { LinkCounters } from "./link-counters.js";

/** Channel of JSON messages. */
export const CONTROL = 0;
/** Channel of bytes: what would be on the board's socket. */
export const NETWORK = 1;

const EMPTY = new Uint8Array(0);

/** What an end decides about a frame; the rest of it follows from the state of the session. */
export interface OutgoingFrame {
  readonly type: number;
  readonly channel: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface ReliableChannelsOptions {
  readonly clock: Clock;
  readonly counters: LinkCounters;
  readonly windowFrames: number;
  readonly maxPayloadBytes: number;
  /** Of the other end, as it opened the session. */
  readonly creditBytes: number;
  readonly baud: number;
  transmit(frame: OutgoingFrame): void;
  delivered(channel: number, payload: Uint8Array, isEnd: boolean): void;
  gaveUp(): void;
}

/** Both directions of one session's channels; a new session begins with new ones. */
export class ReliableChannels {
  private readonly sender: ChannelSender;
  private readonly receiver: ChannelReceiver;

  constructor(options: ReliableChannelsOptions) {
    const { counters, transmit } = options;
    this.sender = new ChannelSender({
      ...options,
      transmit: (piece) => {
        counters.dataOut += 1;
        transmit({
          type: FRAME.data,
          channel: piece.channelBits,
          sequence: piece.sequence,
          payload: piece.payload,
        });
      },
    });
    this.receiver = new ChannelReceiver({
      ...options,
      acknowledge: () => transmit({ type: FRAME.ack, channel: 0, sequence: 0, payload: EMPTY }),
    });
  }

  /** `acknowledged` of the next frame that leaves. */
  get expected(): number {
    return this.receiver.expected;
  }

  pendingBytes(channel: number): number {
    return this.sender.pendingBytes(channel);
  }

  send(channel: number, bytes: Uint8Array, isEnd: boolean): void {
    this.sender.send(channel, bytes, isEnd);
  }

  /** Any frame of the session. */
  received(frame: Frame): void {
    this.sender.acknowledged(frame.acknowledged, frame.credit, frame.type === FRAME.ack);
    if (frame.type === FRAME.data) this.receiver.received(frame);
  }

  /** A frame of the session leaves. */
  frameLeft(): void {
    this.receiver.acknowledged();
  }

  stop(): void {
    this.sender.stop();
    this.receiver.stop();
  }
}
