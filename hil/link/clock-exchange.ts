import type { Clock } from "fleetrig/kernel";
import type { ClockSample } from "./clock-fit.js";
import { Deadline } from "./deadline.js";

const PING_EVERY_US = 250_000;
/** By so many answers the clocks are known as well as they will be; from there on few keep them so, and boards at rest are left alone. */
const SETTLED_ANSWERS = 40;
const PING_SETTLED_US = 1_000_000;
/** Questions that may still be answered: a busy line takes its time. */
const ASKED_MAX = 32;
const EXCHANGE_BYTES = 24;
const UNIT = 2 ** 32;

/** PING and PONG (PROTOCOL.md §4): asks four times a second at first, then once, and knows which questions are open. */
export class ClockExchange {
  /** When the questions were asked, which is also what they say. */
  private readonly askedAtUs = new Set<number>();
  private answers = 0;
  private readonly due: Deadline;

  constructor(
    private readonly clock: Clock,
    private readonly ping: (payload: Uint8Array) => void,
  ) {
    this.due = new Deadline(clock, () => this.ask());
  }

  start(): void {
    this.ask();
  }

  stop(): void {
    this.due.stop();
    this.answers = 0;
    this.askedAtUs.clear();
  }

  /** What a PONG tells; undefined when it answers no question. */
  answered(payload: Uint8Array, atUs: number): ClockSample | undefined {
    if (payload.length !== EXCHANGE_BYTES) return undefined;
    const [t1Us, t2Us, t3Us] = [readUint64(payload, 0), readUint64(payload, 8), readUint64(payload, 16)];
    if (!Number.isSafeInteger(t2Us) || !Number.isSafeInteger(t3Us)) return undefined;
    if (!this.askedAtUs.delete(t1Us)) return undefined;
    this.answers += 1;
    return { t1Us, t2Us, t3Us, t4Us: atUs };
  }

  private ask(): void {
    this.due.set(this.answers < SETTLED_ANSWERS ? PING_EVERY_US : PING_SETTLED_US);
    const payload = new Uint8Array(EXCHANGE_BYTES);
    const nowUs = this.clock.nowUs();
    const [oldestUs] = this.askedAtUs;
    if (this.askedAtUs.size >= ASKED_MAX) this.askedAtUs.delete(oldestUs!);
    this.askedAtUs.add(nowUs);
    writeUint64(payload, nowUs, 0);
    this.ping(payload);
  }
}

function readUint64(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(offset + 4, true) * UNIT + view.getUint32(offset, true);
}

function writeUint64(bytes: Uint8Array, value: number, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(offset, value % UNIT, true);
  view.setUint32(offset + 4, Math.floor(value / UNIT), true);
}
