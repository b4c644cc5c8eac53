import { BoardLink } from "fleetrig/hil";
import { createRandomSource, type Random, VirtualTime } from "fleetrig/kernel";
import { Demultiplexer } from "../../../hil/link/demultiplexer.js";
import { encodeFrame, FRAME, type Frame } from "../../../hil/link/frame.js";
import { createLinkCounters } from "../../../hil/link/link-counters.js";
import { helloOf } from "./virtual-end.js";

/** Payloads that somebody might have written badly, or on purpose. */
const PAYLOADS = [
  "",
  "{}",
  "[]",
  "null",
  "7",
  "{",
  '{"ev":"marker","at":1}',
  '{"ev":7}',
  '{"ev":"__proto__","__proto__":{"polluted":true}}',
  '{"net":"dial","n":1}',
  '{"net":"constructor","n":1}',
  '{"net":"failed","n":1e308,"reason":"refused"}',
  '{"id":1,"ok":true,"value":{"a":[1,2,3]}}',
  '{"id":2,"ok":false,"error":{},"message":[]}',
  '{"id":-1,"ok":"yes"}',
  '{"id":1e400}',
  "[".repeat(200),
  '{"a":'.repeat(80) + "1" + "}".repeat(80),
  "\ufffd\u0000\ud800",
  JSON.stringify(helloOf()),
  JSON.stringify({ ...helloOf(), bootId: 7 }),
  JSON.stringify({ ...helloOf(), window: 1e9, rx: -1 }),
  JSON.stringify({ ...helloOf(), caps: Array(500).fill("x") }),
  JSON.stringify({ ...helloOf(), crash: { kind: "x".repeat(100) } }),
];

const TEXTS = [
  "I (12) app: hello\r\n",
  "Guru Meditation Error: Core  0 panic'ed (Store access fault).\r\n",
  "\x1e",
  "\0",
  "\0\0",
  "\x1eAAAA\n",
  "\u001b[0;31m\n",
];

const EMPTY_FRAME: Frame = {
  type: FRAME.data,
  channel: 0,
  sequence: 0,
  acknowledged: 0,
  credit: 1_000,
  session: 0,
  timeUs: 0,
  payload: new Uint8Array(0),
};

/** A board from whose line anything may come, as long as it is bytes. The same seed gives the same bytes. */
export class HostileBoard {
  readonly time = new VirtualTime();
  readonly link: BoardLink;
  sentBytes = 0;
  /** Commands that came to an end. */
  settled = 0;
  private readonly random: Random;
  private session = 0;
  private latest: Uint8Array = new Uint8Array(1);
  private pieces = 0;

  constructor(seed: number) {
    const source = createRandomSource(seed);
    this.random = source.stream("fuzz");
    // Reads what the host writes, as a board would, for the session's number.
    const ear = new Demultiplexer(this.time.lane(2), createLinkCounters(), {
      text: () => undefined,
      frame: (frame) => {
        this.session = frame.session;
      },
    });
    const nothing = (): void => undefined;
    this.link = new BoardLink({
      clock: this.time.lane(1),
      random: source.stream("link"),
      write: (bytes) => ear.received(bytes, this.time.nowUs()),
      handlers: {
        opened: nothing,
        restarted: nothing,
        lost: nothing,
        text: nothing,
        event: nothing,
        network: nothing,
        networkData: nothing,
      },
    });
    this.link.start();
  }

  /** Sends a piece of something, and lets some time pass. */
  act(): void {
    const { random } = this;
    this.pieces += 1;
    this.send(this.piece());
    if (random.chance(0.3)) this.time.advance(random.below(20_000));
    if (random.chance(0.01)) this.time.advance(random.below(7_000_000));
    if (!random.chance(0.05)) return;
    this.link.sendNetworkData(new Uint8Array(random.below(600)));
    const settle = (): void => {
      this.settled += 1;
    };
    this.link.command("echo", { data: "x".repeat(random.below(500)) }, 1_000_000).then(settle, settle);
  }

  /** Behaves, for once: starts again, and answers OPEN. */
  behave(): void {
    this.sendWhole(Buffer.from("\0"));
    this.time.advance(200_000);
    const payload = Buffer.from(JSON.stringify(helloOf({ bootId: this.pieces })));
    this.sendWhole(encodeFrame({ ...EMPTY_FRAME, type: FRAME.boot, payload }, "cobs"));
    this.sendWhole(
      encodeFrame({ ...EMPTY_FRAME, type: FRAME.opened, session: this.session, payload }, "cobs"),
    );
  }

  private sendWhole(bytes: Uint8Array): void {
    this.sentBytes += bytes.length;
    this.link.received(bytes, this.time.nowUs());
  }

  private send(bytes: Uint8Array): void {
    const { random, link, time } = this;
    this.sentBytes += bytes.length;
    const cut = random.chance(0.3) ? random.below(bytes.length + 1) : bytes.length;
    link.received(bytes.subarray(0, cut), time.nowUs());
    if (random.chance(0.05)) time.advance(random.below(150_000));
    link.received(bytes.subarray(cut), time.nowUs());
  }

  private piece(): Uint8Array {
    const { random } = this;
    const choice = random.below(10);
    if (choice === 0) return Uint8Array.from({ length: random.below(300) }, () => random.below(256));
    if (choice === 1) return Buffer.from(random.pick(TEXTS));
    if (choice === 2) return this.mutated(this.latest);
    if (choice === 3) return this.frame({ type: FRAME.opened, payload: this.payload() });
    this.latest = this.frame({
      type: random.chance(0.6) ? FRAME.data : random.below(10),
      channel: random.pick([0x80, 0x80, 0, 1, 5, 0xff]),
      sequence: random.chance(0.5) ? 0 : random.below(65_536),
      acknowledged: random.chance(0.7) ? random.below(8) : random.below(65_536),
      credit: random.pick([0, 1, 100, 65_535]),
      payload: this.payload(),
    });
    return random.chance(0.3) ? this.mutated(this.latest) : this.latest;
  }

  private payload(): Uint8Array {
    const { random } = this;
    if (random.chance(0.1)) return Uint8Array.from({ length: random.below(1_500) }, () => random.below(256));
    const bytes = Buffer.from(random.pick(PAYLOADS));
    return random.chance(0.2) ? this.mutated(bytes) : bytes;
  }

  private frame(frame: Partial<Frame>): Uint8Array {
    const { random } = this;
    const session = random.chance(0.9) ? this.session : random.uint32();
    const timeUs = random.below(2 ** 48);
    return encodeFrame({ ...EMPTY_FRAME, session, timeUs, ...frame }, random.chance(0.7) ? "cobs" : "line");
  }

  private mutated(bytes: Uint8Array): Uint8Array {
    const { random } = this;
    const list = [...bytes];
    for (let n = 1 + random.below(4); n > 0 && list.length > 0; n -= 1) {
      const at = random.below(list.length);
      const kind = random.below(4);
      if (kind === 0) list[at] = random.below(256);
      else if (kind === 1) list.splice(at, 1 + random.below(8));
      else if (kind === 2) list.splice(at, 0, random.pick([0, 0x1e, 0x0a, 0xff, random.below(256)]));
      else list.splice(at, 0, ...list.slice(at, at + random.below(64)));
    }
    return Uint8Array.from(list);
  }
}
