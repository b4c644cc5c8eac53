import type { Random } from "fleetrig/kernel";
import {
  appliesTo,
  DIRECTION,
  type Direction,
  type FaultParameter,
  type FaultValues,
} from "../links/link-fault.js";

/**
 * Faults that only a stream of bytes can have. Scenarios do not know them, since packets cross their links whole;
 * a proxy does, on top of every link fault.
 */

/** Some bytes that are about to be passed on, as the faults may change them. */
export interface OutgoingBytes {
  readonly direction: Direction;
  /** What this direction of the connection passed on before. */
  readonly passedBytes: number;
  bytes: Uint8Array;
  /** Longest write; 0 means all at once. */
  sliceBytes: number;
  /** Between two writes. */
  gapUs: number;
  /** The connection ends after them. */
  isLast: boolean;
}

/** A byte fault while it is active: called for all bytes, in the order of sending. */
export interface ByteFault {
  bend(outgoing: OutgoingBytes): void;
}

/** A byte fault as data, like the faults of links. */
export interface ByteFaultDefinition {
  readonly description: string;
  readonly parameters: Readonly<Record<string, FaultParameter>>;
  create(values: FaultValues, random: Random): ByteFault;
}

const slice: ByteFaultDefinition = {
  description: "cuts what is passed on into small writes",
  parameters: {
    size: { kind: "bytes", description: "largest write" },
    gap: { kind: "duration", description: "time between two writes", default: 1_000 },
    direction: DIRECTION,
  },
  create: (values) => ({
    bend: (outgoing) => {
      if (!appliesTo(values["direction"], outgoing.direction)) return;
      outgoing.sliceBytes = Math.max(1, values["size"] as number);
      outgoing.gapUs = values["gap"] as number;
    },
  }),
};

const limit: ByteFaultDefinition = {
  description: "ends the connection after so many bytes in one direction",
  parameters: {
    bytes: { kind: "bytes", description: "bytes passed on, counted from the beginning of the connection" },
    direction: DIRECTION,
  },
  create: (values) => {
    const most = values["bytes"] as number;
    return {
      bend: (outgoing) => {
        if (!appliesTo(values["direction"], outgoing.direction)) return;
        const leftBytes = Math.max(0, most - outgoing.passedBytes);
        if (outgoing.bytes.length < leftBytes) return;
        outgoing.bytes = outgoing.bytes.subarray(0, leftBytes);
        outgoing.isLast = true;
      },
    };
  },
};

const corrupt: ByteFaultDefinition = {
  description: "inverts one bit in some packets",
  parameters: {
    probability: { kind: "share", description: "share of the packets that are hit" },
    direction: DIRECTION,
  },
  create: (values, random) => ({
    bend: (outgoing) => {
      if (!appliesTo(values["direction"], outgoing.direction) || outgoing.bytes.length === 0) return;
      if (!random.chance(values["probability"] as number)) return;
      const bit = random.below(8 * outgoing.bytes.length);
      const bytes = Uint8Array.from(outgoing.bytes);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      outgoing.bytes = bytes;
    },
  }),
};

/** Every fault of a stream of bytes, by name. */
export const BYTE_FAULTS: ReadonlyMap<string, ByteFaultDefinition> = new Map([
  ["bytes.slice", slice],
  ["bytes.limit", limit],
  ["bytes.corrupt", corrupt],
]);
