import type { BootEvidence, ModemLines, Port, PowerControl } from "fleetrig/hil";
import { type Clock, FleetrigError, type Timer, US_PER_MS } from "fleetrig/kernel";

export interface ChipOptions {
  readonly clock: Clock;
  readonly wiring?: "transistors" | "direct" | "inverted" | "swapped" | "none" | "usb-jtag";
  /** From the release of EN until the chip sees it high. */
  readonly capacitorUs?: number;
  /** The adapter moves DTR first and RTS that much later. */
  readonly skewUs?: number;
  /** Each of that many starts fails once, as on a busy machine; 0: none. */
  readonly flakyEvery?: number;
  readonly isDead?: boolean;
  readonly saw: (evidence: BootEvidence) => void;
}

interface Pins {
  readonly en: boolean;
  readonly io0: boolean;
}

/** What the two lines do to EN and IO0; true is high. */
const WIRINGS: Readonly<Record<NonNullable<ChipOptions["wiring"]>, (lines: ModemLines) => Pins>> = {
  transistors: ({ dtr, rts }) => ({ en: !(rts && !dtr), io0: !(dtr && !rts) }),
  direct: ({ dtr, rts }) => ({ en: !rts, io0: !dtr }),
  inverted: ({ dtr, rts }) => ({ en: rts, io0: dtr }),
  swapped: ({ dtr, rts }) => ({ en: !(dtr && !rts), io0: !(rts && !dtr) }),
  none: () => ({ en: true, io0: true }),
  "usb-jtag": ({ dtr, rts }) => ({ en: !(rts && !dtr), io0: !(dtr && !rts) }),
};

const MIN_LOW_US = 5 * US_PER_MS;
const BOOT_US = 15 * US_PER_MS;
const HELLO_US = 120 * US_PER_MS;

/** EN with its capacitor, IO0, and a ROM that looks at IO0 when EN has risen. Shows what it does as a board's log would. */
export class VirtualChip implements Port {
  readonly address = { kind: "tty", path: "/dev/ttyUSB0" } as const;
  readonly bufferedBytes = 0;
  readonly trace: string[] = [];
  starts = 0;
  isPowered = true;
  private pins: Pins = { en: true, io0: true };
  private lowSinceUs = 0;
  /** The chip's own USB keeps what DTR alone asked for until both lines are released. */
  private isDownloadWished = false;
  private startsInDownload = false;
  private rise: Timer | undefined;
  private life = 0;
  private lines: ModemLines = { dtr: false, rts: false };

  constructor(private readonly options: ChipOptions) {
    this.pins = this.pinsOf(this.lines);
  }

  /** Its supply, for a power control. */
  readonly power: PowerControl = {
    description: "virtual",
    switchesSupply: true,
    canSwitch: true,
    setPower: async (on) => {
      this.isPowered = on;
      this.life += 1;
      if (on && this.pins.en) this.start();
    },
  };

  async setLines(lines: ModemLines): Promise<void> {
    this.trace.push(`${Number(lines.dtr)}${Number(lines.rts)}`);
    const { clock, skewUs = 0 } = this.options;
    if (skewUs === 0) this.apply(lines);
    else {
      this.apply({ ...this.lines, dtr: lines.dtr });
      await new Promise<void>((resolve) => void clock.after(skewUs, resolve));
      this.apply(lines);
    }
  }

  setBaud(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  write(): void {}

  private apply(lines: ModemLines): void {
    this.lines = lines;
    const { clock, capacitorUs = 2 * US_PER_MS } = this.options;
    const before = this.pins;
    this.pins = this.pinsOf(lines);
    if (before.en && !this.pins.en) this.startsInDownload = this.isDownloadWished;
    if (lines.dtr !== lines.rts) this.isDownloadWished ||= lines.dtr;
    else if (!lines.dtr) this.isDownloadWished = false;
    if (before.en && !this.pins.en) {
      this.rise?.cancel();
      this.lowSinceUs = clock.nowUs();
      this.life += 1;
    } else if (!before.en && this.pins.en) {
      const wasLong = clock.nowUs() - this.lowSinceUs >= MIN_LOW_US;
      if (wasLong) this.rise = clock.after(capacitorUs, () => this.start());
    }
  }

  private start(): void {
    if (!this.isPowered || this.options.isDead === true) return;
    this.starts += 1;
    const isDownload = this.options.wiring === "usb-jtag" ? this.startsInDownload : !this.pins.io0;
    this.life += 1;
    const { flakyEvery = 0 } = this.options;
    if (flakyEvery > 0 && this.starts % flakyEvery === 0) return;
    this.later(BOOT_US, { kind: "boot", isDownload });
    this.later(BOOT_US + US_PER_MS, isDownload ? { kind: "waiting" } : undefined);
    this.later(HELLO_US, isDownload ? undefined : { kind: "hello", bootId: this.starts });
  }

  private later(us: number, evidence: BootEvidence | undefined): void {
    const { life } = this;
    this.options.clock.after(us, () => {
      if (evidence !== undefined && this.life === life && this.isPowered) this.options.saw(evidence);
    });
  }

  private pinsOf(lines: ModemLines): Pins {
    return WIRINGS[this.options.wiring ?? "transistors"](lines);
  }
}

/** A pty in its place. */
export const withoutLines: Port = {
  address: { kind: "tty", path: "/dev/pts/7" },
  bufferedBytes: 0,
  write: () => {},
  setBaud: () => Promise.resolve(),
  close: () => Promise.resolve(),
  setLines: () => Promise.reject(new FleetrigError("PORT_LINES_UNSUPPORTED", "No lines.")),
};
