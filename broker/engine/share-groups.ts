import { parseSharedFilter } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { BrokerCore } from "./core.js";
import { Delivery } from "./delivery.js";
import type { Session } from "./session.js";
import { ShareGroup } from "./share-group.js";
import type { Subscription } from "./subscription.js";
import type { DropReason } from "./statistics.js";
import { SubscriptionTree } from "./subscription-tree.js";

const NO_GROUPS: readonly ShareGroup[] = [];

/** A member that may not or cannot have a message at all. */
interface Unfit {
  readonly member: Subscription;
  readonly reason: DropReason;
}

/**
 * All shared subscriptions: each message goes to one member of every group whose filter matches. What a member could
 * not finish goes to another one, because the group, not the member, was promised the message.
 */
export class ShareGroups {
  private readonly groups = new Map<string, ShareGroup>();
  private readonly tree: SubscriptionTree<ShareGroup>;
  private memberCount = 0;
  private isStopped = false;

  constructor(private readonly core: BrokerCore) {
    this.tree = new SubscriptionTree(core.traits.profile);
  }

  /** Groups with at least one member. */
  get size(): number {
    return this.groups.size;
  }

  /** Members of all groups. */
  get members(): number {
    return this.memberCount;
  }

  /** Every group whose filter matches `topic`. */
  match(topic: string): readonly ShareGroup[] {
    return this.groups.size === 0 ? NO_GROUPS : this.tree.match(topic);
  }

  /** @returns the topic filter of the group. */
  add(member: Subscription): string {
    let group = this.groups.get(member.filter);
    if (group === undefined) {
      group = new ShareGroup(parseSharedFilter(member.filter)!.filter);
      this.groups.set(member.filter, group);
      this.tree.add(group);
    }
    group.add(member);
    this.memberCount += 1;
    return group.filter;
  }

  /** @returns the topic filter of the group. */
  remove(member: Subscription): string {
    const group = this.groups.get(member.filter);
    if (group === undefined || !group.members.includes(member)) return member.filter;
    group.remove(member);
    this.memberCount -= 1;
    if (group.members.length === 0) {
      this.groups.delete(member.filter);
      this.tree.remove(group);
    }
    return group.filter;
  }

  /** AWS bounds groups per account and members per group (REF §2.5). */
  hasRoomFor(filter: string): boolean {
    const { limits } = this.core;
    const group = this.groups.get(filter);
    return group === undefined
      ? this.groups.size < limits.shareGroups
      : group.members.length < limits.membersPerShareGroup;
  }

  /** @returns whether a member got or will get the message. */
  deliver(group: ShareGroup, message: ApplicationMessage): boolean {
    const outcome = this.handOver(group, message, { except: undefined, isConnectedOnly: false });
    if (typeof outcome === "object")
      this.core.dropped(outcome.member.session.clientId, outcome.reason, message.topic);
    return outcome === "taken";
  }

  /** The connection of this session is gone, but the session stays: others finish what they can. */
  connectionLost(session: Session): void {
    if (this.core.features.sharedRedelivery) this.reassign(session, true);
  }

  /** This session has ended; its subscriptions are removed already. */
  sessionEnded(session: Session): void {
    this.reassign(session, false);
  }

  /** A member can be reached: if it is the only one, it gets what waits for the others. */
  memberArrived(member: Subscription): void {
    const group = this.groups.get(member.filter);
    if (group === undefined || !this.core.features.sharedRedelivery) return;
    if (group.hasOthersConnected(member)) return;
    for (const other of Array.from(group.members))
      if (other !== member && other.session.connection === undefined)
        this.reassign(other.session, true, group);
  }

  /** The broker goes away: nothing is handed over any more. */
  stop(): void {
    this.isStopped = true;
  }

  private reassign(session: Session, isConnectedOnly: boolean, only?: ShareGroup): void {
    if (this.groups.size === 0 || this.isStopped || session.pending === 0) return;
    const { core } = this;
    session.releaseShared(({ share, message, expiresAtUs }) => {
      const group = this.groups.get(share!);
      if (group === undefined || (only !== undefined && group !== only)) return false;
      // An expired message is counted where it waits.
      if (expiresAtUs <= core.clock.nowUs()) return false;
      const others = { except: session, isConnectedOnly };
      const isTaken = this.handOver(group, message, others) === "taken";
      if (isTaken) core.counters.sharedReassigned += 1;
      return isTaken;
    });
  }

  /** Why this member cannot have the message at all; undefined when it can. */
  private unfitness({ session }: Subscription, delivery: Delivery): DropReason | undefined {
    const { hooks } = this.core;
    if (hooks.checksReceivers && !hooks.authorizeReceive(session.clientId, delivery.message))
      return "receive-denied";
    return session.connection?.takesSizeOf(delivery) === false ? "packet-too-large" : undefined;
  }

  private handOver(
    group: ShareGroup,
    message: ApplicationMessage,
    who: { readonly except: Session | undefined; readonly isConnectedOnly: boolean },
  ): "taken" | "nobody" | Unfit {
    const { core } = this;
    const { random, features } = core;
    let unfit: Set<Subscription> | undefined;
    let first: Unfit | undefined;
    const isExcluded = (member: Subscription): boolean =>
      member.session === who.except || (unfit !== undefined && unfit.has(member));
    const options = {
      strategy: features.sharedStrategy,
      random,
      isExcluded,
      isConnectedOnly: who.isConnectedOnly,
    };
    for (;;) {
      const member = group.choose(message, options);
      if (member === undefined) return first ?? "nobody";
      const { session } = member;
      const delivery = toDelivery(message, member);
      const reason = this.unfitness(member, delivery);
      if (reason === undefined) {
        session.deliver(delivery);
        return "taken";
      }
      first ??= { member, reason };
      unfit ??= new Set();
      unfit.add(member);
    }
  }
}

function toDelivery(message: ApplicationMessage, member: Subscription): Delivery {
  const qos = message.qos < member.qos ? message.qos : member.qos;
  // [MQTT-3.3.1-12] a live copy carries RETAIN only for a subscription that asked for it.
  const retain = message.retain && member.retainAsPublished;
  return new Delivery(message, { qos, retain, share: member.filter }, member.subscriptionIds);
}
