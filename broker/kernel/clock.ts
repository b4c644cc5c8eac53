/**
 * Time as a port.
 *
 * Monotonic time is an integer count of microseconds since the run began; wall time is milliseconds since
 * 1970 and may step. They are different calls because only one of them is safe to subtract.
 * A `Clock` belongs to one *lane*: an entity with a fixed ordinal. Timers that fall due in the same
 * microsecond run in lane order, never in creation order (determinism: see ARCHITECTURE.md, D1).
 */
export interface Clock {
  /** Monotonic microseconds since the run began (integer, never steps back). */
  nowUs(): number;
  /** Wall-clock milliseconds since 1970-01-01T00:00:00Z. */
  wallMs(): number;
  /** Runs `task(arg)` once, `delayUs` microseconds from now. Negative delays count as zero. */
  after<T>(delayUs: number, task: (arg: T) => void, arg: T): Timer;
  after(delayUs: number, task: () => void): Timer;
}

/** A pending call. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  readonly dueUs: number;
  cancel(): void;
  /** Sets the same call anew, `delayUs` from now, as a new timer would: for what recurs, without a new object. */
  again(delayUs: number): void;
}

/** Hands out one clock per lane; all of them show the same time. */
export interface TimeSource {
  /** @param ordinal Position of the entity in the plan (see {@link LANE}); at most one clock each. */
  lane(ordinal: number): Clock;
  nowUs(): number;
  wallMs(): number;
}

/** Lane bands: what runs first when several things fall due in the same microsecond. */
export const LANE = {
  /** Stage changes and actions of the scenario. */
  harness: 0,
  /** The broker's own timers: keep-alive, wills, expiry. */
  broker: 1,
  /** Cloud services: rollout ticks, execution timers. */
  services: 2,
  /** The observer's subscriptions. */
  observer: 3,
  /** The bench: ports, links and recovery of real boards. */
  bench: 4,
  /** First device; device n uses `firstDevice + n`. */
  firstDevice: 16,
} as const;

/** Microseconds in a millisecond. */
export const US_PER_MS = 1_000;
/** Microseconds in a second. */
export const US_PER_S = 1_000_000;
/** Microseconds in a minute. */
export const US_PER_MINUTE = 60_000_000;
