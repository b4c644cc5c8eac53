import type { Random } from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import type { Subscription } from "./subscription.js";

/**
 * Who of a group gets the next message. A member that could not send it at once is passed over while another can.
 * `random` is AWS's documented behaviour; `least-inflight` prefers whoever has the fewest unconfirmed messages;
 * `sticky` keeps to one member for as long as it is connected.
 */
export type SharedStrategy = "random" | "round-robin" | "least-inflight" | "sticky";

/** How soon a member could have a message; smaller is better. */
const REACH = {
  now: 0,
  /** Connected, but the message has to wait behind others. */
  later: 1,
  /** Away: it waits in the session. */
  away: 2,
  never: 3,
} as const;

type Reach = (typeof REACH)[keyof typeof REACH];

function reachOf(member: Subscription, qos: number): Reach {
  const { session } = member;
  const granted = Math.min(qos, member.qos);
  if (session.connection !== undefined) return session.canSend(granted) ? REACH.now : REACH.later;
  return granted > 0 ? REACH.away : REACH.never;
}

/** What a choice depends on besides the group. */
interface ChoiceOptions {
  readonly strategy: SharedStrategy;
  readonly random: Random;
  /** True when only connected members may be chosen. */
  readonly isConnectedOnly: boolean;
  /** Members that are out of the question for this message. */
  readonly isExcluded: (member: Subscription) => boolean;
}

/** The sessions that share the messages of one filter under one name (MQTT 5 §4.8.2). */
export class ShareGroup {
  readonly members: Subscription[] = [];
  /** Where the next round begins. */
  private turn = 0;
  private favourite: Subscription | undefined;

  constructor(
    /** The topic filter alone, without `$share/<name>/`. */
    readonly filter: string,
  ) {}

  add(member: Subscription): void {
    this.members.push(member);
  }

  remove(member: Subscription): void {
    const at = this.members.indexOf(member);
    if (at < 0) return;
    this.members.splice(at, 1);
    if (at < this.turn) this.turn -= 1;
    if (this.favourite === member) this.favourite = undefined;
  }

  /** Is anybody but this member connected? */
  hasOthersConnected(member: Subscription): boolean {
    return this.members.some((other) => other !== member && other.session.connection !== undefined);
  }

  /** Who gets this message; undefined when nobody can. */
  choose(message: ApplicationMessage, options: ChoiceOptions): Subscription | undefined {
    const guess = this.guess(options);
    if (guess !== undefined && !options.isExcluded(guess) && reachOf(guess, message.qos) === REACH.now)
      return guess;
    const { reached, reach } = this.nearest(message.qos, options);
    const chosen = this.pick(reached, reach, options);
    if (chosen !== undefined) this.turn = (this.members.indexOf(chosen) + 1) % this.members.length;
    return chosen;
  }

  private pick(
    reached: readonly Subscription[],
    reach: Reach,
    { strategy, random }: ChoiceOptions,
  ): Subscription | undefined {
    if (strategy === "sticky") return this.stickTo(reached);
    // Where messages have to wait, they wait in the shortest queue, whatever the strategy.
    if (reach !== REACH.now || strategy === "least-inflight") return shortest(reached);
    return strategy === "random" && reached.length > 0 ? random.pick(reached) : reached[0];
  }

  /** The member that most messages go to without a look at the others. */
  private guess({ strategy, random }: ChoiceOptions): Subscription | undefined {
    const { members } = this;
    if (strategy === "random") return members[members.length === 1 ? 0 : random.below(members.length)];
    return strategy === "sticky" ? this.favourite : undefined;
  }

  /** The members that can have it soonest, listed from whose turn it is. */
  private nearest(qos: number, options: ChoiceOptions): { reached: Subscription[]; reach: Reach } {
    const { members, turn } = this;
    let reach: Reach = options.isConnectedOnly ? REACH.later : REACH.away;
    let reached: Subscription[] = [];
    for (let i = 0; i < members.length; i += 1) {
      const member = members[(turn + i) % members.length]!;
      const own = options.isExcluded(member) ? REACH.never : reachOf(member, qos);
      if (own > reach) continue;
      if (own < reach) reached = [];
      reach = own;
      reached.push(member);
      if (own === REACH.now && options.strategy === "round-robin") break;
    }
    return { reached, reach };
  }

  private stickTo(reached: readonly Subscription[]): Subscription | undefined {
    const { favourite } = this;
    if (favourite !== undefined && reached.includes(favourite)) return favourite;
    const chosen = shortest(reached);
    // A favourite that is only busy stays the favourite.
    if (chosen !== undefined && favourite?.session.connection === undefined) this.favourite = chosen;
    return chosen;
  }
}

/** The first of those with the fewest unconfirmed messages. */
function shortest(members: readonly Subscription[]): Subscription | undefined {
  let best = members[0];
  for (const member of members) if (member.session.pending < best!.session.pending) best = member;
  return best;
}
