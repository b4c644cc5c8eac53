import { type Clock, FleetrigError } from "fleetrig/kernel";
import { BootLoader, type ChipIdentity } from "./boot-loader.js";
import { checkBoard, type ExpectedBoard } from "./flash-board.js";
import type { FlashLine } from "./flash-line.js";
import type { ImageCache } from "./image-cache.js";

/** Work on a board's flash that is no flashing: each resets the board into download, and starts its application afterwards. */
export interface FlashAccess {
  readonly open: () => Promise<FlashLine>;
  readonly clock: Clock;
  readonly expect?: ExpectedBoard;
  /** Highest baud rate to try. Default: 921600. */
  readonly baud?: number;
}

/** Who the board is, by its eFuses. @throws FleetrigError FLASH_NO_ANSWER, FLASH_CHIP_UNKNOWN, FLASH_LINE_LOST */
export async function readIdentity(access: FlashAccess): Promise<ChipIdentity> {
  return await withLoader(access, async (loader) => loader.identity);
}

/**
 * Erases all of the flash: firmware, settings, credentials.
 * @param cache Forgets what was on the board.
 * @throws FleetrigError FLASH_WRONG_BOARD, FLASH_STUB_NEEDED, FLASH_FAILED, and those of {@link readIdentity}
 */
export async function eraseBoard(access: FlashAccess, cache?: ImageCache): Promise<ChipIdentity> {
  return await withLoader(access, async (loader) => {
    await needStub(loader);
    cache?.forget(loader.identity.mac);
    await loader.eraseAll();
    return loader.identity;
  });
}

/**
 * Reads a range of flash.
 * @throws FleetrigError FLASH_READ_DAMAGED and those of {@link eraseBoard}
 */
export async function readFlash(
  access: FlashAccess,
  range: {
    readonly offset: number;
    readonly lengthBytes: number;
    readonly progress?: (doneBytes: number) => void;
  },
): Promise<Uint8Array> {
  return await withLoader(access, async (loader) => {
    await needStub(loader);
    await loader.raiseBaud(access.baud ?? 921_600);
    return await loader.read(range.offset, range.lengthBytes, range.progress);
  });
}

async function withLoader<T>(access: FlashAccess, work: (loader: BootLoader) => Promise<T>): Promise<T> {
  const line = await access.open();
  const loader = await BootLoader.connect(line, access.clock);
  let result: T;
  try {
    checkBoard(loader.identity, access.expect ?? {});
    result = await work(loader);
  } catch (error) {
    await loader.release().catch(() => {});
    await line.boot.startApplication().catch(() => {});
    throw error;
  }
  await loader.release();
  // A blank board starts nothing: that is no failure of what was asked.
  await line.boot.startApplication().catch(() => {});
  return result;
}

async function needStub(loader: BootLoader): Promise<void> {
  if (await loader.startStub()) return;
  throw new FleetrigError("FLASH_STUB_NEEDED", "The chip refuses the loader that erasing and reading need.", {
    hint: "It is in Secure Download Mode: only writing is possible.",
  });
}
