import type { Clock, Timer } from "fleetrig/kernel";
import type { ModemLines } from "../../port/port.js";

/**
 * How a host's modem lines reach the chip. `classic`: two transistors between DTR, RTS and EN, IO0, as on most development boards. `straight`: RTS pulls
 * EN and DTR pulls IO0, as on cheap adapters. `usb`: the chip's own USB-Serial-JTAG, which watches the requests for the lines.
 */
export type LineWiring = "classic" | "straight" | "usb";

export interface StrappingOptions {
  readonly wiring: LineWiring;
  readonly clock: Clock;
  /** The capacitor at EN: how long after its release the chip leaves reset and looks at IO0. Default: 2 ms. */
  readonly enableRiseUs?: number;
  /** The chip is held in reset. */
  readonly held: () => void;
  readonly released: (start: { readonly isDownload: boolean; readonly byUsb: boolean }) => void;
}

/** From modem lines to EN and IO0. */
export class Strapping {
  private isEnabled = true;
  private isIo0Low = false;
  private rise: Timer | undefined;
  /** USB-Serial-JTAG: the next reset goes to download. */
  private asksDownload = false;
  private lines: ModemLines = { dtr: false, rts: false };

  constructor(private readonly options: StrappingOptions) {}

  set(lines: ModemLines): void {
    const before = this.lines;
    this.lines = lines;
    if (this.options.wiring === "usb") this.request(lines, before);
    else this.pins(lines);
  }

  /** Power is gone: nothing is pending any more. */
  reset(): void {
    this.rise?.cancel();
    this.rise = undefined;
    this.asksDownload = false;
  }

  /** What the chip finds at IO0 now. */
  get isDownload(): boolean {
    return this.isIo0Low;
  }

  private pins({ dtr, rts }: ModemLines): void {
    const isStraight = this.options.wiring === "straight";
    const isEnabled = isStraight ? !rts : !(rts && !dtr);
    this.isIo0Low = isStraight ? dtr : dtr && !rts;
    if (isEnabled === this.isEnabled) return;
    this.isEnabled = isEnabled;
    this.rise?.cancel();
    if (!isEnabled) {
      this.options.held();
      return;
    }
    this.rise = this.options.clock.after(this.options.enableRiseUs ?? 2_000, () => {
      this.rise = undefined;
      this.options.released({ isDownload: this.isIo0Low, byUsb: false });
    });
  }

  /** [ESP32-C3 TRM, USB Serial/JTAG Controller, "reset SoC into download mode"]: DTR alone asks, RTS alone resets, neither forgets. */
  private request({ dtr, rts }: ModemLines, before: ModemLines): void {
    if (dtr && !rts) this.asksDownload = true;
    if (!dtr && !rts) this.asksDownload = false;
    const resets = rts && !dtr && !(before.rts && !before.dtr);
    if (!resets) return;
    const isDownload = this.asksDownload;
    this.options.held();
    this.options.released({ isDownload, byUsb: true });
  }
}
