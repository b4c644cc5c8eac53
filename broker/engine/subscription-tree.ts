import { hasWildcard, type Profile } from "fleetrig/protocol";
import type { Subscription } from "./subscription.js";

/** What a filter leads to: a subscription, or a group of sessions that share one. */
interface Filtered {
  readonly filter: string;
}

/** Most filters have one subscriber, and a set costs far more than the subscription itself. */
type Subscribers<Entry> = Entry | Set<Entry>;

/** One level of the wildcard filters. */
class FilterNode<Entry> {
  children: Map<string, FilterNode<Entry>> | undefined;
  /** The level `+`. */
  single: FilterNode<Entry> | undefined;
  /** Filters that end here. */
  ending: Subscribers<Entry> | undefined;
  /** Filters that end with `#` below here. */
  remainder: Subscribers<Entry> | undefined;

  get isEmpty(): boolean {
    return (
      this.children === undefined &&
      this.single === undefined &&
      this.ending === undefined &&
      this.remainder === undefined
    );
  }
}

/**
 * All subscriptions by filter. Filters without wildcards are looked up whole; the others form a trie, so that
 * matching costs what the topic's levels and the matches cost, not what the number of filters would.
 */
export class SubscriptionTree<Entry extends Filtered = Subscription> {
  private readonly exact = new Map<string, Subscribers<Entry>>();
  private readonly root = new FilterNode<Entry>();
  private count = 0;

  constructor(private readonly profile: Profile) {}

  get size(): number {
    return this.count;
  }

  add(subscription: Entry): void {
    const { filter } = subscription;
    this.count += 1;
    if (!hasWildcard(filter)) {
      this.exact.set(filter, withSubscriber(this.exact.get(filter), subscription));
      return;
    }
    const levels = filter.split("/");
    const isOpen = levels.at(-1) === "#";
    const depth = isOpen ? levels.length - 1 : levels.length;
    let node = this.root;
    for (let i = 0; i < depth; i += 1) node = descend(node, levels[i]!);
    if (isOpen) node.remainder = withSubscriber(node.remainder, subscription);
    else node.ending = withSubscriber(node.ending, subscription);
  }

  /** Removes exactly this subscription; one that is not there is ignored. */
  remove(subscription: Entry): void {
    const { filter } = subscription;
    if (hasWildcard(filter)) {
      this.removeBelow(this.root, filter.split("/"), subscription);
      return;
    }
    const left = this.without(this.exact.get(filter), subscription);
    if (left === undefined) this.exact.delete(filter);
    else this.exact.set(filter, left);
  }

  /** Every subscription whose filter matches `topic`. */
  match(topic: string): Entry[] {
    const found: Entry[] = [];
    collect(this.exact.get(topic), found);
    if (this.root.isEmpty) return found;
    if (!topic.startsWith("$")) {
      this.matchBelow(this.root, topic.split("/"), 0, found);
      return found;
    }
    // [MQTT-4.7.2-1] a wildcard in the first level does not match topics that begin with `$`. Services ask for
    // countless reserved topics that nobody listens to: those are not even split.
    const slash = topic.indexOf("/");
    const child = this.root.children?.get(slash < 0 ? topic : topic.slice(0, slash));
    if (child !== undefined) this.matchBelow(child, topic.split("/"), 1, found);
    return found;
  }

  /** Recursion is as deep as the filter that matches, which `topicSlashes` bounds. */
  private matchBelow(
    node: FilterNode<Entry>,
    levels: readonly string[],
    depth: number,
    found: Entry[],
  ): void {
    if (depth === levels.length) {
      collect(node.ending, found);
      // AWS: `a/#` does not match its own parent level `a`.
      if (this.profile === "oasis") collect(node.remainder, found);
      return;
    }
    collect(node.remainder, found);
    const child = node.children?.get(levels[depth]!);
    if (child !== undefined) this.matchBelow(child, levels, depth + 1, found);
    if (node.single !== undefined) this.matchBelow(node.single, levels, depth + 1, found);
  }

  private removeBelow(node: FilterNode<Entry>, levels: readonly string[], subscription: Entry): void {
    const path: FilterNode<Entry>[] = [node];
    for (const level of levels) {
      if (level === "#") break;
      const next = level === "+" ? path.at(-1)!.single : path.at(-1)!.children?.get(level);
      if (next === undefined) return;
      path.push(next);
    }
    const last = path.at(-1)!;
    if (levels.at(-1) === "#") last.remainder = this.without(last.remainder, subscription);
    else last.ending = this.without(last.ending, subscription);
    for (let depth = path.length - 1; depth > 0 && path[depth]!.isEmpty; depth -= 1)
      cutOff(path[depth - 1]!, levels[depth - 1]!);
  }

  private without(
    subscribers: Subscribers<Entry> | undefined,
    subscription: Entry,
  ): Subscribers<Entry> | undefined {
    if (subscribers === subscription) {
      this.count -= 1;
      return undefined;
    }
    if (subscribers instanceof Set && subscribers.delete(subscription)) {
      this.count -= 1;
      if (subscribers.size === 0) return undefined;
    }
    return subscribers;
  }
}

function descend<Entry>(node: FilterNode<Entry>, level: string): FilterNode<Entry> {
  if (level === "+") return (node.single ??= new FilterNode());
  node.children ??= new Map();
  let child = node.children.get(level);
  if (child === undefined) {
    child = new FilterNode();
    node.children.set(level, child);
  }
  return child;
}

function cutOff<Entry>(parent: FilterNode<Entry>, level: string): void {
  if (level === "+") {
    parent.single = undefined;
    return;
  }
  parent.children!.delete(level);
  if (parent.children!.size === 0) parent.children = undefined;
}

function withSubscriber<Entry>(
  subscribers: Subscribers<Entry> | undefined,
  added: Entry,
): Subscribers<Entry> {
  if (subscribers === undefined) return added;
  if (subscribers instanceof Set) return subscribers.add(added);
  return new Set([subscribers, added]);
}

function collect<Entry>(subscribers: Subscribers<Entry> | undefined, found: Entry[]): void {
  if (subscribers === undefined) return;
  if (subscribers instanceof Set) for (const entry of subscribers) found.push(entry);
  else found.push(subscribers);
}
