import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/** Bytes erased at once. */
export const SECTOR_BYTES = 4096;

/** NOR flash: erasing sets bits, programming clears them. Ranges are inside `sizeBytes`; the caller checks. */
export interface FlashMemory {
  readonly sizeBytes: number;
  read(offset: number, lengthBytes: number): Uint8Array;
  /** Clears bits: what was not erased before comes out as the AND of old and new. */
  program(offset: number, bytes: Uint8Array): void;
  /** Whole sectors: from the one that holds `offset` to the one that holds the last byte. */
  erase(offset: number, lengthBytes: number): void;
}

/** Flash that lives as long as the process. */
export class MemoryFlash implements FlashMemory {
  readonly bytes: Uint8Array;

  constructor(readonly sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes).fill(0xff);
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    return this.bytes.slice(offset, offset + lengthBytes);
  }

  program(offset: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1) this.bytes[offset + i]! &= bytes[i]!;
  }

  erase(offset: number, lengthBytes: number): void {
    const [start, end] = sectors(offset, lengthBytes);
    this.bytes.fill(0xff, start, end);
  }
}

/** Flash in a file, as an emulator of the whole machine uses it too (never both at once). */
export class FileFlash implements FlashMemory {
  private readonly file: number;

  /** @param path Made if it is not there; a shorter file is lengthened (with zeros, as a sparse file is). */
  constructor(
    path: string,
    readonly sizeBytes: number,
  ) {
    this.file = openSync(path, "a+");
    closeSync(this.file);
    this.file = openSync(path, "r+");
    if (fstatSync(this.file).size < sizeBytes) ftruncateSync(this.file, sizeBytes);
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    readSync(this.file, bytes, 0, lengthBytes, offset);
    return bytes;
  }

  program(offset: number, bytes: Uint8Array): void {
    const present = this.read(offset, bytes.length);
    for (let i = 0; i < bytes.length; i += 1) present[i]! &= bytes[i]!;
    writeSync(this.file, present, 0, present.length, offset);
  }

  erase(offset: number, lengthBytes: number): void {
    const [start, end] = sectors(offset, lengthBytes);
    const blank = new Uint8Array(Math.min(end, this.sizeBytes) - start).fill(0xff);
    writeSync(this.file, blank, 0, blank.length, start);
  }

  close(): void {
    closeSync(this.file);
  }
}

const sectors = (offset: number, lengthBytes: number): [start: number, end: number] => [
  Math.floor(offset / SECTOR_BYTES) * SECTOR_BYTES,
  Math.ceil((offset + lengthBytes) / SECTOR_BYTES) * SECTOR_BYTES,
];
