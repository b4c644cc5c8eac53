import { US_PER_S } from "fleetrig/kernel";
import { esp8266Reset, type ResetClass, resetClassOfCode } from "./reset-reason.js";

/**
 * What a board says while it starts: the ROM's banner and reset line, whether it waits for a download, whether it finds no
 * image to start. Firmware that begins with a banner of its own (Zephyr, MicroPython's soft reset) has no reset line.
 */
export interface BootReport {
  /** First byte of the first line of this start; not of what was left on that line by whatever ran before. */
  readonly atUs: number;
  /** Where the banner names it: `esp32c3`, `esp8266`. */
  readonly chip: string | undefined;
  /** As the ROM writes it: `POWERON`, `TG0WDT_SYS_RST`; `SOFT_RESET` of MicroPython; undefined where none is told. */
  readonly resetReason: string | undefined;
  readonly resetCode: number | undefined;
  readonly resetClass: ResetClass;
  readonly mode: BootMode;
  /** The ROM's word for the mode: `SPI_FAST_FLASH_BOOT`. */
  readonly bootWord: string | undefined;
  /** The harness had asked for it. */
  readonly isExpected: boolean;
}

/**
 * What a start leads to: the firmware, the ROM's loader that waits for a download, or nothing because there is no image.
 */
export type BootMode = "firmware" | "download" | "no-image";

export interface BootLogHandlers {
  /** A start; told with its reset line, and a second time where it turns out otherwise (`download`, `no-image`). */
  booted(report: Omit<BootReport, "isExpected">): void;
}

const ROM_BANNER = /ESP-ROM:(esp32[a-z0-9]{0,4})/;
const ETS_BANNER = /\bets [A-Z][a-z]{2} +\d{1,2} \d{4}/;
const RESET_LINE = /rst:(0x[0-9a-f]{1,8}) \(([A-Z0-9_]{1,40})\),boot:(0x[0-9a-f]{1,8}) \(([^)]{0,80}\)?)/;
const ESP8266_RESET = /rst cause:? ?(\d{1,2}), boot mode:\((\d{1,2}),\d{1,2}\)/;
const WAITING = /waiting for download|wait usb download/;
const INVALID_HEADER = /invalid header: 0x[0-9a-f]{1,8}/;
const ZEPHYR_BANNER = /\*{3} Booting Zephyr OS/;
const SOFT_REBOOT = /^MPY: soft reboot/;

/** So many complaints in a row mean that there is no image: one may be a glitch of the flash. */
const INVALID_HEADERS = 3;
/** Lines between a banner and its reset line, or between complaints, before they belong to nothing. */
const BANNER_LINES = 6;
/** The ROM's and the second loader's share of a start. */
const LOADERS_US = 10 * US_PER_S;

/** True for lines that only a chip that starts writes: whatever ran before is over. */
export const isBootLine = (text: string): boolean =>
  [RESET_LINE, ESP8266_RESET, ZEPHYR_BANNER, ROM_BANNER, ETS_BANNER, SOFT_REBOOT].some((line) =>
    line.test(text),
  );

type Start = Omit<BootReport, "isExpected">;

export class BootLog {
  private banner: { readonly atUs: number; readonly chip: string | undefined; linesLeft: number } | undefined;
  private start: Start | undefined;
  private invalidHeaders = 0;

  constructor(private readonly handlers: BootLogHandlers) {}

  line(text: string, atUs: number): void {
    this.ageBanner();
    const rom = ROM_BANNER.exec(text);
    if (rom !== null || ETS_BANNER.test(text)) {
      this.banner = { atUs, chip: rom?.[1], linesLeft: BANNER_LINES };
    }
    const started =
      this.resetLine(text, atUs) ?? this.esp8266Line(text, atUs) ?? this.softwareBanner(text, atUs);
    if (started !== undefined) this.tell(started);
    else if (WAITING.test(text)) this.changeMode("download", atUs);
    else if (INVALID_HEADER.test(text)) this.invalidHeader(atUs);
    else if (text.length > 0 && this.banner === undefined) this.invalidHeaders = 0;
  }

  private ageBanner(): void {
    if (this.banner === undefined) return;
    this.banner.linesLeft -= 1;
    if (this.banner.linesLeft < 0) this.banner = undefined;
  }

  private resetLine(text: string, atUs: number): Start | undefined {
    const match = RESET_LINE.exec(text);
    if (match === null) return undefined;
    const resetCode = Number(match[1]);
    const bootWord = match[4]!;
    const isDownload = bootWord.startsWith("DOWNLOAD") || bootWord.startsWith("USB_BOOT");
    return {
      ...this.beginning(atUs),
      resetReason: match[2]!,
      resetCode,
      resetClass: resetClassOfCode(resetCode),
      mode: isDownload ? "download" : "firmware",
      // The word of some modes has brackets of its own; the last one closes the whole.
      bootWord: bootWord.includes("(") ? bootWord : bootWord.replace(/\)$/, ""),
    };
  }

  private esp8266Line(text: string, atUs: number): Start | undefined {
    const match = ESP8266_RESET.exec(text);
    if (match === null) return undefined;
    const resetCode = Number(match[1]);
    const [resetReason, resetClass] = esp8266Reset(resetCode);
    const mode = match[2] === "1" ? "download" : "firmware";
    const bootWord = `mode ${match[2]!}`;
    return { ...this.beginning(atUs), chip: "esp8266", resetReason, resetCode, resetClass, mode, bootWord };
  }

  private softwareBanner(text: string, atUs: number): Start | undefined {
    const isSoftReboot = SOFT_REBOOT.test(text);
    if (!isSoftReboot && !ZEPHYR_BANNER.test(text)) return undefined;
    // Zephyr's banner follows a ROM's reset line where the chip has such a ROM: that was the start already.
    const isToldAlready = this.start?.resetReason !== undefined && atUs - this.start.atUs < LOADERS_US;
    if (!isSoftReboot && isToldAlready) return undefined;
    return {
      atUs,
      chip: undefined,
      resetReason: isSoftReboot ? "SOFT_RESET" : undefined,
      resetCode: undefined,
      resetClass: isSoftReboot ? "software" : "unknown",
      mode: "firmware",
      bootWord: undefined,
    };
  }

  private beginning(atUs: number): Pick<Start, "atUs" | "chip"> {
    return { atUs: this.banner?.atUs ?? atUs, chip: this.banner?.chip };
  }

  private invalidHeader(atUs: number): void {
    this.invalidHeaders += 1;
    if (this.invalidHeaders >= INVALID_HEADERS) this.changeMode("no-image", atUs);
  }

  private changeMode(mode: BootMode, atUs: number): void {
    if (this.start?.mode === mode) return;
    const unseen = {
      resetReason: undefined,
      resetCode: undefined,
      resetClass: "unknown",
      bootWord: undefined,
    } as const;
    this.tell({ ...(this.start ?? { ...this.beginning(atUs), ...unseen }), mode });
  }

  private tell(start: Start): void {
    this.start = start;
    this.handlers.booted(start);
  }
}
