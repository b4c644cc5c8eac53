import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { Session } from "../engine/session.js";
import { type ClientReading, readClient } from "./client-readings.js";
import { topOf } from "./top-of.js";

/** A client that does not keep up. */
export interface SlowSubscriber extends ClientReading {
  /** Age of the oldest message that it has not acknowledged or that waits for it. */
  readonly oldestMessageS: number;
  /** For how long its output has not drained. */
  readonly undrainedS: number;
}

/** What makes a client slow: how long messages wait for it, how much memory they take, how many were lost. */
export const SLOWNESS = ["waiting", "queuedBytes", "droppedMessages"] as const;

/** One of `SLOWNESS`. */
type Slowness = (typeof SLOWNESS)[number];

/** Which slow subscribers to list. */
export interface SlowQuery {
  /** Default `waiting`: the larger of the two ages. */
  readonly by?: Slowness;
  /** 1 to 1,000; default 10. */
  readonly limit?: number;
}

const MAX_LISTED = 1_000;
const DEFAULT_LISTED = 10;

/** The slowest first. Sessions for which nothing waits and of which nothing was dropped are passed over. */
export function listSlowSubscribers(
  sessions: Iterable<Session>,
  clock: Clock,
  query: SlowQuery = {},
): SlowSubscriber[] {
  const by = query.by ?? "waiting";
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? DEFAULT_LISTED), 1), MAX_LISTED);
  const nowUs = clock.nowUs();
  function* slow(): Iterable<{ readonly session: Session; readonly key: number }> {
    for (const session of sessions) {
      const key = slownessOf(session, by, nowUs);
      if (key > 0) yield { session, key };
    }
  }
  const found = topOf(
    slow(),
    limit,
    (a, b) => a.key > b.key || (a.key === b.key && a.session.clientId < b.session.clientId),
  );
  return found.map(({ session }) => ({
    ...readClient(session, nowUs),
    oldestMessageS: oldestMessageUs(session, nowUs) / US_PER_S,
    undrainedS: undrainedUs(session, nowUs) / US_PER_S,
  }));
}

function slownessOf(session: Session, by: Slowness, nowUs: number): number {
  if (by === "droppedMessages") return session.dropped;
  if (by === "queuedBytes") return session.backlog?.queuedBytes ?? 0;
  return Math.max(oldestMessageUs(session, nowUs), undrainedUs(session, nowUs));
}

function oldestMessageUs({ backlog }: Session, nowUs: number): number {
  const oldestAtUs = backlog?.oldestAtUs ?? -1;
  return oldestAtUs < 0 ? 0 : nowUs - oldestAtUs;
}

function undrainedUs({ connection }: Session, nowUs: number): number {
  const slowSince = connection?.slowSince ?? -1;
  return slowSince < 0 ? 0 : nowUs - slowSince;
}
