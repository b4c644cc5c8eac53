import { createHash, type Hash } from "node:crypto";
import type { EventSink, RunEvent } from "fleetrig/kernel";
import type { ApplicationMessage } from "fleetrig/broker";

/**
 * The fingerprint of a virtual run: sha256 over every event and every message the broker accepted, in the order
 * in which they happened. Two runs are the same run exactly when their fingerprints are equal.
 *
 * One line per event (JSON, as emitted) or message (`<atUs> <client> <topic>` and the payload's bytes). Lines
 * are gathered in a buffer because hashing many small pieces costs more than the hash.
 */
export class TraceRecorder implements EventSink {
  private readonly hash: Hash = createHash("sha256");
  private readonly buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  private used = 0;
  private lineCount = 0;

  /** Lines so far. */
  get lines(): number {
    return this.lineCount;
  }

  emit(event: RunEvent): void {
    this.write(`${JSON.stringify(event)}\n`);
  }

  message(message: ApplicationMessage): void {
    this.write(
      `${message.receivedAtUs} ${message.publisher ?? ""} ${message.topic} ${message.payload.byteLength}\n`,
    );
    this.writeBytes(message.payload);
  }

  /** The fingerprint so far, in hexadecimal; recording may go on. */
  fingerprint(): string {
    this.flush();
    return this.hash.copy().digest("hex");
  }

  private write(line: string): void {
    this.lineCount += 1;
    // Four bytes are the most that UTF-8 needs per UTF-16 unit.
    if (this.used + line.length * 4 > BUFFER_BYTES) this.flush();
    if (line.length * 4 > BUFFER_BYTES) this.hash.update(line);
    else this.used += this.buffer.write(line, this.used);
  }

  private writeBytes(bytes: Uint8Array): void {
    if (this.used + bytes.byteLength > BUFFER_BYTES) this.flush();
    if (bytes.byteLength > BUFFER_BYTES) {
      this.hash.update(bytes);
      return;
    }
    this.buffer.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  private flush(): void {
    if (this.used > 0) this.hash.update(this.buffer.subarray(0, this.used));
    this.used = 0;
  }
}

const BUFFER_BYTES = 1 << 16;
