import type { Clock, Random } from "fleetrig/kernel";

/** What a bad line does to bytes; rates are per byte, from 0 to 1. What is not given does not happen. */
export interface NoiseSettings {
  /** A byte becomes another. */
  readonly byteErrorRate?: number;
  /** A byte gets lost. */
  readonly dropRate?: number;
  /** A byte comes twice. */
  readonly duplicateRate?: number;
  /** The line stops for this long ... */
  readonly stallUs?: number;
  /** ... at random, this far apart on average. 0: only when `stall` is called. */
  readonly stallEveryUs?: number;
}

/** What it has done so far. */
export interface NoiseCounters {
  bytes: number;
  errors: number;
  drops: number;
  duplicates: number;
  stalls: number;
  /** Bytes that came during stalls beyond what a driver holds. */
  overflows: number;
}

export interface SerialNoiseOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** @param atUs When the bytes came through. */
  forward(bytes: Uint8Array, atUs: number): void;
}

/** What waits during a stall; more is lost, as in a driver's buffer. */
const HELD_MAX_BYTES = 262_144;

type Harm = "errors" | "drops" | "duplicates";

/** One direction of a serial line that harms what it carries: faults `serial-noise` and `serial-stall`. */
export class SerialNoise {
  readonly counters: NoiseCounters = {
    bytes: 0,
    errors: 0,
    drops: 0,
    duplicates: 0,
    stalls: 0,
    overflows: 0,
  };
  private settings: Required<NoiseSettings> = QUIET;
  /** Bytes that come through unharmed before the next that does not. */
  private unharmedBytes = Number.POSITIVE_INFINITY;
  private nextStallUs = Number.POSITIVE_INFINITY;
  private stalledUntilUs = 0;
  private held: Uint8Array[] = [];
  private heldBytes = 0;

  constructor(private readonly options: SerialNoiseOptions) {}

  /** Replaces what was set; `{}` is a good line. A stall that has begun goes on. */
  set(settings: NoiseSettings): void {
    this.settings = { ...QUIET, ...settings };
    this.unharmedBytes = this.drawUnharmed();
    this.nextStallUs = this.options.clock.nowUs() + this.drawStallGap();
  }

  /** Stops the line now, for at least so long. */
  stall(durationUs: number): void {
    this.counters.stalls += 1;
    this.stalledUntilUs = Math.max(this.stalledUntilUs, this.options.clock.nowUs() + durationUs);
  }

  push(bytes: Uint8Array, atUs: number): void {
    this.counters.bytes += bytes.length;
    this.beginDueStall();
    const harmed = this.harm(bytes);
    if (harmed.length === 0) return;
    if (this.held.length > 0 || this.options.clock.nowUs() < this.stalledUntilUs) this.hold(harmed);
    else this.options.forward(harmed, atUs);
  }

  private hold(bytes: Uint8Array): void {
    if (this.heldBytes + bytes.length > HELD_MAX_BYTES) {
      this.counters.overflows += bytes.length;
      return;
    }
    if (this.held.length === 0) this.releaseLater();
    this.held.push(bytes);
    this.heldBytes += bytes.length;
  }

  private releaseLater(): void {
    const { clock } = this.options;
    clock.after(this.stalledUntilUs - clock.nowUs(), () => {
      if (clock.nowUs() < this.stalledUntilUs) {
        this.releaseLater();
        return;
      }
      const bytes = Buffer.concat(this.held);
      this.held = [];
      this.heldBytes = 0;
      this.options.forward(bytes, clock.nowUs());
    });
  }

  /** Stalls that nobody noticed, because nothing came, are over. */
  private beginDueStall(): void {
    const nowUs = this.options.clock.nowUs();
    while (this.nextStallUs <= nowUs) {
      const endUs = this.nextStallUs + this.settings.stallUs;
      if (endUs > nowUs) this.stall(endUs - nowUs);
      this.nextStallUs = endUs + this.drawStallGap();
    }
  }

  private harm(bytes: Uint8Array): Uint8Array {
    if (this.unharmedBytes >= bytes.length) {
      this.unharmedBytes -= bytes.length;
      return bytes;
    }
    const harmed: number[] = [];
    for (const byte of bytes) {
      if (this.unharmedBytes > 0) {
        this.unharmedBytes -= 1;
        harmed.push(byte);
        continue;
      }
      this.unharmedBytes = this.drawUnharmed();
      const harm = this.drawHarm();
      this.counters[harm] += 1;
      if (harm === "errors") harmed.push(byte ^ (1 + this.options.random.below(255)));
      else if (harm === "duplicates") harmed.push(byte, byte);
    }
    return Uint8Array.from(harmed);
  }

  private get harmRate(): number {
    const { byteErrorRate, dropRate, duplicateRate } = this.settings;
    return Math.min(1, byteErrorRate + dropRate + duplicateRate);
  }

  /** Geometric: one draw per harmed byte instead of one per byte. */
  private drawUnharmed(): number {
    const rate = this.harmRate;
    if (rate <= 0) return Number.POSITIVE_INFINITY;
    if (rate >= 1) return 0;
    return Math.floor(-this.options.random.exponential() / Math.log1p(-rate));
  }

  private drawHarm(): Harm {
    const { byteErrorRate, dropRate } = this.settings;
    const point = this.options.random.fraction() * this.harmRate;
    if (point < byteErrorRate) return "errors";
    return point < byteErrorRate + dropRate ? "drops" : "duplicates";
  }

  private drawStallGap(): number {
    const { stallUs, stallEveryUs } = this.settings;
    if (stallUs <= 0 || stallEveryUs <= 0) return Number.POSITIVE_INFINITY;
    return Math.ceil(this.options.random.exponential() * stallEveryUs);
  }
}

const QUIET: Required<NoiseSettings> = {
  byteErrorRate: 0,
  dropRate: 0,
  duplicateRate: 0,
  stallUs: 0,
  stallEveryUs: 0,
};
