import { EventEmitter } from "node:events";
import type { ByteStream } from "fleetrig/protocol";

/** One of two ends of a connection in memory: what one writes, the other reads at once, unless it has stopped to. */
export class MemoryStream extends EventEmitter implements ByteStream {
  writableLength = 0;
  private other: MemoryStream | undefined;
  private unread: Uint8Array[] = [];
  private isReading = true;
  private isEnded = false;

  static pair(): readonly [MemoryStream, MemoryStream] {
    const near = new MemoryStream();
    const far = new MemoryStream();
    near.other = far;
    far.other = near;
    return [near, far];
  }

  write(bytes: Uint8Array): void {
    const { other } = this;
    if (this.isEnded || other === undefined) return;
    if (other.isReading) {
      // Both sides live in one process, but they share no memory.
      other.emit("data", new Uint8Array(bytes));
    } else {
      other.unread.push(new Uint8Array(bytes));
      this.writableLength += bytes.byteLength;
    }
  }

  /** Nothing more comes from this side; half open is nobody here. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.other?.endedByOther("end");
    this.endedByOther("close");
  }

  destroy(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.other?.endedByOther("error");
    this.endedByOther("close");
  }

  pause(): void {
    this.isReading = false;
  }

  resume(): void {
    this.isReading = true;
    const { unread, other } = this;
    this.unread = [];
    if (other !== undefined) other.writableLength = 0;
    for (const bytes of unread) this.emit("data", bytes);
    if (unread.length > 0) other?.emit("drain");
  }

  private endedByOther(event: "end" | "error" | "close"): void {
    this.isEnded = true;
    this.other = undefined;
    this.unread = [];
    this.writableLength = 0;
    this.emit(event);
  }
}
