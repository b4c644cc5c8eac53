import { parseJson } from "fleetrig/kernel";
import { z } from "zod";

/** What a board says of itself, in BOOT and OPENED (PROTOCOL.md §2). */
export interface Hello {
  readonly proto: 1;
  /** Name of the firmware. */
  readonly fw: string;
  readonly version: string;
  /** Which build of that version. */
  readonly build: string;
  readonly chip: string;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string;
  /** Drawn at each start of the board. */
  readonly bootId: number;
  /** Starts so far. */
  readonly boots: number;
  /** The ROM's word for why it started. */
  readonly reset: string;
  readonly upUs: number;
  /** Bytes of payload that it can hold. */
  readonly rx: number;
  /** Longest payload of a frame that it takes. */
  readonly maxPayload: number;
  /** Frames that may be under way unacknowledged, in each direction. */
  readonly window: number;
  readonly caps: readonly string[];
  /** Thing of the configuration that it remembers. */
  readonly thing?: string | undefined;
  /** The crash that ended the run before, until it was told once. */
  readonly crash?: { readonly kind: string; readonly pc?: number | undefined } | undefined;
}

/** A hello fits one frame, whatever was agreed. */
const HELLO_MAX_BYTES = 480;
const HELLO_MAX_DEPTH = 4;

const uint32 = z.int().min(0).max(0xffff_ffff);
const word = z.string().min(1).max(64);

const HELLO = z.object({
  proto: z.literal(1),
  fw: word,
  version: word,
  build: z.string().max(64),
  chip: word,
  mac: z.string().regex(/^[0-9a-f]{12}$/),
  bootId: uint32,
  boots: uint32,
  reset: word,
  upUs: z.int().min(0),
  rx: z.int().min(64).max(65_535),
  maxPayload: z.int().min(32).max(1_500),
  window: z.int().min(1).max(16),
  caps: z.array(z.string().max(32)).max(32),
  thing: z.string().max(128).optional(),
  crash: z.object({ kind: z.string().max(64), pc: z.number().min(0).optional() }).optional(),
});

/** The hello in a payload, without members that nobody knows; undefined when it is none of this protocol. */
export function parseHello(payload: Uint8Array): Hello | undefined {
  if (payload.length > HELLO_MAX_BYTES) return undefined;
  const json = parseJson(Buffer.from(payload).toString("utf8"), HELLO_MAX_DEPTH);
  if (!json.ok) return undefined;
  const hello = HELLO.safeParse(json.value);
  return hello.success ? hello.data : undefined;
}

/** Whether both were said in the same run of the board. */
export const isSameBoot = (a: Hello, b: Hello): boolean => a.bootId === b.bootId && a.boots === b.boots;
