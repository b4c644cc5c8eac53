/** Levels of a filter before its first wildcard that say which topics it can concern; later ones are not looked at. */
const MAX_LEVELS = 3;
const SLOTS = 16_384;
/** Routes that are out of date are forgotten at the latest after this many changes: they hold on to sessions. */
const CHANGES_MAX = 10_000;
const WILDCARDS = new Set(["+", "#"]);

/**
 * Tells which cached routes a changed wildcard filter leaves as they are. A filter changes the version of the levels
 * before its first wildcard, and routes are up to date while the versions of their topic's first one, two and three
 * levels are: 100,000 clients that subscribe to `fleet/<own name>/#` do not make every topic be matched anew.
 * Versions are kept by hash. Two that share a slot cost a match too many, never one too few.
 */
export class RouteVersions {
  private readonly slots = new Uint32Array(SLOTS);
  private changes = 0;

  /** @returns false when that is better done by forgetting all routes. */
  change(filter: string): boolean {
    const levels = filter.split("/", MAX_LEVELS);
    const literal = levels.findIndex((level) => WILDCARDS.has(level));
    const depth = literal < 0 ? levels.length : literal;
    this.changes += 1;
    if (depth === 0 || this.changes >= CHANGES_MAX) {
      this.changes = 0;
      return false;
    }
    this.slots[slotsOf(filter)[depth - 1]!]! += 1;
    return true;
  }

  /** The place of a topic's versions, for {@link current}. */
  placeOf(topic: string): readonly number[] {
    return slotsOf(topic);
  }

  /** Grows with every change that may concern the topic at this place. */
  current(place: readonly number[]): number {
    const { slots } = this;
    let sum = 0;
    for (let i = 0; i < place.length; i += 1) sum += slots[place[i]!]!;
    return sum;
  }
}

/** Slots of the first level, of the first two and of the first three, as far as there are so many. */
function slotsOf(topic: string): number[] {
  const places: number[] = [];
  let hash = 0x81_1c_9d_c5;
  let at = 0;
  while (places.length < MAX_LEVELS && at <= topic.length) {
    const slash = topic.indexOf("/", at);
    const end = slash < 0 ? topic.length : slash;
    for (; at < end; at += 1) hash = Math.imul(hash ^ topic.charCodeAt(at), 0x01_00_01_93);
    hash = Math.imul(hash ^ 0x2f, 0x01_00_01_93);
    places.push(hash >>> 18);
    at = end + 1;
  }
  return places;
}
