import { type FlashImage, isImage, referenceImages } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { Host } from "../host.js";

const MAX_IMAGE_BYTES = 64 * 1_048_576;
const PLACED = /^(0x[0-9a-fA-F]{1,8}|\d{1,10})=(.+)$/;

/** Description of an application in ESP-IDF's images: behind the headers of the image and of its first segment. */
const APP_DESCRIPTION_AT = 32;
const APP_DESCRIPTION_MAGIC = 0xabcd5432;
/** Where ESP-IDF's partition tables have the application, unless one is written by hand. */
const USUAL_APP_OFFSET = 0x10000;

/**
 * Reads what is to be flashed: `offset=file`, or a file that says itself where it goes.
 * @throws FleetrigError FLASH_IMAGE_PLACE (exit 2), CLI_FILE_UNREADABLE
 */
export function readImages({ files }: Host, words: readonly string[]): readonly FlashImage[] {
  return words.flatMap((word) => {
    const [, offset, placed] = PLACED.exec(word) ?? [];
    const name = placed ?? word;
    const bytes = files.readBytes(name, MAX_IMAGE_BYTES);
    if (offset !== undefined) return [{ offset: Number(offset), bytes, name }];
    if (isImage(bytes)) return referenceImages(bytes);
    if (isApplication(bytes)) return [{ offset: USUAL_APP_OFFSET, bytes, name }];
    throw new FleetrigError("FLASH_IMAGE_PLACE", `${name} does not say where in flash it goes.`, {
      hint: `Write its offset in front, as in 0x0=${name}; ESP-IDF's build/flasher_args.json has them.`,
      exitCode: EXIT.usage,
    });
  });
}

function isApplication(bytes: Uint8Array): boolean {
  if (bytes.length < APP_DESCRIPTION_AT + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(APP_DESCRIPTION_AT, true) === APP_DESCRIPTION_MAGIC;
}
