import { FleetrigError } from "fleetrig/kernel";

/**
 * A *recording* is everything that happened at a port, in the order in which it happened. The file is
 *
 *     "FRPORT1\n"                                         once, at the beginning
 *     kind u8 | elapsed varint | length varint | payload  per record
 *
 * Varints are LEB128: seven bits per byte, the lowest first. `elapsed` is in microseconds since the record before (0 for the first of an opening).
 * Records are only ever appended, so a crash costs at most an incomplete last one; a file may hold many openings, one after the other.
 */
export const RECORDING_MAGIC = Buffer.from("FRPORT1\n");

const KINDS = ["opened", "received", "written", "lines", "baud", "closed"] as const;
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const MAX_VARINT_BYTES = 7;

export type PortRecord = { readonly atUs: number } & (
  | { readonly kind: "opened"; readonly port: string; readonly baud: number; readonly wallMs: number }
  | { readonly kind: "received" | "written"; readonly bytes: Uint8Array }
  | { readonly kind: "lines"; readonly dtr: boolean; readonly rts: boolean }
  | { readonly kind: "baud"; readonly baud: number }
  | { readonly kind: "closed"; readonly reason: string }
);

/** @param beforeUs When the record before was made; ignored by an opening, which begins anew. */
export function encodeRecord(record: PortRecord, beforeUs: number): Buffer {
  const elapsedUs = record.kind === "opened" ? 0 : Math.max(0, record.atUs - beforeUs);
  const payload = payloadOf(record);
  return Buffer.concat([
    Uint8Array.of(KINDS.indexOf(record.kind)),
    varint(elapsedUs),
    varint(payload.length),
    payload,
  ]);
}

function payloadOf(record: PortRecord): Uint8Array {
  switch (record.kind) {
    case "opened":
      return Buffer.from(JSON.stringify({ port: record.port, baud: record.baud, wallMs: record.wallMs }));
    case "received":
    case "written":
      return record.bytes;
    case "lines":
      return Uint8Array.of(Number(record.dtr) | (Number(record.rts) << 1));
    case "baud":
      return varint(record.baud);
    case "closed":
      return Buffer.from(record.reason);
  }
}

export interface Recording {
  /** Times count from 0 for each opening. */
  readonly records: readonly PortRecord[];
  /** How much of the file holds whole records; what follows was cut off by a crash. */
  readonly wholeBytes: number;
}

/** @throws FleetrigError PORT_RECORDING_INVALID when it is none, or damaged in the middle */
export function readRecording(file: Uint8Array): Recording {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (!bytes.subarray(0, RECORDING_MAGIC.length).equals(RECORDING_MAGIC))
    throw invalid("its beginning is another");
  const records: PortRecord[] = [];
  let at = RECORDING_MAGIC.length;
  let atUs = 0;
  while (at < bytes.length) {
    const kind = KINDS[bytes[at]!];
    if (kind === undefined) throw invalid(`byte ${at} begins no record`);
    const elapsed = readVarint(bytes, at + 1);
    const length = elapsed && readVarint(bytes, elapsed.next);
    if (length === undefined) break;
    if (length.value > MAX_PAYLOAD_BYTES) throw invalid(`the record at byte ${at} is too long`);
    const end = length.next + length.value;
    if (end > bytes.length) break;
    atUs = kind === "opened" ? 0 : atUs + elapsed!.value;
    records.push(recordOf(kind, atUs, bytes.subarray(length.next, end)));
    at = end;
  }
  return { records, wholeBytes: at };
}

function recordOf(kind: (typeof KINDS)[number], atUs: number, payload: Buffer): PortRecord {
  switch (kind) {
    case "opened":
      return { kind, atUs, ...openingOf(payload) };
    case "received":
    case "written":
      return { kind, atUs, bytes: payload };
    case "lines":
      return { kind, atUs, dtr: (payload[0]! & 1) === 1, rts: (payload[0]! & 2) === 2 };
    case "baud":
      return { kind, atUs, baud: readVarint(payload, 0)?.value ?? 0 };
    case "closed":
      return { kind, atUs, reason: payload.toString() };
  }
}

function openingOf(payload: Buffer): { port: string; baud: number; wallMs: number } {
  try {
    const { port, baud, wallMs } = JSON.parse(payload.toString()) as Record<string, unknown>;
    return { port: String(port), baud: Number(baud), wallMs: Number(wallMs) };
  } catch {
    throw invalid("an opening cannot be read");
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = Math.floor(value);
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** @returns undefined when the bytes end before it does */
function readVarint(bytes: Buffer, from: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 128 ** index;
    if (byte < 128) return { value, next: from + index + 1 };
  }
  throw invalid(`the number at byte ${from} is too long`);
}

const invalid = (why: string): FleetrigError =>
  new FleetrigError("PORT_RECORDING_INVALID", `This is no recording of a port: ${why}.`, {
    hint: "Give a file that was made by recording a port.",
    exitCode: 2,
  });
