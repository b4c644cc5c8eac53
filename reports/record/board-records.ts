import { z } from "zod";

/**
 * Real boards in a run record. Lists are cut in their middle; their totals count everything. Times are milliseconds of the run.
 */
const boot = z.object({
  atMs: z.number(),
  /** The ROM's word. */
  reason: z.string(),
  expected: z.boolean(),
  /** Null when nobody saw the beginning. */
  bootMs: z.number().nullable(),
  version: z.string(),
});

const panic = z.object({
  atMs: z.number(),
  kind: z.string(),
  cause: z.string(),
  backtrace: z.array(z.string()),
  expected: z.boolean(),
  /** From the first byte of the panic until it was told. */
  noticedMs: z.number(),
});

const logWait = z.object({
  atMs: z.number(),
  action: z.string(),
  pattern: z.string(),
  /** Null when the line came. */
  failure: z.string().nullable(),
  waitedMs: z.number(),
});

/** Times in ms. */
const distribution = z.object({
  count: z.number(),
  min: z.number(),
  p50: z.number(),
  p95: z.number(),
  max: z.number(),
});

/** What firmware told under one name. */
const marker = z.object({
  name: z.string(),
  count: z.number(),
  /** Times that it had measured; null when it told none. */
  took: distribution.nullable(),
  /** Null when it told no numbers. */
  value: z.object({ min: z.number(), mean: z.number(), max: z.number(), last: z.number() }).nullable(),
});

/** From an action of the scenario to the first marker or output of a name after it; known to ± the uncertainty of the clock. */
const reaction = z.object({ action: z.string(), name: z.string(), took: distribution });

/** One board and what it went through. */
export const boardRecord = z.object({
  thing: z.string(),
  group: z.string(),
  chip: z.string(),
  mac: z.string(),
  /** Every port at which it was, in order. */
  ports: z.array(z.string()),
  /** Every firmware version that said hello, in order. */
  versions: z.array(z.string()),
  boots: z.object({
    total: z.number(),
    unexpected: z.number(),
    reasons: z.record(z.string(), z.number()),
    kept: z.array(boot),
  }),
  panics: z.object({ total: z.number(), unexpected: z.number(), kept: z.array(panic) }),
  detached: z.object({
    total: z.number(),
    kept: z.array(z.object({ atMs: z.number(), reason: z.string() })),
  }),
  recovered: z.object({
    total: z.number(),
    kept: z.array(z.object({ atMs: z.number(), tookMs: z.number(), rung: z.string() })),
  }),
  givenUp: z.object({ atMs: z.number(), reason: z.string() }).nullable(),
  /** Null when its clock was never compared. */
  clock: z.object({ uncertaintyMs: z.number(), worstMs: z.number(), skewPpm: z.number() }).nullable(),
  link: z.object({
    retransmissions: z.number(),
    badFrames: z.number(),
    droppedLogs: z.number(),
    droppedEvents: z.number().optional(),
  }),
  logWaits: z.array(logWait),
  /** Missing where it told none, as are `reactions`. */
  markers: z.array(marker).optional(),
  reactions: z.array(reaction).optional(),
  /** As it told when it was asked; null what its firmware does not tell, missing where it was never asked. */
  firmware: z
    .object({ heapFreeMinBytes: z.number().nullable(), longestLoopMs: z.number().nullable() })
    .optional(),
  /** Deep sleep. `asleepMs` is what passed from its word to its hello; missing where it never slept. */
  sleeps: z.object({ total: z.number(), plannedMs: z.number(), asleepMs: z.number() }).optional(),
});

/** An action, or its part for some members, that means nothing to them. */
export const skippedAction = z.object({
  atMs: z.number(),
  action: z.string(),
  reason: z.string(),
  count: z.number(),
  /** Names of the things, at most 50. */
  things: z.array(z.string()),
});

export type DistributionRecord = z.infer<typeof distribution>;
export type MarkerRecord = z.infer<typeof marker>;
export type ReactionRecord = z.infer<typeof reaction>;
export type BoardRecord = z.infer<typeof boardRecord>;
export type SkippedActionRecord = z.infer<typeof skippedAction>;
