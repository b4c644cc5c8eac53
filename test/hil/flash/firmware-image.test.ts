import { createHash } from "node:crypto";
import { checkImages, type ChipIdentity, type FlashImage } from "fleetrig/hil";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const C3: ChipIdentity = { chip: "esp32c3", mac: "7cdfa1001122", imageChipId: 5, bootloaderOffset: 0 };

/** An image of one segment, with checksum and SHA-256 as the format wants them. */
export function espImage(chipId: number, segment: Uint8Array = new Uint8Array(100).fill(7)): Uint8Array {
  const checksumAt = Math.floor((32 + segment.length) / 16) * 16 + 15;
  const bytes = new Uint8Array(checksumAt + 33);
  bytes.set([0xe9, 1]);
  bytes.set([chipId, 0], 12);
  bytes[23] = 1;
  new DataView(bytes.buffer).setUint32(28, segment.length, true);
  bytes.set(segment, 32);
  bytes[checksumAt] = segment.reduce((sum, byte) => sum ^ byte, 0xef);
  bytes.set(
    createHash("sha256")
      .update(bytes.subarray(0, checksumAt + 1))
      .digest(),
    checksumAt + 1,
  );
  return bytes;
}

const code = (images: readonly FlashImage[], flashSizeBytes?: number): string | undefined => {
  try {
    checkImages(images, C3, flashSizeBytes);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("checkImages", () => {
  const whole = espImage(5);
  const edited = (edit: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = whole.slice();
    edit(bytes);
    return bytes;
  };

  it.each<[string, string | undefined, FlashImage[]]>([
    ["takes an image for the chip", undefined, [{ offset: 0x10000, bytes: whole }]],
    [
      "takes any bytes elsewhere than where the ROM starts",
      undefined,
      [{ offset: 0x8000, bytes: Uint8Array.of(1) }],
    ],
    [
      "takes any bytes where it is told to",
      undefined,
      [{ offset: 0, bytes: Uint8Array.of(1), kind: "data" }],
    ],
    ["refuses nothing at all", "FLASH_IMAGE_INVALID", []],
    ["refuses an empty image", "FLASH_IMAGE_INVALID", [{ offset: 0, bytes: new Uint8Array(0) }]],
    ["refuses an offset within a sector", "FLASH_IMAGE_INVALID", [{ offset: 0x10100, bytes: whole }]],
    [
      "refuses other bytes where the ROM starts",
      "FLASH_IMAGE_INVALID",
      [{ offset: 0, bytes: Uint8Array.of(0x7f, 0x45) }],
    ],
    [
      "refuses other bytes as an ESP image",
      "FLASH_IMAGE_INVALID",
      [{ offset: 4096, bytes: whole.subarray(1), kind: "esp" }],
    ],
    ["refuses another chip's image", "FLASH_IMAGE_WRONG_CHIP", [{ offset: 0x10000, bytes: espImage(9) }]],
    ["refuses a cut image", "FLASH_IMAGE_INVALID", [{ offset: 0, bytes: whole.subarray(0, 60) }]],
    [
      "refuses a changed segment",
      "FLASH_IMAGE_INVALID",
      [{ offset: 0, bytes: edited((bytes) => (bytes[40] = 8)) }],
    ],
    [
      "refuses a changed header",
      "FLASH_IMAGE_INVALID",
      [{ offset: 0, bytes: edited((bytes) => (bytes[3] = 8)) }],
    ],
    [
      "refuses too many segments",
      "FLASH_IMAGE_INVALID",
      [{ offset: 0, bytes: edited((bytes) => (bytes[1] = 200)) }],
    ],
  ])("%s", (_, expected, images) => {
    expect(code(images)).toBe(expected);
  });

  it("refuses images that overlap, and ones beyond the flash", () => {
    const bytes = new Uint8Array(0x2000);
    expect(
      code([
        { offset: 0x2000, bytes },
        { offset: 0x1000, bytes },
      ]),
    ).toBe("FLASH_IMAGES_OVERLAP");
    expect(code([{ offset: 0x3ff000, bytes }], 0x400000)).toBe("FLASH_IMAGE_TOO_BIG");
  });

  it("never takes a damaged image, and never fails otherwise than by saying so", () => {
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        // An image that says that it has no SHA-256 is believed.
        fc.pre(at !== 23 || flip !== 1);
        const result = code([{ offset: 0, bytes: edited((bytes) => (bytes[at]! ^= flip)), kind: "esp" }]);
        expect(result).toMatch(/^FLASH_IMAGE_(INVALID|WRONG_CHIP)$/);
      }),
    );
  });
});
