import { constants, inflateSync } from "node:zlib";
import { type FlashMemory, SECTOR_BYTES } from "./flash-memory.js";

/** One write to flash between BEGIN and END, plain or deflated. Sectors are erased just before they are programmed, or all at the beginning. */
export class FlashWrite {
  private readonly deflated: Uint8Array[] | undefined;
  private writtenBytes = 0;
  private erasedTo: number;

  constructor(
    private readonly flash: FlashMemory,
    private readonly options: {
      readonly offset: number;
      readonly sizeBytes: number;
      readonly isDeflated: boolean;
      readonly erasesFirst: boolean;
      /** Gets each piece before it is programmed and says how much of it still comes out; less than all is a power cut. */
      readonly programs: (offset: number, bytes: Uint8Array) => Uint8Array;
    },
  ) {
    this.deflated = options.isDeflated ? [] : undefined;
    this.erasedTo = Math.floor(options.offset / SECTOR_BYTES) * SECTOR_BYTES;
    if (options.erasesFirst && options.sizeBytes > 0) {
      flash.erase(options.offset, options.sizeBytes);
      this.erasedTo = options.offset + options.sizeBytes;
    }
  }

  get isWhole(): boolean {
    return this.writtenBytes >= this.options.sizeBytes;
  }

  /** @returns Why the block cannot be taken; undefined when it was. */
  block(data: Uint8Array): "inflate" | "too-much" | undefined {
    if (this.deflated === undefined) {
      // Plain blocks have one size; the last one is filled up beyond the end of what is written.
      this.append(data.subarray(0, this.options.sizeBytes - this.writtenBytes));
      return undefined;
    }
    this.deflated.push(data);
    let plain: Uint8Array;
    try {
      plain = inflateSync(Buffer.concat(this.deflated), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.flash.sizeBytes,
      });
    } catch {
      return "inflate";
    }
    if (plain.length > this.options.sizeBytes) return "too-much";
    this.append(plain.subarray(this.writtenBytes));
    return undefined;
  }

  private append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const offset = this.options.offset + this.writtenBytes;
    this.writtenBytes += bytes.length;
    const end = offset + bytes.length;
    if (end > this.erasedTo) {
      this.flash.erase(this.erasedTo, end - this.erasedTo);
      this.erasedTo = Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES;
    }
    this.flash.program(offset, this.options.programs(offset, bytes));
  }
}
