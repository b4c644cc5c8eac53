/**
 * Firmware *images*: what a slot of a board holds and an update carries. 128 bytes of header (`boot_image` of include/boot.h), then
 * the code. And *factory flash*: the file that is a virtual board's flash, with an image in slot 0 (src/platform/flash_layout.h).
 */
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { EXIT, FleetrigError } from "fleetrig/kernel";

const MAGIC = 0x31475246;
const HEADER_BYTES = 128;
const VERSION_BYTES = 32;
const AT = { size: 4, crc: 8, entry: 12, version: 16, elfHash: 48, headerCrc: 124 } as const;

const FLASH_BYTES = 32 * 1024 * 1024;
const SLOT_BYTES = 1024 * 1024;
/** The last sector of a slot is the boot loader's. */
const IMAGE_MAX_BYTES = SLOT_BYTES - 4096;
const IDENTITY_AT = 2 * SLOT_BYTES;

export interface ImageParts {
  /** What follows the header. */
  readonly contents: Uint8Array;
  /** Address at which the code begins; 0: none of a bare machine. */
  readonly entry: number;
  readonly version: string;
  /** The program with its symbols; panics name the beginning of its SHA-256. */
  readonly elf: Uint8Array;
}

/** @throws {FleetrigError} FIRMWARE_IMAGE_INVALID: too large, or the version is not 1 to 31 printable characters */
export function makeImage({ contents, entry, version, elf }: ImageParts): Uint8Array {
  const image = Buffer.concat([Buffer.alloc(HEADER_BYTES), contents]);
  if (image.length > IMAGE_MAX_BYTES)
    throw new FleetrigError(
      "FIRMWARE_IMAGE_INVALID",
      `An image of ${image.length} bytes does not fit a slot, which takes ${IMAGE_MAX_BYTES}.`,
      { exitCode: EXIT.usage },
    );
  image.writeUInt32LE(MAGIC, 0);
  image.writeUInt32LE(image.length, AT.size);
  image.writeUInt32LE(crc32(contents), AT.crc);
  image.writeUInt32LE(entry, AT.entry);
  createHash("sha256").update(elf).digest().copy(image, AT.elfHash);
  return labelled(image, version);
}

/**
 * The same code under another version, as a real image that boots and says so.
 * @throws {FleetrigError} FIRMWARE_IMAGE_INVALID: it is no image, or the version cannot be one
 */
export function imageWithVersion(image: Uint8Array, version: string): Uint8Array {
  checkImage(image);
  return labelled(Buffer.from(image), version);
}

/** @throws {FleetrigError} FIRMWARE_IMAGE_INVALID */
export function imageVersion(image: Uint8Array): string {
  checkImage(image);
  const text = Buffer.from(image).toString("latin1", AT.version, AT.version + VERSION_BYTES);
  return text.slice(0, text.indexOf("\0"));
}

/**
 * Writes a new board's flash, a sparse file of 32 MiB: the image in slot 0, everything else erased.
 * @param mac 12 hexadecimal digits
 * @throws {FleetrigError} FIRMWARE_IMAGE_INVALID; system errors of the file
 */
export function writeFactoryFlash(path: string, image: Uint8Array, mac: string): void {
  checkImage(image);
  const slots = Buffer.alloc(2 * SLOT_BYTES, 0xff);
  slots.set(image);
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, FLASH_BYTES);
    writeAt(file, 0, slots);
    writeAt(file, IDENTITY_AT, Buffer.concat([Buffer.from("MAC0"), Buffer.from(mac, "hex")]));
  } finally {
    closeSync(file);
  }
}

/** Whether the bytes, or the first of them, begin as an image does. */
export const isImage = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && Buffer.from(bytes.buffer, bytes.byteOffset).readUInt32LE(0) === MAGIC;

function writeAt(file: number, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

function labelled(image: Buffer, version: string): Uint8Array {
  if (!/^[\x21-\x7e]{1,31}$/.test(version) || /["\\]/.test(version))
    throw new FleetrigError(
      "FIRMWARE_IMAGE_INVALID",
      `The version ${JSON.stringify(version)} is not 1 to 31 printable characters without quotes.`,
      { exitCode: EXIT.usage },
    );
  image.fill(0, AT.version, AT.version + VERSION_BYTES);
  image.write(version, AT.version, "latin1");
  image.writeUInt32LE(crc32(image.subarray(0, AT.headerCrc)), AT.headerCrc);
  return image;
}

function checkImage(image: Uint8Array): void {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const isWhole =
    bytes.length > HEADER_BYTES &&
    bytes.readUInt32LE(0) === MAGIC &&
    bytes.readUInt32LE(AT.size) === bytes.length &&
    bytes.readUInt32LE(AT.headerCrc) === crc32(bytes.subarray(0, AT.headerCrc)) &&
    bytes.readUInt32LE(AT.crc) === crc32(bytes.subarray(HEADER_BYTES));
  if (!isWhole)
    throw new FleetrigError(
      "FIRMWARE_IMAGE_INVALID",
      `These ${bytes.length} bytes are no whole firmware image.`,
      {
        hint: "Use app.bin as `buildFirmware` makes it, not the ELF file.",
        exitCode: EXIT.usage,
      },
    );
}
