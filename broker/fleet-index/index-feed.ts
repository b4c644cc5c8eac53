import { type Clock, type Timer, US_PER_MS } from "fleetrig/kernel";

/** What a feed works with. */
export interface IndexFeedOptions {
  readonly clock: Clock;
  /** Brings the index up to date about one document. */
  readonly refresh: (name: string) => void;
  /** Nothing is left to be done, of a rebuild neither. */
  readonly settled: () => void;
}

/** The index follows after this long: later than whatever happens in the same moment, and soon. */
const LATENCY_US = US_PER_MS;
/** Documents of one turn, so that building a large index stops nobody else for long. */
const BATCH = 1_000;

/**
 * Hears which documents have changed and refreshes each once per turn of the clock, however often it changed. In the
 * order of the first change; after that comes what remains of a rebuild.
 */
export class IndexFeed {
  private readonly changed = new Set<string>();
  private rest: Iterator<string> | undefined;
  private timer: Timer | undefined;
  private isWaiting = false;

  constructor(private readonly options: IndexFeedOptions) {}

  noteChange(name: string): void {
    this.changed.add(name);
    this.wait();
  }

  /** Refreshes all of these, too; what remained of an earlier rebuild is given up. */
  rebuild(names: Iterable<string>): void {
    this.rest = names[Symbol.iterator]();
    this.wait();
  }

  /** Forgets what was left to be done. */
  stop(): void {
    this.timer?.cancel();
    this.isWaiting = false;
    this.changed.clear();
    this.rest = undefined;
  }

  private wait(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    if (this.timer === undefined) this.timer = this.options.clock.after(LATENCY_US, () => this.turn());
    else this.timer.again(LATENCY_US);
  }

  private turn(): void {
    this.isWaiting = false;
    let room = BATCH;
    // What a refresh changes belongs to the next turn, or a query about its own answer would never let time go on.
    const due = Array.from(take(this.changed, room));
    room -= due.length;
    for (const name of due) this.changed.delete(name);
    for (const name of due) this.options.refresh(name);
    while (room > 0 && this.rest !== undefined) {
      const { done, value } = this.rest.next();
      if (done === true) this.rest = undefined;
      else this.options.refresh(value);
      room -= 1;
    }
    if (this.changed.size > 0 || this.rest !== undefined) this.wait();
    else this.options.settled();
  }
}

function* take(names: Iterable<string>, most: number): Generator<string> {
  let room = most;
  for (const name of names) {
    if (room === 0) return;
    room -= 1;
    yield name;
  }
}
