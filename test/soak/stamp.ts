/** What a message of the soak carries: who sent it, which one it is, when. */
export interface Stamp {
  readonly publisher: number;
  /** Counts the publisher's messages of this QoS from 0. */
  readonly sequence: number;
  /** `performance.now()` of sending; negative when it was not sent at once. */
  readonly atMs: number;
}

export const STAMP_BYTES = 16;

export function writeStamp(payload: Buffer, { publisher, sequence, atMs }: Stamp): void {
  payload.writeUInt32LE(publisher, 0);
  payload.writeUInt32LE(sequence, 4);
  payload.writeDoubleLE(atMs, 8);
}

export function readStamp(payload: Uint8Array): Stamp {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    publisher: view.getUint32(0, true),
    sequence: view.getUint32(4, true),
    atMs: view.getFloat64(8, true),
  };
}
