import { cobsMaxBytes, decodeCobs, encodeCobs } from "./cobs.js";
import { crc32 } from "./crc32.js";

/**
 * Frames of the link (PROTOCOL.md §1 and §2). The *body* is header, payload and CRC; on the wire it stands between zeros (`cobs`) or on
 * a line of its own (`line`).
 */
export const FRAME = {
  data: 1,
  ack: 2,
  ping: 3,
  pong: 4,
  open: 5,
  opened: 6,
  boot: 7,
  close: 8,
} as const;

/** How frames are kept apart from text: see PROTOCOL.md §1. */
export type FrameEncoding = "cobs" | "line";

export interface Frame {
  /** One of `FRAME`, or a number that nobody knows yet. */
  readonly type: number;
  /** Bits 0 to 3 name the channel; `MESSAGE_END` is bit 7. */
  readonly channel: number;
  readonly sequence: number;
  /** Next sequence that the sender of this frame expects. */
  readonly acknowledged: number;
  /** Bytes of payload that the sender of this frame can take beyond `acknowledged`. */
  readonly credit: number;
  readonly session: number;
  /** The sender's monotonic clock when the frame was made. */
  readonly timeUs: number;
  readonly payload: Uint8Array;
}

/** Bit of `channel`: a message ends with this frame. */
export const MESSAGE_END = 0x80;
export const CHANNEL_MASK = 0x0f;

export const FRAME_START = 0x00;
export const LINE_START = 0x1e;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

const HEADER_BYTES = 18;
const CRC_BYTES = 4;
/** Longest body as it stands on the wire, delimiters not counted. */
export const FRAME_MAX_BYTES = 2048;

/** Bytes on the wire of a frame, at worst, in the encoding `cobs`. */
export const wireBytes = (payloadBytes: number): number =>
  cobsMaxBytes(HEADER_BYTES + payloadBytes + CRC_BYTES) + 2;

/** The frame as it goes over the wire, delimiters included. */
export function encodeFrame(frame: Frame, encoding: FrameEncoding): Uint8Array {
  const body = encodeBody(frame);
  if (encoding === "line") return lineOf(body);
  const wire = new Uint8Array(cobsMaxBytes(body.length) + 2);
  const end = encodeCobs(body, wire, 1);
  return wire.subarray(0, end + 1);
}

function encodeBody(frame: Frame): Uint8Array {
  const { payload } = frame;
  const body = Buffer.allocUnsafe(HEADER_BYTES + payload.length + CRC_BYTES);
  body[0] = frame.type;
  body[1] = frame.channel;
  body.writeUInt16LE(frame.sequence, 2);
  body.writeUInt16LE(frame.acknowledged, 4);
  body.writeUInt16LE(frame.credit, 6);
  body.writeUInt32LE(frame.session, 8);
  body.writeUIntLE(frame.timeUs, 12, 6);
  body.set(payload, HEADER_BYTES);
  const end = HEADER_BYTES + payload.length;
  body.writeUInt32LE(crc32(body.subarray(0, end)), end);
  return body;
}

function lineOf(body: Uint8Array): Uint8Array {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
  const line = Buffer.allocUnsafe(text.length + 2);
  line[0] = LINE_START;
  line.write(text, 1, "latin1");
  line[line.length - 1] = LINE_FEED;
  return line;
}

/** The frame between two zeros, or undefined when it is none. */
export function decodeCobsFrame(bytes: Uint8Array): Frame | undefined {
  const body = decodeCobs(bytes);
  return body === undefined ? undefined : decodeBody(body);
}

/** The frame on a line, without delimiters and carriage return, or undefined when it is none. */
export function decodeLineFrame(bytes: Uint8Array): Frame | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const body = Buffer.from(text, "base64");
  // Node's decoder skips what is not of the alphabet; only text that it would write itself is a frame.
  return body.toString("base64") === text ? decodeBody(body) : undefined;
}

function decodeBody(bytes: Uint8Array): Frame | undefined {
  const end = bytes.length - CRC_BYTES;
  if (end < HEADER_BYTES) return undefined;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.readUInt32LE(end) !== crc32(body.subarray(0, end))) return undefined;
  return {
    type: body[0]!,
    channel: body[1]!,
    sequence: body.readUInt16LE(2),
    acknowledged: body.readUInt16LE(4),
    credit: body.readUInt16LE(6),
    session: body.readUInt32LE(8),
    timeUs: body.readUIntLE(12, 6),
    payload: body.subarray(HEADER_BYTES, end),
  };
}
