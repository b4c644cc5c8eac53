import type { Clock, Timer } from "fleetrig/kernel";
import { SlipDecoder, encodeSlip } from "../../flash/slip.js";
import type { ModemLines } from "../../port/port.js";
import { CHIP_PROFILES, type ChipName, type ChipProfile, type ResetCause } from "./chip-profile.js";
import type { FlashMemory } from "./flash-memory.js";
import type { RomFaults } from "./rom-faults.js";
import { RomLoader } from "./rom-loader.js";
import { type LineWiring, Strapping } from "./strapping.js";

/** What runs once the ROM has started from flash. */
export interface ChipApplication {
  /** The chip has left reset; text of the ROM is already out. */
  start(): void;
  /** The chip is in reset or without power: nothing of it may come out any more. */
  stop(): void;
  receive(bytes: Uint8Array): void;
}

export interface VirtualChipOptions {
  readonly chip: ChipName;
  /** 12 hexadecimal digits. */
  readonly mac: string;
  readonly flash: FlashMemory;
  readonly clock: Clock;
  /** Default: `classic`. */
  readonly wiring?: LineWiring;
  readonly enableRiseUs?: number;
  /** How long an answer of the boot loader takes. Default: 0. */
  readonly answerUs?: number;
  readonly faults?: RomFaults;
  /** Bytes to the host. */
  readonly send: (bytes: Uint8Array) => void;
  /** Makes what runs from flash; without it, a chip with an image only says that it starts. */
  readonly application?: (send: (bytes: Uint8Array) => void) => ChipApplication;
  /** Whether the ROM finds something to start. Default: an ESP image where this chip's boot loader is. */
  readonly isBootable?: (flash: FlashMemory) => boolean;
  /** The chip has lost its power by itself (a fault). */
  readonly powerLost?: () => void;
  /** Its lines have reset it; nothing of the new start has come out yet. */
  readonly restarted?: () => void;
}

type ChipMode = "off" | "held" | "download" | "application" | "no-image";

/** How often a chip without an image says so before its watchdog restarts it. */
const BLANK_LINES = 4;
const BLANK_RESTART_US = 500_000;
const ROM_BAUD = 115_200;
/** How far apart the two ends' baud rates may be. */
const BAUD_TOLERANCE = 0.03;

/**
 * An ESP32 as seen from its serial line: modem lines put it into reset and choose what its ROM starts, the boot loader answers flashers,
 * and what is in flash runs afterwards. Drives no real code by itself; `application` does.
 */
export class VirtualChip {
  private mode: ChipMode = "off";
  private loader: RomLoader | undefined;
  private readonly application: ChipApplication | undefined;
  private readonly strapping: Strapping;
  private readonly slip = new SlipDecoder((frame) => this.loader?.frame(frame));
  private readonly faults: RomFaults;
  private readonly profile: ChipProfile;
  private hostBaud: number | undefined;
  private chipBaud = ROM_BAUD;
  private restart: Timer | undefined;
  private blocks = 0;
  private readonly outgoing: Uint8Array[] = [];
  private answer: Timer | undefined;

  constructor(private readonly options: VirtualChipOptions) {
    this.profile = CHIP_PROFILES[options.chip];
    this.faults = options.faults ?? {};
    this.application = options.application?.((bytes) => {
      if (this.mode === "application") this.transmit(bytes);
    });
    this.strapping = new Strapping({
      clock: options.clock,
      wiring: options.wiring ?? "classic",
      ...(options.enableRiseUs === undefined ? {} : { enableRiseUs: options.enableRiseUs }),
      held: () => {
        if (this.mode === "off") return;
        this.leave("held");
        options.restarted?.();
      },
      released: ({ isDownload, byUsb }) => {
        if (this.mode !== "off") this.boot(isDownload, byUsb ? "usb" : "power");
      },
    });
  }

  get state(): ChipMode {
    return this.mode;
  }

  /** The stub runs, or only the ROM; false as well outside download mode. */
  get hasStub(): boolean {
    return this.loader?.isStub === true;
  }

  powerOn(): void {
    if (this.mode === "off") this.boot(this.strapping.isDownload, "power");
  }

  powerOff(): void {
    this.strapping.reset();
    this.leave("off");
  }

  setLines(lines: ModemLines): void {
    this.strapping.set(lines);
  }

  /** The host's baud rate; undefined where it cannot be known, which then fits always. */
  setBaud(baud: number | undefined): void {
    this.hostBaud = baud;
  }

  receive(bytes: Uint8Array): void {
    if (this.mode === "application") this.application?.receive(bytes);
    if (this.mode !== "download") return;
    // The ROM measures the host's baud rate on the first SYNC.
    if (this.loader?.isSynchronised === false && this.hostBaud !== undefined) this.chipBaud = this.hostBaud;
    this.slip.push(this.onTheWire(bytes));
  }

  private boot(isDownload: boolean, cause: ResetCause): void {
    this.leave(isDownload ? "download" : "application");
    const { banner, resets, flashBoot, downloadBoot, usbDownloadBoot, flashBootText } = this.profile;
    const download = cause === "usb" ? usbDownloadBoot : downloadBoot;
    this.print(`${banner}${resets[cause]},${isDownload ? download : flashBoot}\r\n`);
    if (isDownload) {
      this.print("waiting for download\r\n");
      this.loader = this.makeLoader();
      return;
    }
    if (!this.isBootable()) {
      this.mode = "no-image";
      this.print("invalid header: 0xffffffff\r\n".repeat(BLANK_LINES));
      this.restart = this.options.clock.after(BLANK_RESTART_US, () => this.boot(false, "watchdog"));
      return;
    }
    this.print(flashBootText);
    this.application?.start();
  }

  private isBootable(): boolean {
    const { flash, isBootable } = this.options;
    if (isBootable !== undefined) return isBootable(flash);
    return flash.read(this.profile.bootloaderOffset, 1)[0] === 0xe9;
  }

  private leave(mode: ChipMode): void {
    if (this.mode === "application") this.application?.stop();
    this.restart?.cancel();
    this.answer?.cancel();
    this.answer = undefined;
    this.outgoing.length = 0;
    this.slip.reset();
    this.loader = undefined;
    this.chipBaud = ROM_BAUD;
    this.mode = mode;
  }

  private makeLoader(): RomLoader {
    const { mac, flash, clock } = this.options;
    return new RomLoader({
      profile: this.profile,
      mac,
      flash,
      faults: this.faults,
      send: (frame) => this.answers(encodeSlip(frame)),
      setBaud: (baud) => {
        // What is on its way goes out at the old rate.
        this.flush();
        this.chipBaud = baud;
      },
      restart: () => {
        this.restart = clock.after(0, () => this.boot(false, "power"));
      },
      powerCut: () => {
        this.powerOff();
        this.options.powerLost?.();
      },
      nextBlock: () => this.blocks++,
    });
  }

  /** Answers leave together, after the time an answer takes. */
  private answers(bytes: Uint8Array): void {
    if (this.mode !== "download") return;
    this.outgoing.push(bytes);
    this.answer ??= this.options.clock.after(this.options.answerUs ?? 0, () => this.flush());
  }

  private flush(): void {
    this.answer?.cancel();
    this.answer = undefined;
    const bytes = Buffer.concat(this.outgoing);
    this.outgoing.length = 0;
    if (bytes.length > 0) this.transmit(bytes);
  }

  private print(text: string): void {
    this.transmit(new TextEncoder().encode(text));
  }

  private transmit(bytes: Uint8Array): void {
    this.options.send(this.onTheWire(bytes));
  }

  /** Bytes as the other end reads them: garbage when the rates differ or the line is not good for them. */
  private onTheWire(bytes: Uint8Array): Uint8Array {
    const { hostBaud, chipBaud } = this;
    if (hostBaud === undefined) return bytes;
    const fits = Math.abs(hostBaud - chipBaud) / chipBaud <= BAUD_TOLERANCE;
    if (fits && hostBaud <= (this.faults.highestBaud ?? Number.POSITIVE_INFINITY)) return bytes;
    return bytes.map((byte, at) => (at % 3 === 2 ? 0xff : (byte >>> 1) | 0x80));
  }
}
