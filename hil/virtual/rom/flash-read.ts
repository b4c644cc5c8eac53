import { createHash } from "node:crypto";
import type { FlashMemory } from "./flash-memory.js";

/** One READ_FLASH of the stub: blocks go out as long as not too much is unacknowledged, and the sum of all of them at the end. */
export class FlashRead {
  private readonly hash = createHash("md5");
  private sentBytes = 0;

  constructor(
    private readonly flash: FlashMemory,
    private readonly range: {
      readonly offset: number;
      readonly sizeBytes: number;
      readonly blockBytes: number;
      readonly inFlightBytes: number;
    },
    private readonly send: (frame: Uint8Array) => void,
  ) {}

  start(): void {
    this.fill(0);
  }

  /**
   * The host has so many bytes.
   * @returns true when the read is over.
   */
  acknowledged(bytes: number): boolean {
    if (bytes > this.sentBytes) return true;
    if (bytes >= this.range.sizeBytes) {
      this.send(this.hash.digest());
      return true;
    }
    this.fill(bytes);
    return false;
  }

  private fill(acknowledgedBytes: number): void {
    const { offset, sizeBytes, blockBytes, inFlightBytes } = this.range;
    while (this.sentBytes < sizeBytes && this.sentBytes - acknowledgedBytes < inFlightBytes) {
      const block = this.flash.read(
        offset + this.sentBytes,
        Math.min(blockBytes, sizeBytes - this.sentBytes),
      );
      this.hash.update(block);
      this.sentBytes += block.length;
      this.send(block);
    }
  }
}
