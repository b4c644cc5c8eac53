import { FleetrigError } from "fleetrig/kernel";

/**
 * What a port and its process say to each other over a pipe. A frame is its length, a kind, a number that ties an
 * answer to its command, and a payload. (A pipe of our own: a third less time per byte exchanged than Node's messages between processes.)
 */
export const COMMAND = {
  /** Payload: JSON of {@link HostOpening}. */
  open: 1,
  write: 2,
  /** Payload: two bytes, DTR and RTS. */
  lines: 3,
  /** Payload: u32. */
  baud: 4,
  ping: 5,
  close: 6,
} as const;

export const ANSWER = {
  /** The process is up. */
  ready: 1,
  /** The command of that number is done. */
  done: 2,
  /** Payload: what the system said. */
  failed: 3,
  /** Payload: f64 microseconds of the machine's monotonic clock, then the bytes. */
  data: 4,
  /** Payload: u32 bytes handed to the driver. */
  written: 5,
  /** The device is gone. Payload: what the system said. */
  gone: 6,
} as const;

export interface HostOpening {
  readonly path: string;
  readonly baud: number;
  readonly dtr: boolean;
  readonly rts: boolean;
}

const HEADER_BYTES = 9;
/** More is never sent: reads are 64 KiB, and writes are cut. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;

export function encodeHostFrame(kind: number, number: number, payload: Uint8Array = EMPTY): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame[4] = kind;
  frame.writeUInt32LE(number, 5);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

const EMPTY = new Uint8Array(0);

export type HostFrameHandler = (kind: number, number: number, payload: Buffer) => void;

/** Puts frames together from pieces of any size. */
export class HostFrameReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly handle: HostFrameHandler) {}

  /** @throws FleetrigError INTERNAL_INVARIANT: the other end is not ours */
  push(chunk: Buffer): void {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const length = bytes.readUInt32LE(0);
      if (length > MAX_PAYLOAD_BYTES) {
        throw new FleetrigError("INTERNAL_INVARIANT", `Broken invariant: a port frame of ${length} bytes.`);
      }
      const end = HEADER_BYTES + length;
      if (bytes.length < end) break;
      this.handle(bytes[4]!, bytes.readUInt32LE(5), bytes.subarray(HEADER_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.rest = bytes;
  }
}
