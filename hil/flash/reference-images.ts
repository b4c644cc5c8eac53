import type { FlashImage } from "./firmware-image.js";

/**
 * Where the reference firmware's image goes on virtual boards (`hil/firmware/src/platform/flash_layout.h`): slot 0. The marks of both slots are
 * erased, so that an update that was installed over the air does not run instead of what was flashed.
 */
const SLOT_BYTES = 0x100000;
const MARKS_BYTES = 4096;
const SLOTS = 2;

export function referenceImages(image: Uint8Array): FlashImage[] {
  const marks = Array.from({ length: SLOTS }, (_, slot) => ({
    offset: (slot + 1) * SLOT_BYTES - MARKS_BYTES,
    bytes: new Uint8Array(MARKS_BYTES).fill(0xff),
    kind: "data" as const,
    name: `The marks of slot ${slot}`,
  }));
  return [{ offset: 0, bytes: image, kind: "data", name: "The reference firmware" }, ...marks];
}
