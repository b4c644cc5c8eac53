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
    const { receivedAtUs, publisher = "", topic, payload } = message;
    const bytesMax = NUMBERS_BYTES + (publisher.length + topic.length) * UTF8_BYTES_MAX;
    if (bytesMax > BUFFER_BYTES) {
      this.write(`${receivedAtUs} ${publisher} ${topic} ${payload.byteLength}\n`);
      this.writeBytes(payload);
      return;
    }
    this.lineCount += 1;
    this.makeRoom(bytesMax);
    this.writeNumber(receivedAtUs, SPACE);
    this.writeText(publisher, SPACE);
    this.writeText(topic, SPACE);
    this.writeNumber(payload.byteLength, NEWLINE);
    this.writeBytes(payload);
  }

  /** The fingerprint so far, in hexadecimal; recording may go on. */
  fingerprint(): string {
    this.flush();
    return this.hash.copy().digest("hex");
  }

  private write(line: string): void {
    this.lineCount += 1;
    const bytesMax = line.length * UTF8_BYTES_MAX;
    this.makeRoom(bytesMax);
    if (bytesMax > BUFFER_BYTES) this.hash.update(line);
    else this.used += this.buffer.write(line, this.used);
  }

  private makeRoom(bytes: number): void {
    if (this.used + bytes > BUFFER_BYTES) this.flush();
  }

  /** Decimal digits of a whole number, by hand: this runs for every message, and a string would only be copied. */
  private writeNumber(value: number, after: number): void {
    const { buffer } = this;
    let end = this.used + 1;
    for (let power = 10; power <= value; power *= 10) end += 1;
    this.used = end + 1;
    buffer[end] = after;
    let rest = value;
    for (let at = end - 1; at >= end - DIGITS_MAX; at -= 1) {
      const tenth = Math.floor(rest / 10);
      buffer[at] = ZERO + (rest - tenth * 10);
      if (tenth === 0) return;
      rest = tenth;
    }
  }

  /** Topics and client ids are ASCII in practice and short. */
  private writeText(text: string, after: number): void {
    const { buffer } = this;
    const start = this.used;
    let at = start;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        at = start + buffer.write(text, start);
        break;
      }
      buffer[at++] = code;
    }
    buffer[at] = after;
    this.used = at + 1;
  }

  private writeBytes(bytes: Uint8Array): void {
    this.makeRoom(bytes.byteLength);
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
const UTF8_BYTES_MAX = 4;
const DIGITS_MAX = 16;
/** Two numbers and the four separators of a message's line. */
const NUMBERS_BYTES = 2 * DIGITS_MAX + 4;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
