import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { FleetrigError, type Clock, type Timer, US_PER_MS } from "fleetrig/kernel";
import { encodeRecord, type PortRecord, readRecording, RECORDING_MAGIC } from "./recording.js";

/** What a crash may cost. */
const FLUSH_US = 20 * US_PER_MS;
const FLUSH_BYTES = 64 * 1024;

/** A recording that grows. What a crash cut off before is removed when it is opened again. */
export class RecordFile {
  private readonly handle: number;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private lastUs = 0;
  private flushing: Timer | undefined;
  private isClosed = false;

  /** @throws FleetrigError PORT_RECORDING_UNWRITABLE, PORT_RECORDING_INVALID when another kind of file is there */
  constructor(
    readonly path: string,
    private readonly clock: Clock,
  ) {
    try {
      this.handle = openSync(path, "a", 0o600);
    } catch (error) {
      throw new FleetrigError("PORT_RECORDING_UNWRITABLE", `${path} cannot be written.`, {
        hint: `The system says: ${(error as Error).message}.`,
        cause: error,
      });
    }
    const before = readFileSync(path);
    if (before.length < RECORDING_MAGIC.length) {
      ftruncateSync(this.handle, 0);
      writeSync(this.handle, RECORDING_MAGIC);
    } else ftruncateSync(this.handle, readRecording(before).wholeBytes);
  }

  add(record: PortRecord): void {
    if (this.isClosed) return;
    const bytes = encodeRecord(record, this.lastUs);
    this.lastUs = record.atUs;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.pendingBytes >= FLUSH_BYTES) this.flush();
    else this.flushing ??= this.clock.after(FLUSH_US, () => this.flush());
  }

  close(): void {
    if (this.isClosed) return;
    this.flush();
    this.isClosed = true;
    closeSync(this.handle);
  }

  private flush(): void {
    this.flushing?.cancel();
    this.flushing = undefined;
    if (this.isClosed || this.pendingBytes === 0) return;
    const bytes = Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.handle, bytes, at);
  }
}
