import { deflateSync } from "node:zlib";
import { FleetrigError } from "fleetrig/kernel";
import { type BootLoader, md5 } from "./boot-loader.js";
import type { FlashImage } from "./firmware-image.js";

/** A piece of flash that is written and verified by itself: where an interrupted write goes on. */
export interface FlashRegion {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A block of most flash chips: what they erase fastest. */
const REGION_BYTES = 0x10000;
const BLOCK_ATTEMPTS = 4;
const REGION_ATTEMPTS = 3;

/** Cuts images at multiples of 64 KiB. The last piece is filled up to whole words, as flash is programmed in those. */
export function regionsOf(images: readonly FlashImage[]): FlashRegion[] {
  return images.flatMap(({ offset, bytes }) => {
    const regions: FlashRegion[] = [];
    for (let at = 0; at < bytes.length; ) {
      const untilBoundary = REGION_BYTES - ((offset + at) % REGION_BYTES);
      const piece = bytes.subarray(at, at + untilBoundary);
      const padded = new Uint8Array(Math.ceil(piece.length / 4) * 4).fill(0xff);
      padded.set(piece);
      regions.push({ offset: offset + at, bytes: padded });
      at += piece.length;
    }
    return regions;
  });
}

/** The region is on the flash already. */
export const isWritten = async (loader: BootLoader, { offset, bytes }: FlashRegion): Promise<boolean> =>
  (await loader.sum(offset, bytes.length)) === md5(bytes);

/**
 * Writes a region and has the chip sum it up. A damaged block is sent again; when an answer is lost, or the sum is wrong, all of the region is,
 * since stubs take a block that comes twice for two.
 * @throws FleetrigError FLASH_VERIFY_FAILED, FLASH_FAILED, FLASH_LINE_LOST
 */
export async function writeRegion(
  loader: BootLoader,
  region: FlashRegion,
  events: { readonly repeated: (what: "block" | "region", offset: number) => void },
): Promise<void> {
  const { offset } = region;
  let failure: unknown;
  for (let attempt = 0; attempt < REGION_ATTEMPTS; attempt += 1) {
    if (attempt > 0) events.repeated("region", offset);
    try {
      await writeOnce(loader, region, () => events.repeated("block", offset));
      if (await isWritten(loader, region)) return;
      failure = undefined;
    } catch (error) {
      if (!(error instanceof FleetrigError) || error.code !== "FLASH_FAILED") throw error;
      failure = error;
      await loader.settle();
    }
  }
  throw failure ?? notVerified(offset);
}

async function writeOnce(
  loader: BootLoader,
  { offset, bytes }: FlashRegion,
  repeated: () => void,
): Promise<void> {
  const deflated = deflateSync(bytes, { level: 6 });
  await loader.beginWrite(offset, bytes.length, deflated.length);
  const { blockBytes } = loader;
  for (let number = 0; number * blockBytes < deflated.length; number += 1) {
    const block = deflated.subarray(number * blockBytes, (number + 1) * blockBytes);
    let attempt = 1;
    while (!(await loader.writeBlock(block, number, bytes.length))) {
      if (attempt === BLOCK_ATTEMPTS) throw blockDamaged(offset, number);
      attempt += 1;
      repeated();
    }
  }
  await loader.endWrite();
}

const blockDamaged = (offset: number, number: number): FleetrigError =>
  new FleetrigError(
    "FLASH_FAILED",
    `Block ${number} at 0x${offset.toString(16)} came in damaged ${BLOCK_ATTEMPTS} times.`,
    {
      hint: "Use a lower baud rate, a shorter cable, or another port.",
      context: { offset, number },
    },
  );

const notVerified = (offset: number): FleetrigError =>
  new FleetrigError(
    "FLASH_VERIFY_FAILED",
    `The flash at 0x${offset.toString(16)} is not what was written there.`,
    {
      hint: "If it stays so after erasing the board, its flash is worn out or its supply too weak.",
      context: { offset },
    },
  );
