import type { Writable } from "node:stream";

/** Writes pieces of bytes as they lie: neighbours in memory, as the packets of one chunk are, leave in one write. */
export class JoinedWrites {
  private run: Uint8Array | undefined;

  constructor(private readonly stream: Writable) {}

  add(bytes: Uint8Array): void {
    const { run } = this;
    if (
      run !== undefined &&
      run.buffer === bytes.buffer &&
      run.byteOffset + run.length === bytes.byteOffset
    ) {
      this.run = new Uint8Array(run.buffer, run.byteOffset, run.length + bytes.length);
      return;
    }
    this.flush();
    this.run = bytes;
  }

  flush(): void {
    const { run } = this;
    this.run = undefined;
    if (run !== undefined && run.length > 0 && this.stream.writable) this.stream.write(run);
  }
}
