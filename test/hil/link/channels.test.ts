import { VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { ChannelReceiver } from "../../../hil/link/channel-receiver.js";
import { ChannelSender, type ChannelSenderOptions } from "../../../hil/link/channel-sender.js";
import { MESSAGE_END } from "../../../hil/link/frame.js";
import { createLinkCounters } from "../../../hil/link/link-counters.js";

const MS = 1_000;
const FAST_LINE_BAUD = 100_000_000;

class Sending {
  readonly time = new VirtualTime();
  readonly counters = createLinkCounters();
  /** Sequences as they left, with the time in ms. */
  readonly left: [number, number][] = [];
  readonly channels: number[] = [];
  gaveUpAtMs: number | undefined;
  readonly sender: ChannelSender;

  constructor(options: Partial<ChannelSenderOptions> = {}) {
    this.sender = new ChannelSender({
      clock: this.time.lane(1),
      counters: this.counters,
      windowFrames: 4,
      maxPayloadBytes: 100,
      creditBytes: 10_000,
      baud: FAST_LINE_BAUD,
      transmit: (piece) => {
        this.left.push([piece.sequence, this.time.nowUs() / MS]);
        this.channels.push(piece.channelBits);
      },
      gaveUp: () => {
        this.gaveUpAtMs = this.time.nowUs() / MS;
      },
      ...options,
    });
  }

  send(count: number, bytes = 10): void {
    for (let n = 0; n < count; n += 1) this.sender.send(1, new Uint8Array(bytes), false);
  }

  ack(sequence: number, creditBytes = 10_000): void {
    this.sender.acknowledged(sequence, creditBytes, true);
  }

  wait(durationMs: number): void {
    this.time.advance(durationMs * MS);
  }

  /** Sequences that left since it was asked last. */
  taken(): number[] {
    return this.left.splice(0).map(([sequence]) => sequence);
  }

  /** A measured round trip, so that RTO is known: 60 ms at least. */
  static measured(rttMs: number): Sending {
    const sending = new Sending();
    sending.send(1);
    sending.wait(rttMs);
    sending.ack(1);
    sending.taken();
    return sending;
  }
}

describe("ChannelSender", () => {
  it("has no more frames under way than the window", () => {
    const sending = new Sending();
    sending.send(10);
    expect(sending.taken()).toEqual([0, 1, 2, 3]);
    sending.ack(2);
    expect(sending.taken()).toEqual([4, 5]);
    sending.sender.acknowledged(6, 10_000, false);
    expect(sending.taken()).toEqual([6, 7, 8, 9]);
  });

  it("has no more bytes under way than the credit", () => {
    const sending = new Sending({ creditBytes: 25 });
    sending.send(5);
    expect(sending.taken()).toEqual([0, 1]);
    sending.ack(1, 10);
    expect(sending.taken()).toEqual([]);
    sending.ack(2, 30);
    expect(sending.taken()).toEqual([2, 3, 4]);
  });

  it("cuts bytes into pieces, and only the last one of a message ends it", () => {
    const sending = new Sending();
    sending.sender.send(0, new Uint8Array(250), true);
    sending.ack(3);
    sending.sender.send(1, new Uint8Array(200), false);
    sending.ack(5);
    sending.sender.send(0, new Uint8Array(0), true);
    expect(sending.channels).toEqual([0, 0, MESSAGE_END, 1, 1, MESSAGE_END]);
  });

  it("counts what each channel has not got through", () => {
    const sending = new Sending();
    sending.sender.send(0, new Uint8Array(250), true);
    sending.send(2, 50);
    expect([sending.sender.pendingBytes(0), sending.sender.pendingBytes(1)]).toEqual([250, 100]);
    sending.ack(3);
    expect([sending.sender.pendingBytes(0), sending.sender.pendingBytes(1)]).toEqual([0, 100]);
  });

  it("goes back at RTO, which doubles up to 1 s, and gives up after 5 s", () => {
    const sending = Sending.measured(5);
    const startMs = sending.time.nowUs() / MS;
    sending.send(2);
    sending.wait(6_000);
    const repeatedMs = sending.left.filter(([sequence]) => sequence === 1).map(([, ms]) => ms - startMs);
    expect(repeatedMs).toEqual([0, 60, 180, 420, 900, 1_860, 2_860, 3_860, 4_860]);
    expect(sending.left.filter(([sequence]) => sequence === 2).length).toBe(repeatedMs.length);
    expect(sending.gaveUpAtMs).toBe(startMs + 5_000);
    expect(sending.counters.repeatedByTimeout).toBe(2 * (repeatedMs.length - 1));
    expect(sending.time.heap.size).toBe(0);
  });

  it("tries for 20 s while it hears the other end, which has missed the frame each time", () => {
    const sending = Sending.measured(5);
    const startMs = sending.time.nowUs() / MS;
    sending.send(1);
    for (let s = 0; s < 25; s += 1) {
      sending.wait(1_000);
      if (sending.gaveUpAtMs === undefined) sending.sender.acknowledged(1, 10_000, false);
    }
    expect(sending.gaveUpAtMs).toBe(startMs + 20_000);
    expect(sending.counters.repeatedByTimeout).toBeGreaterThanOrEqual(20);
  });

  it("waits for two round trips and four frame times, between 60 ms and 1 s", () => {
    const rtoMs = (rttMs: number, baud: number): number => {
      const sending = new Sending({ baud });
      sending.send(1, 100);
      sending.wait(rttMs);
      sending.ack(1);
      const startMs = sending.time.nowUs() / MS;
      sending.send(1, 100);
      sending.taken();
      sending.wait(1_500);
      return sending.left[0]![1] - startMs;
    };
    expect(rtoMs(5, FAST_LINE_BAUD)).toBe(60);
    expect(rtoMs(100, FAST_LINE_BAUD)).toBeCloseTo(200, 0);
    // 125 bytes of 10 bits at 9600 baud take 130 ms.
    expect(rtoMs(100, 9_600)).toBeCloseTo(200 + 4 * 130.2, 0);
    expect(rtoMs(450, 9_600)).toBe(1_000);
  });

  it("does not measure round trips of frames that were repeated (Karn)", () => {
    const sending = Sending.measured(50);
    sending.send(1);
    sending.wait(800);
    sending.ack(2);
    sending.taken();
    const startMs = sending.time.nowUs() / MS;
    sending.send(1);
    sending.wait(150);
    expect(sending.left[1]![1] - startMs).toBeLessThan(110);
  });

  it("goes back at once on the second repeated acknowledgement, and once", () => {
    const sending = Sending.measured(5);
    sending.send(4);
    sending.taken();
    sending.ack(1);
    expect(sending.taken()).toEqual([]);
    sending.ack(1);
    expect(sending.taken()).toEqual([1, 2, 3, 4]);
    for (let n = 0; n < 5; n += 1) sending.ack(1);
    expect(sending.taken()).toEqual([]);
    expect(sending.counters).toMatchObject({ repeatedByAck: 4, repeatedByTimeout: 0 });
    // After a round trip they can only mean that the frame was lost once more.
    sending.wait(6);
    sending.ack(1);
    sending.ack(1);
    expect(sending.taken()).toEqual([1, 2, 3, 4]);
  });

  it("goes back again when a repeated frame is lost too", () => {
    const sending = Sending.measured(5);
    sending.send(4);
    sending.ack(1);
    sending.ack(1);
    sending.taken();
    // Frame 1 has come, 2 is missing, 3 and 4 say so: this cannot be an echo.
    sending.ack(2);
    sending.ack(2);
    expect(sending.taken()).toEqual([]);
    sending.ack(2);
    expect(sending.taken()).toEqual([2, 3, 4]);
  });

  it("goes back on repeated acknowledgements right after RTO, when nothing old is under way", () => {
    const sending = Sending.measured(5);
    sending.send(4);
    sending.wait(60);
    sending.taken();
    sending.ack(1);
    sending.ack(1);
    expect(sending.taken()).toEqual([1, 2, 3, 4]);
  });

  it("does not take echoes of needless repetitions for losses", () => {
    const sending = Sending.measured(5);
    sending.send(8);
    sending.wait(60);
    sending.taken();
    // All four had come; the acknowledgement was late. Each repetition is answered with the same number.
    for (let n = 0; n < 4; n += 1) sending.ack(5);
    expect(sending.taken()).toEqual([5, 6, 7, 8]);
  });

  it("takes acknowledgements on other frames without suspicion", () => {
    const sending = Sending.measured(5);
    sending.send(2);
    for (let n = 0; n < 5; n += 1) sending.sender.acknowledged(1, 10_000, false);
    expect(sending.taken()).toEqual([1, 2]);
  });

  it("takes nothing from acknowledgements of what it has not sent", () => {
    const sending = new Sending();
    sending.send(6);
    sending.ack(5, 0);
    sending.ack(40_000, 0);
    expect(sending.taken()).toEqual([0, 1, 2, 3]);
    sending.ack(4);
    expect(sending.taken()).toEqual([4, 5]);
  });

  it("asks for credit with frames that must seem to have come before", () => {
    const sending = Sending.measured(5);
    sending.ack(1, 0);
    sending.send(1);
    expect(sending.taken()).toEqual([]);
    sending.wait(200);
    expect(sending.taken()).toEqual([0, 0]);
    sending.ack(1, 100);
    expect(sending.taken()).toEqual([1]);
    expect(sending.counters.creditProbes).toBe(2);
    sending.ack(2);
    expect(sending.gaveUpAtMs).toBeUndefined();
  });

  it("asks for credit when it had none from the beginning", () => {
    const sending = new Sending({ creditBytes: 0 });
    sending.send(1);
    sending.wait(600);
    expect(sending.taken()).toEqual([65_535]);
    sending.ack(0, 100);
    expect(sending.taken()).toEqual([0]);
  });

  it("goes on after the sequence numbers have come round", () => {
    const sending = new Sending();
    for (let n = 0; n < 70_000; n += 1) {
      sending.send(1);
      sending.ack((n + 1) % 65_536);
    }
    expect(sending.taken()).toEqual(Array.from({ length: 70_000 }, (_, n) => n % 65_536));
  });
});

describe("ChannelReceiver", () => {
  const receiving = (windowFrames: number) => {
    const time = new VirtualTime();
    const counters = createLinkCounters();
    const taken: number[] = [];
    const acknowledgedMs: number[] = [];
    const receiver: ChannelReceiver = new ChannelReceiver({
      clock: time.lane(1),
      counters,
      windowFrames,
      delivered: (_, payload) => taken.push(payload[0]!),
      acknowledge: () => {
        acknowledgedMs.push(time.nowUs() / MS);
        receiver.acknowledged();
      },
    });
    const receive = (sequence: number): void =>
      receiver.received({
        type: 1,
        channel: 1,
        sequence,
        acknowledged: 0,
        credit: 0,
        session: 1,
        timeUs: 0,
        payload: Uint8Array.of(sequence & 0xff),
      });
    return { time, counters, taken, acknowledgedMs, receiver, receive };
  };

  it("acknowledges within 10 ms, unless a frame that leaves has done so", () => {
    const { time, acknowledgedMs, receiver, receive } = receiving(8);
    receive(0);
    time.advance(5 * MS);
    receive(1);
    time.advance(20 * MS);
    expect(acknowledgedMs).toEqual([10]);
    receive(2);
    receiver.acknowledged();
    time.advance(50 * MS);
    expect(acknowledgedMs).toEqual([10]);
  });

  it("acknowledges at once when half of the window has come", () => {
    const { acknowledgedMs, receive } = receiving(4);
    for (let n = 0; n < 4; n += 1) receive(n);
    expect(acknowledgedMs).toEqual([0, 0]);
  });

  it("takes only the frame that it expects, and says so at once", () => {
    const { counters, taken, acknowledgedMs, receiver, receive } = receiving(16);
    for (const sequence of [0, 2, 3, 0, 65_535, 1]) receive(sequence);
    expect(taken).toEqual([0, 1]);
    expect(acknowledgedMs.length).toBe(4);
    expect(counters).toMatchObject({ dataIn: 6, gaps: 2, duplicates: 2 });
    expect(receiver.expected).toBe(2);
  });
});
