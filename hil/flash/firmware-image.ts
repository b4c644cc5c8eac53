import { createHash } from "node:crypto";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { ChipIdentity } from "./boot-loader.js";

/** Bytes for one place in flash. */
export interface FlashImage {
  /** Where it goes; a multiple of 4096, as flash is erased in such pieces. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /**
   * `esp`: an application or boot loader of Espressif's format, checked in full. `data`: anything. Default: by its first byte, and whatever goes
   * where the ROM starts must be `esp`.
   */
  readonly kind?: "esp" | "data";
  /** For messages: a file's name. */
  readonly name?: string;
}

const IMAGE_MAGIC = 0xe9;
const CHECKSUM_SEED = 0xef;
const HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 8;
const MOST_SEGMENTS = 16;
const SECTOR_BYTES = 4096;

/**
 * Checks images before anything is written.
 * @param flashSizeBytes Undefined when the flash does not say.
 * @throws FleetrigError FLASH_IMAGE_INVALID, FLASH_IMAGE_WRONG_CHIP, FLASH_IMAGE_TOO_BIG, FLASH_IMAGES_OVERLAP
 */
export function checkImages(
  images: readonly FlashImage[],
  board: ChipIdentity,
  flashSizeBytes?: number,
): void {
  if (images.length === 0) throw invalid("There is nothing to flash.", "Name at least one image.");
  for (const image of images) {
    checkPlace(image, flashSizeBytes);
    checkFormat(image, board);
  }
  const ordered = images.toSorted((a, b) => a.offset - b.offset);
  ordered.slice(1).forEach((image, at) => {
    const before = ordered[at]!;
    if (before.offset + before.bytes.length > image.offset)
      throw new FleetrigError("FLASH_IMAGES_OVERLAP", `${nameOf(before)} reaches into ${nameOf(image)}.`, {
        hint: "Check the offsets; a partition table of another flash layout is the usual cause.",
        exitCode: EXIT.usage,
      });
  });
}

function checkPlace(image: FlashImage, flashSizeBytes: number | undefined): void {
  const { offset, bytes } = image;
  if (bytes.length === 0) throw invalid(`${nameOf(image)} is empty.`, "Check that the build has finished.");
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % SECTOR_BYTES !== 0)
    throw invalid(
      `${nameOf(image)} cannot begin at ${offset}.`,
      "Flash is erased in pieces of 4096 bytes: the offset must be a multiple of that.",
    );
  const end = offset + bytes.length;
  if (end > (flashSizeBytes ?? 2 ** 32))
    throw new FleetrigError(
      "FLASH_IMAGE_TOO_BIG",
      `${nameOf(image)} ends at ${end}; the flash has ${flashSizeBytes} bytes.`,
      {
        hint: "Check the offset and the board's flash size.",
        context: { end, flashSizeBytes },
        exitCode: EXIT.usage,
      },
    );
}

function checkFormat(image: FlashImage, board: ChipIdentity): void {
  const { kind, bytes, offset } = image;
  const isEsp =
    kind === "esp" || (kind === undefined && (bytes[0] === IMAGE_MAGIC || offset === board.bootloaderOffset));
  if (!isEsp) return;
  if (bytes[0] !== IMAGE_MAGIC || bytes.length < HEADER_BYTES)
    throw invalid(
      `${nameOf(image)} is no image for an ESP chip: it does not begin with e9.`,
      'Flash the .bin file, not the .elf or .hex one; for other bytes say kind "data".',
    );
  const chipId = bytes[12]! | (bytes[13]! << 8);
  if (chipId !== board.imageChipId)
    throw new FleetrigError(
      "FLASH_IMAGE_WRONG_CHIP",
      `${nameOf(image)} is for chip ${chipId}; the board's ${board.chip} is chip ${board.imageChipId}.`,
      {
        hint: "Build for the chip that is on the board.",
        context: { chipId, board: board.chip },
        exitCode: EXIT.usage,
      },
    );
  checkSegments(image);
}

/** Segments, the checksum after them, and the SHA-256 after that if the header says so [ESP-IDF, "App Image Format"]. */
function checkSegments(image: FlashImage): void {
  const { bytes } = image;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const damaged = (what: string): FleetrigError =>
    invalid(`${nameOf(image)} is damaged: ${what}.`, "Build it again, or copy it again.");
  const segments = bytes[1]!;
  if (segments === 0 || segments > MOST_SEGMENTS) throw damaged(`it has ${segments} segments`);
  let at = HEADER_BYTES;
  let sum = CHECKSUM_SEED;
  for (let segment = 0; segment < segments; segment += 1) {
    if (at + SEGMENT_HEADER_BYTES > bytes.length) throw damaged("it ends within a segment");
    const lengthBytes = view.getUint32(at + 4, true);
    at += SEGMENT_HEADER_BYTES;
    if (at + lengthBytes > bytes.length) throw damaged("it ends within a segment");
    for (const end = at + lengthBytes; at < end; at += 1) sum ^= bytes[at]!;
  }
  // The checksum is the last byte of a block of 16.
  const checksumAt = Math.floor(at / 16) * 16 + 15;
  if (bytes[checksumAt] !== sum) throw damaged("its checksum is wrong");
  if (bytes[23]! > 1) throw damaged("its header is wrong");
  if (bytes[23] === 0) return;
  const hash = createHash("sha256")
    .update(bytes.subarray(0, checksumAt + 1))
    .digest();
  if (!hash.equals(bytes.subarray(checksumAt + 1, checksumAt + 33))) throw damaged("its SHA-256 is wrong");
}

const nameOf = ({ name, offset }: FlashImage): string => name ?? `The image for 0x${offset.toString(16)}`;

const invalid = (sentence: string, hint: string): FleetrigError =>
  new FleetrigError("FLASH_IMAGE_INVALID", sentence, { hint, exitCode: EXIT.usage });
