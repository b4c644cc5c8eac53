import { type Clock, EXIT, FleetrigError } from "fleetrig/kernel";
import { BootLoader, type ChipIdentity, ROM_BAUD } from "./boot-loader.js";
import { checkImages, type FlashImage } from "./firmware-image.js";
import type { FlashLine } from "./flash-line.js";
import { type FlashedImages, type ImageCache, sha256 } from "./image-cache.js";
import { type FlashRegion, isWritten, regionsOf, writeRegion } from "./region.js";

/** Which board is meant; what is left out does not matter. */
export interface ExpectedBoard {
  readonly chip?: string;
  /** 12 lower-case hexadecimal digits. */
  readonly mac?: string;
}

export interface FlashOptions {
  /** Opens the line to the board: once, and again after it went away. */
  readonly open: () => Promise<FlashLine>;
  readonly clock: Clock;
  readonly images: readonly FlashImage[];
  readonly expect?: ExpectedBoard;
  /** Highest baud rate to try. Default: 921600. */
  readonly baud?: number;
  /** What is on which board; without it everything is always written. */
  readonly cache?: ImageCache;
  /** Writes even what is on the board already. Default: false. */
  readonly isForced?: boolean;
  /** How often writing goes on after the line went away. Default: 0. */
  readonly resumptions?: number;
  readonly onProgress?: (progress: FlashProgress) => void;
  /** What the loader says of its work, line by line. */
  readonly onLog?: (line: string) => void;
}

/** How far it is. */
export interface FlashProgress {
  readonly phase: "connecting" | "checking" | "writing" | "restarting";
  /** Bytes of the images that are on the flash and verified. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface FlashOutcome {
  readonly board: ChipIdentity;
  /** Nothing was written: the board has these images already. */
  readonly wasCurrent: boolean;
  readonly writtenBytes: number;
  /** Bytes that an earlier, interrupted write had put there. */
  readonly resumedBytes: number;
  /** Blocks and regions sent more than once. */
  readonly repeats: number;
  readonly baud: number;
  readonly usedStub: boolean;
  readonly tookUs: number;
}

const DEFAULT_BAUD = 921_600;

/**
 * Puts images on a board: resets it into download, makes sure that it is the right one, writes what is not there yet, verifies every region, and starts it,
 * with its boot text as the proof. Until chip and MAC have been compared nothing is written.
 * @throws FleetrigError FLASH_WRONG_BOARD, FLASH_IMAGE_*, FLASH_NO_ANSWER, FLASH_FAILED, FLASH_VERIFY_FAILED, FLASH_LINE_LOST; those of `open` and of resetting
 */
export async function flashBoard(options: FlashOptions): Promise<FlashOutcome> {
  const job = new FlashJob(options);
  for (let left = options.resumptions ?? 0; ; left -= 1) {
    try {
      return await job.run();
    } catch (error) {
      if (left <= 0 || !(error instanceof FleetrigError) || error.code !== "FLASH_LINE_LOST") throw error;
    }
  }
}

/** @throws FleetrigError FLASH_WRONG_BOARD */
export function checkBoard(board: ChipIdentity, expected: ExpectedBoard): void {
  const differs = (["mac", "chip"] as const).find(
    (key) => expected[key] !== undefined && expected[key] !== board[key],
  );
  if (differs === undefined) return;
  throw new FleetrigError(
    "FLASH_WRONG_BOARD",
    `The board on this port has ${differs} ${board[differs]}, not ${expected[differs]}. Nothing was written.`,
    {
      hint: "Boards change their port names when they are plugged in anew: `fleetrig board list` shows who is where.",
      context: { found: board, expected },
      exitCode: EXIT.usage,
    },
  );
}

class FlashJob {
  private readonly regions: readonly FlashRegion[];
  private readonly totalBytes: number;
  private readonly fingerprint: FlashedImages["images"];
  private readonly verified = new Set<number>();
  private readonly startUs: number;
  private doneBytes = 0;
  private writtenBytes = 0;
  private resumedBytes = 0;
  private repeats = 0;

  constructor(private readonly options: FlashOptions) {
    this.startUs = options.clock.nowUs();
    this.regions = regionsOf(options.images);
    this.totalBytes = this.regions.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.fingerprint = options.images.map(({ offset, bytes }) => ({
      offset,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
    }));
  }

  async run(): Promise<FlashOutcome> {
    const { open, clock, expect = {}, images } = this.options;
    this.tell("connecting");
    const line = await open();
    const loader = await BootLoader.connect(line, clock, this.options.onLog);
    let isRightBoard = false;
    try {
      checkBoard(loader.identity, expect);
      checkImages(images, loader.identity);
      isRightBoard = true;
      return await this.work(line, loader);
    } catch (error) {
      await loader.release().catch(() => {});
      // A board that was not touched goes back to its application.
      if (!isRightBoard) await line.boot.startApplication().catch(() => {});
      throw error;
    }
  }

  private async work(line: FlashLine, loader: BootLoader): Promise<FlashOutcome> {
    const { identity: board } = loader;
    this.tell("checking");
    const usedStub = await loader.startStub();
    checkImages(this.options.images, board, await loader.flashSizeBytes());
    const known = this.known(board);
    const wasCurrent = known?.state === "whole" && (await this.isCurrent(loader));
    let baud = ROM_BAUD;
    if (!wasCurrent) {
      baud = await loader.raiseBaud(this.options.baud ?? DEFAULT_BAUD);
      for (const offset of known?.state === "writing" ? known.verified : []) this.verified.add(offset);
      await this.write(loader);
    }
    this.tell("restarting");
    await loader.release();
    await line.boot.startApplication();
    const { writtenBytes, resumedBytes, repeats } = this;
    const tookUs = this.options.clock.nowUs() - this.startUs;
    return { board, wasCurrent, writtenBytes, resumedBytes, repeats, baud, usedStub, tookUs };
  }

  /** What the cache says of these very images on this board. */
  private known(board: ChipIdentity): FlashedImages | undefined {
    const known = this.options.isForced === true ? undefined : this.options.cache?.get(board.mac);
    if (known === undefined || known.chip !== board.chip) return undefined;
    return JSON.stringify(known.images) === JSON.stringify(this.fingerprint) ? known : undefined;
  }

  private async isCurrent(loader: BootLoader): Promise<boolean> {
    for (const region of this.regions) if (!(await isWritten(loader, region))) return false;
    return true;
  }

  private async write(loader: BootLoader): Promise<void> {
    this.doneBytes = 0;
    this.note(loader.identity, "writing");
    for (const region of this.regions) {
      this.tell("writing");
      const isThere = this.verified.has(region.offset) && (await isWritten(loader, region));
      if (!isThere) {
        // It is about to be erased: should this be interrupted, nobody may believe that it is there.
        if (this.verified.delete(region.offset)) this.note(loader.identity, "writing");
        await writeRegion(loader, region, { repeated: () => void (this.repeats += 1) });
        this.writtenBytes += region.bytes.length;
        this.verified.add(region.offset);
        this.note(loader.identity, "writing");
      } else this.resumedBytes += region.bytes.length;
      this.doneBytes += region.bytes.length;
    }
    this.tell("writing");
    this.note(loader.identity, "whole");
  }

  private note({ mac, chip }: ChipIdentity, state: FlashedImages["state"]): void {
    const verified = state === "writing" ? [...this.verified].sort((a, b) => a - b) : [];
    this.options.cache?.set(mac, { chip, state, images: this.fingerprint, verified });
  }

  private tell(phase: FlashProgress["phase"]): void {
    this.options.onProgress?.({ phase, doneBytes: this.doneBytes, totalBytes: this.totalBytes });
  }
}
