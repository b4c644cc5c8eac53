/** A position that reading moves on. */
export interface VarintAt {
  at: number;
}

/** LevelDB's variable-length integers, least significant part first. @returns undefined where there is none. */
export function readVarint(bytes: Buffer, position: VarintAt): number | undefined {
  let value = 0;
  let factor = 1;
  while (position.at < bytes.length && factor <= 2 ** 56) {
    const byte = bytes[position.at]!;
    position.at += 1;
    value += (byte & 127) * factor;
    if (byte < 128) return Number.isSafeInteger(value) ? value : undefined;
    factor *= 128;
  }
  return undefined;
}
