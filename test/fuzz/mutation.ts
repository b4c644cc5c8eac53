import type { Random } from "fleetrig/kernel";

/** One way to spoil the bytes of a packet. `frame` is never changed in place. */
type Mutation = (frame: Buffer, random: Random) => Buffer;

const HEADER_BYTES_MAX = 5;

/** Bytes that are not the UTF-8 of anything MQTT allows: NUL, a lone continuation, overlong, a surrogate, beyond Unicode. */
const BAD_TEXT = ["00", "80", "c080", "eda080", "f4908080", "ff", "e282"].map((hex) =>
  Buffer.from(hex, "hex"),
);

const spliced = (frame: Buffer, [at, removed]: readonly [number, number], inserted: Uint8Array): Buffer =>
  Buffer.concat([frame.subarray(0, at), inserted, frame.subarray(at + removed)]);

function bodyStart(frame: Buffer): number {
  let at = 1;
  while (at < HEADER_BYTES_MAX && at < frame.length && frame[at]! > 127) at += 1;
  return Math.min(at + 1, frame.length);
}

function lengthBytes(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest <= 127) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

const withLength = (frame: Buffer, length: Uint8Array): Buffer =>
  spliced(frame, [1, bodyStart(frame) - 1], length);

const flipBit: Mutation = (frame, random) => {
  const copy = Buffer.from(frame);
  const at = random.below(copy.length);
  copy[at]! ^= 1 << random.below(8);
  return copy;
};

const setByte: Mutation = (frame, random) => {
  const copy = Buffer.from(frame);
  copy[random.below(copy.length)] = random.pick([0, 1, 127, 128, 255, random.below(256)]);
  return copy;
};

/** The packet ends early and says so. */
const shorten: Mutation = (frame, random) => {
  const start = bodyStart(frame);
  const body = frame.subarray(start, start + random.below(frame.length - start + 1));
  return Buffer.concat([frame.subarray(0, 1), lengthBytes(body.length), body]);
};

/** The packet ends early and does not say so: what comes next becomes its content. */
const truncate: Mutation = (frame, random) => frame.subarray(0, random.below(frame.length));

const insert: Mutation = (frame, random) => {
  const bytes = Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
  return spliced(frame, [random.below(frame.length + 1), 0], bytes);
};

const lieAboutLength: Mutation = (frame, random) => {
  const length = frame.length - bodyStart(frame);
  const lie = random.pick([length + 1, Math.max(0, length - 1), 0, length + random.below(300), 268_435_455]);
  return withLength(frame, lengthBytes(lie));
};

/** The right length in too many bytes, or in five. */
const stretchLength: Mutation = (frame, random) => {
  const length = lengthBytes(frame.length - bodyStart(frame));
  const last = length.length - 1;
  const stretched = Buffer.concat([length, Buffer.alloc(random.pick([1, 5 - length.length]), 128)]);
  stretched[last]! |= 128;
  stretched[stretched.length - 1] = 0;
  return withLength(frame, stretched);
};

const changeFlags: Mutation = (frame, random) => {
  const copy = Buffer.from(frame);
  copy[0] = (copy[0]! & 0xf0) | random.below(16);
  return copy;
};

/** The body of one packet under the type of another, most often of one that only servers send. */
const changeType: Mutation = (frame, random) => {
  const copy = Buffer.from(frame);
  copy[0] = random.pick([0x00, 0x20, 0x90, 0xb0, 0xd0, 0xe0, 0xf0, random.below(256)]);
  return copy;
};

const spoilText: Mutation = (frame, random) => {
  const start = bodyStart(frame);
  const bad = random.pick(BAD_TEXT);
  const at = start + random.below(Math.max(1, frame.length - start));
  return spliced(frame, [at, bad.length], bad).subarray(0, frame.length);
};

const repeatPart: Mutation = (frame, random) => {
  const from = random.below(frame.length);
  const part = frame.subarray(from, Math.min(frame.length, from + 1 + random.below(64)));
  return spliced(frame, [from, 0], part);
};

const garbage: Mutation = (_frame, random) =>
  Buffer.from(Array.from({ length: 1 + random.below(40) }, () => random.below(256)));

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  shorten,
  truncate,
  insert,
  lieAboutLength,
  stretchLength,
  changeFlags,
  changeType,
  spoilText,
  repeatPart,
  garbage,
];

/** Spoils a packet in one way, seldom in several. */
export function mutate(frame: Buffer, random: Random): Buffer {
  let spoilt = frame;
  do spoilt = spoilt.length === 0 ? spoilt : random.pick(MUTATIONS)(spoilt, random);
  while (random.chance(0.2));
  return spoilt;
}
