import { type Clock, type Timer, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import { hasWildcard, type Profile } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import { contentBytes } from "./delivery.js";

/** Levels that a search visits before it says that it has found nothing yet. */
const STRETCH = 32;

/** Between two searches for expired messages that nobody asks for. */
const SWEEP_PAUSE_US = 60 * US_PER_S;
/** A search looks at so many messages at a time; then others get their turn. */
const SWEEP_LOOKS = 1_000;
const SWEEP_TURN_US = 10 * US_PER_MS;

/** One level of the topics that have a retained message, for wildcard lookups. */
class TopicNode {
  readonly children = new Map<string, TopicNode>();
  topic: string | undefined;
}

export interface RetainedLimits {
  readonly retainedMessagesPerClient: number;
  readonly retainedMessages: number;
  readonly retainedBytes: number;
}

/**
 * The last retained message of every topic [MQTT-3.3.1-5..8]. The tree of topics exists only where wildcard
 * filters may read retained messages, which AWS does not allow.
 */
export class RetainedMessages {
  private readonly byTopic = new Map<string, ApplicationMessage>();
  private readonly root: TopicNode | undefined;
  private bytes = 0;
  /** How many of them came from each client. */
  private readonly owned = new Map<string, number>();
  /** Messages that expire some time. */
  private expiring = 0;
  private sweepTimer: Timer | undefined;
  private sweep: Iterator<ApplicationMessage> | undefined;
  /** Told of messages that expired, for whoever stores them. */
  whenExpired: ((topic: string) => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: RetainedLimits,
    private readonly profile: Profile,
    readsWildcards: boolean,
  ) {
    this.root = readsWildcards ? new TopicNode() : undefined;
  }

  get size(): number {
    return this.byTopic.size;
  }

  /** What the stored messages hold: topics, payloads, properties. */
  get storedBytes(): number {
    return this.bytes;
  }

  get(topic: string): ApplicationMessage | undefined {
    const message = this.byTopic.get(topic);
    if (message === undefined || !this.hasExpired(message)) return message;
    this.expire(topic);
    return undefined;
  }

  /** All that have not expired. */
  *all(): Generator<ApplicationMessage, undefined, undefined> {
    for (const message of this.byTopic.values()) if (!this.hasExpired(message)) yield message;
  }

  /** Looks for expired messages no more. */
  stop(): void {
    this.sweepTimer?.cancel();
    this.sweepTimer = undefined;
    this.sweep = undefined;
  }

  /**
   * Stores the message, or clears its topic when the payload is empty.
   * @returns false when there is no room for it; what was retained before stays.
   */
  store(message: ApplicationMessage): boolean {
    const { topic } = message;
    if (message.payload.byteLength === 0) {
      this.remove(topic);
      return true;
    }
    const before = this.byTopic.get(topic);
    const bytes = this.bytes + contentBytes(message) - (before === undefined ? 0 : contentBytes(before));
    const count = this.byTopic.size + (before === undefined ? 1 : 0);
    if (count > this.limits.retainedMessages || bytes > this.limits.retainedBytes) return false;
    if (!this.changeOwner(before?.publisher, message.publisher)) return false;
    this.bytes = bytes;
    message.detach();
    this.byTopic.set(topic, message);
    this.noteExpiry(before, message);
    if (before === undefined && this.root !== undefined) addTopic(this.root, topic);
    return true;
  }

  /**
   * Retained messages that a new subscription to `filter` gets, read from the store one by one: what is removed before
   * its turn is left out, and what comes meanwhile may be among them. Undefined stands for a stretch of the search
   * without a message, after which others may want their turn.
   */
  *matching(filter: string): Generator<ApplicationMessage | undefined, undefined, undefined> {
    const topics = hasWildcard(filter) ? this.topicsFor(filter) : [filter];
    for (const topic of topics) yield topic === undefined ? undefined : this.get(topic);
  }

  private remove(topic: string): void {
    const message = this.byTopic.get(topic);
    if (message === undefined) return;
    this.bytes -= contentBytes(message);
    this.byTopic.delete(topic);
    this.changeOwner(message.publisher, undefined);
    this.noteExpiry(message, undefined);
    if (this.root !== undefined) removeTopic(this.root, topic.split("/"), 0);
  }

  /** @returns false when the new owner, a client, has as many messages here as it may. */
  private changeOwner(before: string | undefined, after: string | undefined): boolean {
    if (before === after) return true;
    if (after !== undefined) {
      const count = this.owned.get(after) ?? 0;
      if (count >= this.limits.retainedMessagesPerClient) return false;
      this.owned.set(after, count + 1);
    }
    if (before !== undefined) {
      const left = this.owned.get(before)! - 1;
      if (left === 0) this.owned.delete(before);
      else this.owned.set(before, left);
    }
    return true;
  }

  private expire(topic: string): void {
    this.remove(topic);
    this.whenExpired?.(topic);
  }

  private noteExpiry(before: ApplicationMessage | undefined, after: ApplicationMessage | undefined): void {
    if (before?.properties.messageExpiryS !== undefined) this.expiring -= 1;
    if (after?.properties.messageExpiryS !== undefined) this.expiring += 1;
    if (this.expiring === 0) this.stop();
    else this.sweepTimer ??= this.clock.after(SWEEP_PAUSE_US, RetainedMessages.sweepOn, this);
  }

  /** Messages that nobody asks for any more would stay for ever. */
  private sweepSome(): void {
    this.sweep ??= this.byTopic.values();
    for (let looks = 0; looks < SWEEP_LOOKS; looks += 1) {
      const next = this.sweep.next();
      if (next.done === true) {
        this.sweep = undefined;
        break;
      }
      if (!this.hasExpired(next.value)) continue;
      this.expire(next.value.topic);
      // The last of those that expire.
      if (this.sweepTimer === undefined) return;
    }
    this.sweepTimer?.again(this.sweep === undefined ? SWEEP_PAUSE_US : SWEEP_TURN_US);
  }

  private hasExpired(message: ApplicationMessage): boolean {
    const expiryS = message.properties.messageExpiryS;
    return expiryS !== undefined && message.receivedAtUs + expiryS * US_PER_S <= this.clock.nowUs();
  }

  private static sweepOn(this: void, messages: RetainedMessages): void {
    messages.sweepSome();
  }

  private topicsFor(filter: string): Iterable<string | undefined> {
    return this.root === undefined ? [] : this.walk(this.root, { levels: filter.split("/"), visits: 0 }, 0);
  }

  /** Recursion is as deep as the filter, which `topicSlashes` bounds, or as the topics are. */
  private *walk(node: TopicNode, search: Search, depth: number): Generator<string | undefined> {
    const { levels } = search;
    if (depth === levels.length) {
      if (node.topic !== undefined) yield node.topic;
      return;
    }
    const level = levels[depth]!;
    if (level !== "+" && level !== "#") {
      const child = node.children.get(level);
      if (child !== undefined) yield* this.walk(child, search, depth + 1);
      return;
    }
    if (level === "#" && depth > 0 && this.profile === "oasis" && node.topic !== undefined) yield node.topic;
    for (const [name, child] of node.children) {
      // [MQTT-4.7.2-1] a wildcard in the first level does not match topics that begin with `$`.
      if (depth === 0 && name.startsWith("$")) continue;
      search.visits += 1;
      if (search.visits % STRETCH === 0) yield undefined;
      if (level === "#") yield* topicsBelow(child);
      else if (mayLead(child, levels[depth + 1])) yield* this.walk(child, search, depth + 1);
    }
  }
}

/** A filter on its way through the topics. */
interface Search {
  readonly levels: readonly string[];
  visits: number;
}

/** Is a node worth going into? Most of those below a `+` are not. */
const mayLead = (node: TopicNode, level: string | undefined): boolean =>
  level === undefined ? node.topic !== undefined : level === "+" || level === "#" || node.children.has(level);

function addTopic(root: TopicNode, topic: string): void {
  let node = root;
  for (const level of topic.split("/")) {
    let child = node.children.get(level);
    if (child === undefined) {
      child = new TopicNode();
      node.children.set(level, child);
    }
    node = child;
  }
  node.topic = topic;
}

/** @returns true when the node is of no use any more. */
function removeTopic(node: TopicNode, levels: readonly string[], depth: number): boolean {
  if (depth === levels.length) {
    node.topic = undefined;
  } else {
    const level = levels[depth]!;
    const child = node.children.get(level);
    if (child !== undefined && removeTopic(child, levels, depth + 1)) node.children.delete(level);
  }
  return node.topic === undefined && node.children.size === 0;
}

function* topicsBelow(node: TopicNode): Generator<string> {
  if (node.topic !== undefined) yield node.topic;
  for (const child of node.children.values()) yield* topicsBelow(child);
}
