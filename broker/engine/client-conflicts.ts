import { type Clock, US_PER_S } from "fleetrig/kernel";

/** Take-overs of one client id within this time that are no coincidence any more. */
const TAKEOVERS = 10;
const WINDOW_US = 10 * US_PER_S;
/** Client ids remembered; with more of them the oldest are forgotten. */
const MAX_CLIENTS = 65_536;

interface Takeovers {
  count: number;
  readonly untilUs: number;
}

/** Finds client ids that two clients take from each other all the time: two devices with one name. */
export class ClientConflicts {
  private readonly recent = new Map<string, Takeovers>();

  constructor(private readonly clock: Clock) {}

  /** @returns true when it is time to report a conflict: once in each window. */
  tookOver(clientId: string): boolean {
    const nowUs = this.clock.nowUs();
    const known = this.recent.get(clientId);
    if (known !== undefined && known.untilUs > nowUs) {
      known.count += 1;
      return known.count === TAKEOVERS;
    }
    this.recent.delete(clientId);
    this.recent.set(clientId, { count: 1, untilUs: nowUs + WINDOW_US });
    this.forgetOldest(nowUs);
    return false;
  }

  /** For each that comes, up to two whose time is over go. */
  private forgetOldest(nowUs: number): void {
    const { recent } = this;
    let steps = 2;
    for (const [clientId, { untilUs }] of recent) {
      if (steps === 0 || (untilUs > nowUs && recent.size <= MAX_CLIENTS)) return;
      recent.delete(clientId);
      steps -= 1;
    }
  }
}
