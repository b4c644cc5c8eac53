/**
 * The serial input of a MicroPython board: a ring in shared memory. One thread puts bytes in as they come; the other, where the
 * interpreter blocks, takes them out and may wait for them.
 */
const RING_BYTES = 65_536;
const HEAD = 0;
const TAIL = 1;
const HEADER_BYTES = 8;

export class InputRing {
  private readonly ends: Int32Array;
  private readonly bytes: Uint8Array;

  /** @param memory As `InputRing.memory()` makes it. */
  constructor(memory: SharedArrayBuffer) {
    this.ends = new Int32Array(memory, 0, 2);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES + RING_BYTES);
  }

  /** What does not fit is lost, as in a UART that nobody reads. */
  put(bytes: Uint8Array): void {
    let head = Atomics.load(this.ends, HEAD);
    const tail = Atomics.load(this.ends, TAIL);
    for (const byte of bytes) {
      const next = (head + 1) % RING_BYTES;
      if (next === tail) break;
      this.bytes[head] = byte;
      head = next;
    }
    Atomics.store(this.ends, HEAD, head);
    Atomics.notify(this.ends, HEAD);
  }

  /** Calls `each` for every byte that is there. */
  take(each: (byte: number) => void): void {
    const head = Atomics.load(this.ends, HEAD);
    let tail = Atomics.load(this.ends, TAIL);
    while (tail !== head) {
      each(this.bytes[tail]!);
      tail = (tail + 1) % RING_BYTES;
    }
    Atomics.store(this.ends, TAIL, tail);
  }

  /** Blocks the thread until something is there, at most that long. */
  wait(timeoutMs: number): void {
    const tail = Atomics.load(this.ends, TAIL);
    if (Atomics.load(this.ends, HEAD) === tail) Atomics.wait(this.ends, HEAD, tail, timeoutMs);
  }
}
