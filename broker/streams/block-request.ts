import type { CborMap, CborValue } from "fleetrig/protocol";

/** Why a device's request was refused (REF §8). */
export type StreamErrorCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidCbor"
  | "InvalidRequest"
  | "BlockSizeOutOfBounds"
  | "OffsetOutOfBounds"
  | "BlockCountLimitExceeded"
  | "BlockBitmapLimitExceeded"
  | "ResourceNotFound"
  | "VersionMismatch"
  | "InternalError";

/** Which blocks of a file a device wants. */
export interface BlockRequest {
  readonly streamVersion: number | undefined;
  readonly fileId: number;
  readonly blockBytes: number;
  /** Index of the first block, or of the one that the bitmap's first bit stands for. */
  readonly offset: number;
  /** At most so many. */
  readonly count: number;
  /** Bit i, from the least significant one of the first byte on: is block `offset + i` wanted? */
  readonly bitmap: Uint8Array | undefined;
}

export type BlockReading =
  | { readonly ok: true; readonly request: BlockRequest }
  | { readonly ok: false; readonly code: StreamErrorCode; readonly message: string };

const BLOCK_BYTES = { least: 256, most: 131_072 } as const;
const MAX_BLOCKS = 98_304;
const MAX_BITMAP_BYTES = 12_288;
/** AWS: what one request is answered with; for more the device asks again. */
const MAX_ANSWER_BYTES = 131_072;
/** AWS: client tokens have at most 64 bytes. */
const MAX_TOKEN_BYTES = 64;

const refuse = (code: StreamErrorCode, message: string): BlockReading => ({ ok: false, code, message });

const isBetween = (value: CborValue | undefined, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

/** Own members only: a device chooses the keys. */
const member = (body: CborMap, name: string): CborValue | undefined =>
  Object.hasOwn(body, name) && body[name] !== null ? body[name] : undefined;

/** `c`, which every answer echoes; `"invalid"` when it is none. */
export function readToken(body: CborMap): { readonly token: string | undefined } | "invalid" {
  const token = member(body, "c");
  if (token === undefined) return { token };
  return typeof token === "string" && Buffer.byteLength(token) <= MAX_TOKEN_BYTES ? { token } : "invalid";
}

/** Reads `{s?, f, l, o?, n?, b?}`; ranges are AWS's. */
export function readBlockRequest(body: CborMap): BlockReading {
  const [s, f, l, o = 0, n] = ["s", "f", "l", "o", "n"].map((name) => member(body, name));
  if (s !== undefined && !isBetween(s, 0, 65_535)) return refuse("InvalidRequest", "s is from 0 to 65535.");
  if (!isBetween(f, 0, 255)) return refuse("InvalidRequest", "f is a file id from 0 to 255.");
  if (!isBetween(l, BLOCK_BYTES.least, BLOCK_BYTES.most))
    return refuse("BlockSizeOutOfBounds", `l is from ${BLOCK_BYTES.least} to ${BLOCK_BYTES.most}.`);
  if (!isBetween(o, 0, MAX_BLOCKS)) return refuse("OffsetOutOfBounds", `o is from 0 to ${MAX_BLOCKS}.`);
  if (n !== undefined && !isBetween(n, 0, MAX_BLOCKS))
    return refuse("BlockCountLimitExceeded", `n is from 0 to ${MAX_BLOCKS}.`);
  const bitmap = readBitmap(member(body, "b"));
  if (typeof bitmap === "string") return refuse(bitmap, "b is a bitmap of at most 12,288 bytes.");
  const count = Math.min(n ?? MAX_BLOCKS, Math.max(1, Math.floor(MAX_ANSWER_BYTES / l)));
  return {
    ok: true,
    request: { streamVersion: s, fileId: f, blockBytes: l, offset: o, count, bitmap },
  };
}

/** Bytes in CBOR, hexadecimal text such as `0x130080` in JSON. */
function readBitmap(value: CborValue | undefined): Uint8Array | undefined | StreamErrorCode {
  if (value === undefined) return undefined;
  const digits = typeof value === "string" ? value.replace(/^0x/i, "") : undefined;
  const bytes = digits === undefined ? value : Buffer.from(digits, "hex");
  if (!(bytes instanceof Uint8Array)) return "InvalidRequest";
  if (digits !== undefined && bytes.length * 2 !== digits.length) return "InvalidRequest";
  return bytes.length > MAX_BITMAP_BYTES ? "BlockBitmapLimitExceeded" : bytes;
}

/** The indexes of the wanted blocks of a file of `blocks` blocks, in ascending order. */
export function wantedBlocks({ offset, count, bitmap }: BlockRequest, blocks: number): readonly number[] {
  const wanted: number[] = [];
  const span = bitmap === undefined ? count : bitmap.length * 8;
  const end = Math.min(blocks, offset + span);
  for (let index = offset; index < end && wanted.length < count; index += 1) {
    const bit = index - offset;
    if (bitmap === undefined || ((bitmap[bit >> 3]! >> (bit & 7)) & 1) === 1) wanted.push(index);
  }
  return wanted;
}
