import { createHash } from "node:crypto";
import { ESPError, ESPLoader } from "esptool-js";
import { type Clock, FleetrigError } from "fleetrig/kernel";
import type { FlashLine } from "./flash-line.js";
import { LoaderTransport } from "./loader-transport.js";

/** Baud rate at which every ESP32's ROM listens. */
export const ROM_BAUD = 115_200;
const STUB_ATTEMPTS = 2;
/** Resets into download before giving up, and SYNC commands after each (five, by esptool-js). */
const CONNECT_ATTEMPTS = 4;
const SYNC_TIMEOUT_MS = 100;
const ROM_SYNC_ANSWERS = 8;
const PROBE_TIMEOUT_MS = 200;
/** Largest block in a data command, by who takes it. */
const STUB_BLOCK_BYTES = 0x4000;
const ROM_BLOCK_BYTES = 0x400;
const SECTOR_BYTES = 4096;
/** Flash of no chip takes longer than this to answer for a block. */
const ERASE_TIMEOUT_MS = 120_000;

/** What a chip is, as its boot loader tells it. */
export interface ChipIdentity {
  /** `esp32`, `esp32c3`, ... */
  readonly chip: string;
  /** 12 lower-case hexadecimal digits, from eFuse. */
  readonly mac: string;
  /** What image headers call it. */
  readonly imageChipId: number;
  /** Where the ROM looks for the second stage. */
  readonly bootloaderOffset: number;
}

/** A line of esptool-js about what it does. */
export type LoaderLog = (line: string) => void;

/** esptool-js's loader, silent, and at ease with a stub that is still there from before. */
class Loader extends ESPLoader {
  private refused = false;

  constructor(
    private readonly line: LoaderTransport,
    log: LoaderLog,
  ) {
    const write = (text: string): void => {
      if (text.trim() !== "") log(text.trim());
    };
    super({
      transport: line,
      baudrate: ROM_BAUD,
      romBaudrate: ROM_BAUD,
      terminal: { clean: () => {}, write, writeLine: write },
    });
  }

  /** The ROM answers eight times, stubs once or eight times: what matters is that the line is quiet afterwards. */
  override async sync(): Promise<[number, Uint8Array]> {
    const payload = new Uint8Array(36).fill(0x55);
    payload.set([0x07, 0x07, 0x12, 0x20]);
    const answer = await this.command(0x08, payload, undefined, true, SYNC_TIMEOUT_MS);
    await this.line.drain(ROM_SYNC_ANSWERS - 1);
    this["syncStubDetected"] = answer[0] === 0;
    return answer;
  }

  /** Sends a command and reads its status. @returns Data of the answer, or the code of the refusal. */
  async ask(
    command: number,
    body: Uint8Array,
    options: { readonly checksum?: number; readonly timeoutMs?: number } = {},
  ): Promise<{ readonly data: Uint8Array } | { readonly refusal: number }> {
    const { checksum = 0, timeoutMs = this.DEFAULT_TIMEOUT } = options;
    const [, answer] = await this.command(command, body, checksum, true, timeoutMs);
    const statusAt = answer.length - (this.IS_STUB ? 2 : 4);
    this.refused = answer[statusAt] !== 0;
    return this.refused ? { refusal: answer[statusAt + 1] ?? 0 } : { data: answer.subarray(0, statusAt) };
  }
}

/**
 * A conversation with the boot loader of a chip: its ROM, or the stub in its RAM. Ends with `release`; whether the chip is restarted then is
 * the caller's business, and so is where it stands in its flash.
 */
export class BootLoader {
  private constructor(
    readonly identity: ChipIdentity,
    private readonly line: FlashLine,
    private readonly transport: LoaderTransport,
    private readonly loader: Loader,
  ) {}

  /**
   * Resets the chip into download and asks who it is. Nothing is written.
   * @throws FleetrigError FLASH_NO_ANSWER, FLASH_CHIP_UNKNOWN, FLASH_LINE_LOST
   */
  static async connect(line: FlashLine, clock: Clock, log: LoaderLog = () => {}): Promise<BootLoader> {
    const transport = new LoaderTransport(line, clock);
    try {
      const { loader, mac } = await synchronise(line, transport, log);
      const { CHIP_NAME, IMAGE_CHIP_ID, BOOTLOADER_FLASH_OFFSET } = loader.chip;
      const identity = {
        chip: CHIP_NAME.toLowerCase().replaceAll("-", ""),
        mac,
        imageChipId: IMAGE_CHIP_ID ?? 0,
        bootloaderOffset: BOOTLOADER_FLASH_OFFSET,
      };
      return new BootLoader(identity, line, transport, loader);
    } catch (error) {
      transport.release();
      throw transport.lost ?? error;
    }
  }

  get hasStub(): boolean {
    return this.loader.IS_STUB;
  }

  /** Uploads and starts the stub, which is faster and can read. A chip that refuses it is worked on through its ROM. */
  async startStub(): Promise<boolean> {
    for (let attempt = 0; attempt < STUB_ATTEMPTS && !this.loader.IS_STUB; attempt += 1) {
      try {
        await this.loader.runStub();
      } catch (error) {
        if (this.transport.lost !== undefined || !(error instanceof ESPError))
          throw this.transport.lost ?? error;
        // A stub that was only late runs by now, and would answer in the ROM's place.
        await this.restartLoader();
      }
    }
    if (!this.loader.IS_STUB) await this.asked(this.loader.ESP_SPI_ATTACH, new Uint8Array(8));
    this.loader.FLASH_WRITE_SIZE = this.loader.IS_STUB ? STUB_BLOCK_BYTES : ROM_BLOCK_BYTES;
    return this.loader.IS_STUB;
  }

  /**
   * Raises the baud rate as far as the line carries it: the one asked for, then half of it, and so on.
   * @returns The rate that works.
   */
  async raiseBaud(baud: number): Promise<number> {
    for (let rate = baud; rate > ROM_BAUD; rate = Math.floor(rate / 2)) {
      if (await this.tryBaud(rate)) return rate;
      // The chip listens at a rate that the line does not carry: only a reset brings it back.
      await this.line.port.setBaud(ROM_BAUD);
      await this.restartLoader();
      await this.startStub();
    }
    return ROM_BAUD;
  }

  /** Capacity of the flash; undefined when the flash does not say. */
  async flashSizeBytes(): Promise<number | undefined> {
    const capacity = ((await this.guarded(() => this.loader.readFlashId())) >>> 16) & 0xff;
    const [, size, unit] = /^(\d+)(KB|MB)$/.exec(this.loader.DETECTED_FLASH_SIZES[capacity] ?? "") ?? [];
    return size === undefined ? undefined : Number(size) * (unit === "MB" ? 2 ** 20 : 2 ** 10);
  }

  /** MD5 of what is in flash, as hexadecimal digits. */
  async sum(offset: number, lengthBytes: number): Promise<string> {
    const timeoutMs = this.loader.timeoutPerMb(this.loader.MD5_TIMEOUT_PER_MB, lengthBytes);
    const body = words(offset, lengthBytes, 0, 0);
    const answer = await this.asked(this.loader.ESP_SPI_FLASH_MD5, body, { timeoutMs });
    return this.loader.IS_STUB ? Buffer.from(answer).toString("hex") : Buffer.from(answer).toString("latin1");
  }

  /** Announces deflated data for a range of flash. */
  async beginWrite(offset: number, plainBytes: number, deflatedBytes: number): Promise<void> {
    await this.guarded(() => this.loader.flashDeflBegin(plainBytes, deflatedBytes, offset));
  }

  get blockBytes(): number {
    return this.loader.FLASH_WRITE_SIZE;
  }

  /** Sends one deflated block. @returns false when the chip found it damaged: it may be sent again. */
  async writeBlock(block: Uint8Array, number: number, plainBytes: number): Promise<boolean> {
    const body = new Uint8Array(16 + block.length);
    body.set(words(block.length, number, 0, 0));
    body.set(block, 16);
    const timeoutMs = Math.max(
      3_000,
      this.loader.timeoutPerMb(this.loader.ERASE_WRITE_TIMEOUT_PER_MB, plainBytes),
    );
    const checksum = this.loader.checksum(block);
    const answer = await this.guarded(() =>
      this.loader.ask(this.loader.ESP_FLASH_DEFL_DATA, body, { checksum, timeoutMs }),
    );
    if ("data" in answer) return true;
    if (DAMAGED.has(answer.refusal)) return false;
    throw refused("write a block", answer.refusal);
  }

  async endWrite(): Promise<void> {
    // The ROM leaves download when it is told that this was all.
    if (this.loader.IS_STUB) await this.guarded(() => this.loader.flashDeflFinish(false));
  }

  /** Erases all of the flash. Needs the stub. */
  async eraseAll(): Promise<void> {
    await this.asked(this.loader.ESP_ERASE_FLASH, new Uint8Array(0), { timeoutMs: ERASE_TIMEOUT_MS });
  }

  /** Reads flash; needs the stub. The chip's own sum of what it sent is checked. */
  async read(
    offset: number,
    lengthBytes: number,
    progress?: (doneBytes: number) => void,
  ): Promise<Uint8Array> {
    return await this.guarded(async () => {
      await this.asked(
        this.loader.ESP_READ_FLASH,
        words(offset, lengthBytes, SECTOR_BYTES, 2 * SECTOR_BYTES),
      );
      const bytes = new Uint8Array(lengthBytes);
      let done = 0;
      while (done < lengthBytes) {
        const block = await this.transport.read(this.loader.DEFAULT_TIMEOUT);
        if (done + block.length > lengthBytes) throw refused("read flash", 0);
        bytes.set(block, done);
        done += block.length;
        await this.transport.write(words(done));
        progress?.(done);
      }
      const sum = Buffer.from(await this.transport.read(this.loader.DEFAULT_TIMEOUT)).toString("hex");
      if (sum !== md5(bytes)) throw readDamaged(offset, lengthBytes);
      return bytes;
    });
  }

  /** Forgets what is still under way on the line. */
  async settle(): Promise<void> {
    await this.transport.drainInput();
  }

  /** Ends the conversation; the port is back at the ROM's baud rate. */
  async release(): Promise<void> {
    this.transport.release();
    if (this.transport.lost === undefined) await this.line.port.setBaud(ROM_BAUD);
  }

  /** Whatever ran: it is the ROM's loader that answers afterwards. */
  private async restartLoader(): Promise<void> {
    await this.line.boot.enterDownload();
    this.loader.IS_STUB = false;
    await this.guarded(() => this.loader.connect("no_reset", 1, false));
  }

  private async tryBaud(rate: number): Promise<boolean> {
    const loader = this.loader;
    await this.guarded(() =>
      loader.command(loader.ESP_CHANGE_BAUDRATE, words(rate, loader.IS_STUB ? ROM_BAUD : 0)),
    );
    await this.line.port.setBaud(rate);
    await this.transport.drainInput();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        await loader.readReg(loader.CHIP_DETECT_MAGIC_REG_ADDR, PROBE_TIMEOUT_MS);
        return true;
      } catch {
        if (this.transport.lost !== undefined) throw this.transport.lost;
      }
    }
    return false;
  }

  private async asked(
    command: number,
    body: Uint8Array,
    options: { timeoutMs?: number } = {},
  ): Promise<Uint8Array> {
    const answer = await this.guarded(() => this.loader.ask(command, body, options));
    if ("data" in answer) return answer.data;
    throw refused(`run command 0x${command.toString(16)}`, answer.refusal);
  }

  /** Errors of esptool-js become ours. */
  private async guarded<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (this.transport.lost !== undefined) throw this.transport.lost;
      if (error instanceof FleetrigError) throw error;
      throw new FleetrigError("FLASH_FAILED", "The boot loader did not do what it was asked.", {
        hint: error instanceof Error ? error.message : String(error),
        cause: error,
      });
    }
  }
}

/** Refusals that mean the bytes came in wrong: the stub's and the ROM's checksum errors. */
const DAMAGED: ReadonlySet<number> = new Set([0xc1, 0x07]);

interface Synchronised {
  readonly loader: Loader;
  readonly mac: string;
}

async function synchronise(
  line: FlashLine,
  transport: LoaderTransport,
  log: LoaderLog,
): Promise<Synchronised> {
  let failure: unknown;
  for (let attempt = 0; attempt < CONNECT_ATTEMPTS; attempt += 1) {
    await line.boot.enterDownload();
    const loader = new Loader(transport, log);
    try {
      await loader.connect("no_reset", 1, true);
      return { loader, mac: await readMac(loader) };
    } catch (error) {
      if (transport.lost !== undefined) throw transport.lost;
      if (error instanceof Error && error.name.startsWith("Unexpected")) throw chipUnknown(error);
      failure = error;
    }
  }
  throw new FleetrigError(
    "FLASH_NO_ANSWER",
    "The board is in download mode, but its boot loader does not answer.",
    {
      hint: "Its TX or RX may be held by something else: another program, a sensor on the same pins, or a bridge that only carries one way.",
      cause: failure,
    },
  );
}

/** Twice, since answers of the loader have no checksum and this one decides which board it is. */
async function readMac(loader: Loader): Promise<string> {
  const [first, second] = [await loader.chip["readMac"](loader), await loader.chip["readMac"](loader)];
  if (first !== second) throw new ESPError("The chip has told two different MACs");
  return first.replaceAll(":", "");
}

const chipUnknown = (cause: Error): FleetrigError =>
  new FleetrigError("FLASH_CHIP_UNKNOWN", "The board has a chip that cannot be flashed.", {
    hint: cause.message,
    cause,
  });

const refused = (what: string, code: number): FleetrigError =>
  new FleetrigError(
    "FLASH_FAILED",
    `The boot loader refused to ${what}: 0x${code.toString(16).padStart(2, "0")}.`,
    {
      hint: "Repeat; if it stays so, try a lower baud rate or erase the board first.",
      context: { code },
    },
  );

const readDamaged = (offset: number, lengthBytes: number): FleetrigError =>
  new FleetrigError("FLASH_READ_DAMAGED", "What came from flash is not what the chip sent.", {
    hint: "Repeat at a lower baud rate.",
    context: { offset, lengthBytes },
  });

export const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value, true));
  return bytes;
}
