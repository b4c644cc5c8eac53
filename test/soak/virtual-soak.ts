import { US_PER_S } from "fleetrig/kernel";
import { containerSizes } from "./containers.js";
import { SoakActor } from "./soak-actor.js";
import { AFTERMATH_US, SoakWorld } from "./soak-world.js";
import type { BrokerStatistics } from "fleetrig/broker";

export interface VirtualSoakOptions {
  readonly seed: number;
  readonly hours: number;
  readonly clients: number;
  /** Mean time between two actions of one client. */
  readonly pauseS: number;
  /** Called at the beginning and after every ten minutes. */
  sampled?(hours: number, statistics: BrokerStatistics): void;
}

export interface VirtualSoak {
  readonly published: number;
  readonly received: number;
  readonly statistics: BrokerStatistics;
  /** Once everybody has left and what was left behind has expired. */
  readonly aftermath: BrokerStatistics;
  /** Maps, sets and arrays of the broker that are larger then than those of a new one. */
  readonly grown: readonly string[];
  /** Timers of the broker after its `stop`. */
  readonly timersLeft: number;
}

const SAMPLE_S = 600;
/** Bounded by their own limits, and by the number of reason codes. */
const BOUNDED = new Set([
  "core.router.cache",
  "core.router.latest",
  // Tidies up when the next client is taken over from.
  "core.conflicts.recent",
  "core.counters.refusals",
  "core.counters.endings",
  // As many places as there ever were timers at a time.
  "core.clock.host.heap.entries",
]);
/** A broker without clients, but with its `$SYS` topics. */
const SETTLE_US = 120 * US_PER_S;

/** Plays the soak in virtual time. */
export async function soakVirtually(options: VirtualSoakOptions): Promise<VirtualSoak> {
  const { seed, hours, clients, pauseS } = options;
  const world = new SoakWorld(seed);
  const { time, server } = world;
  time.advance(SETTLE_US);
  const before = containerSizes(server.engine, BOUNDED);
  const actors: SoakActor[] = [];
  for (let ordinal = 0; ordinal < clients; ordinal += 1)
    actors.push(new SoakActor({ world, ordinal, pauseS }));
  for (let atS = 0; atS <= hours * 3_600; atS += SAMPLE_S) {
    options.sampled?.(atS / 3_600, server.statistics());
    time.advance(SAMPLE_S * US_PER_S);
  }
  const statistics = server.statistics();
  for (const actor of actors) actor.stop();
  time.advance(AFTERMATH_US);
  // What is retained without expiry stays until somebody clears it.
  for (const { topic } of server.engine.retained("#"))
    server.publish({ topic, payload: new Uint8Array(0), retain: true });
  time.advance(SETTLE_US);
  const aftermath = server.statistics();
  const after = containerSizes(server.engine, BOUNDED);
  const grown = Array.from(after)
    .filter(([path, size]) => size > (before.get(path) ?? 0))
    .map(([path, size]) => `${path}: ${size} instead of ${before.get(path) ?? 0}`);
  await server.stop();
  return {
    published: actors.reduce((sum, actor) => sum + actor.published, 0),
    received: actors.reduce((sum, actor) => sum + actor.received, 0),
    statistics,
    aftermath,
    grown,
    timersLeft: time.heap.size,
  };
}
