/** Ways in which the reference firmware fails on demand: `crash` of PROTOCOL.md §5. */
export const CRASH_KINDS = [
  "load-fault",
  "illegal-instruction",
  "abort",
  "stack-overflow",
  "hang",
  "silent",
  "half-frame",
] as const;

/** One of `CRASH_KINDS`. */
export type CrashKind = (typeof CRASH_KINDS)[number];
