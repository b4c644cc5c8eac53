import { hasWildcard } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { BrokerCore } from "./core.js";
import { Delivery } from "./delivery.js";
import type { ShareGroup } from "./share-group.js";
import { RouteVersions } from "./route-versions.js";
import { ShareGroups } from "./share-groups.js";
import { type Route, type Subscription, toRoutes } from "./subscription.js";
import { SubscriptionTree } from "./subscription-tree.js";
import { isSharedFilter, topicRefusal } from "./topic-rules.js";

/** Routes kept in the cache, summed over topics; reaching it empties the cache. */
const MAX_CACHED_ROUTES = 1_000_000;
const MAX_CACHED_TOPICS = 262_144;
/** Characters of their names: long topics must not cost what many topics cost. */
const MAX_CACHED_CHARACTERS = 33_554_432;
/** Messages caused by messages caused by messages...: where a loop of services and rules is cut. */
const MAX_PUBLISH_DEPTH = 32;

/** Everything about a topic that does not change from message to message. */
interface TopicEntry {
  readonly routes: readonly Route[];
  /** Groups of which one member each gets the message. */
  readonly groups: readonly ShareGroup[];
  /** Reason code for clients that publish here; 0 when they may. */
  readonly refusal: number;
  /** Where its versions are, and what they were. */
  readonly place: readonly number[];
  readonly version: number;
}

/**
 * From an accepted message to its receivers: services first, then retained storage, then every matching session.
 * Routes are cached per topic; a changed exact filter forgets its topic, a changed wildcard filter those that it can
 * concern.
 */
export class Router {
  readonly shares: ShareGroups;
  private readonly tree: SubscriptionTree;
  private readonly cache = new Map<string, TopicEntry>();
  private readonly versions = new RouteVersions();
  private cachedRoutes = 0;
  private cachedCharacters = 0;
  /** The topic looked up last: one message asks several times in a row. */
  private latestTopic = "";
  private latest: TopicEntry | undefined;
  private depth = 0;

  constructor(private readonly core: BrokerCore) {
    this.shares = new ShareGroups(core);
    this.tree = new SubscriptionTree(core.traits.profile);
  }

  get subscriptions(): number {
    return this.tree.size + this.shares.members;
  }

  add(subscription: Subscription): void {
    if (isSharedFilter(subscription.filter)) {
      this.forget(this.shares.add(subscription));
    } else {
      this.tree.add(subscription);
      this.forget(subscription.filter);
    }
  }

  remove(subscription: Subscription): void {
    if (isSharedFilter(subscription.filter)) {
      this.forget(this.shares.remove(subscription));
    } else {
      this.tree.remove(subscription);
      this.forget(subscription.filter);
    }
  }

  /** Why a client may not publish to `topic`; 0 when it may. */
  refusal(topic: string): number {
    return this.lookup(topic).refusal;
  }

  hasRoutes(topic: string): boolean {
    const { routes, groups } = this.lookup(topic);
    return routes.length > 0 || groups.length > 0;
  }

  /**
   * Takes an accepted message through services and to its receivers.
   * @returns how many sessions it went to, or -1 when a service consumed it.
   */
  route(message: ApplicationMessage): number {
    const { core } = this;
    core.counters.received += 1;
    core.counters.receivedBytes += message.payload.byteLength;
    if (message.publisher !== undefined) core.counters.publishedUnits += message.meteredUnits;
    if (this.depth >= MAX_PUBLISH_DEPTH) {
      core.dropped(message.publisher ?? "", "publish-depth", message.topic);
      return 0;
    }
    this.depth += 1;
    try {
      if (core.hooks.message(message) === "consumed") return -1;
      if (message.retain) this.retain(message);
      return this.fanOut(message);
    } finally {
      this.depth -= 1;
    }
  }

  /** Takes a message about the broker itself to its receivers: no services, no counters. */
  announce(message: ApplicationMessage): void {
    this.core.status.store(message);
    this.fanOut(message);
  }

  private retain(message: ApplicationMessage): void {
    const { traits, retained, journal } = this.core;
    const { topic } = message;
    if (topic.startsWith("$") && !traits.retainsReservedTopics) return;
    if (!retained.store(message)) {
      this.core.dropped(message.publisher ?? "", "retained-full", topic);
      return;
    }
    const isCleared = message.payload.length === 0;
    if (!isCleared) this.core.counters.retainedUnits += message.meteredUnits;
    journal?.retainedChanged(topic, isCleared ? undefined : message, message.qos);
  }

  private fanOut(message: ApplicationMessage): number {
    const { routes, groups } = this.lookup(message.topic);
    const count = routes.length;
    if (count === 0) return this.shareOut(message, groups);
    if (count > 1) message.share();
    const { hooks } = this.core;
    const checksReceivers = hooks.checksReceivers;
    const forms = new DeliveryForms(message);
    let receivers = 0;
    for (let i = 0; i < count; i += 1) {
      const route = receivingRoute(routes[i]!, message.publisher);
      if (route === undefined) continue;
      const { session } = route;
      receivers += 1;
      if (checksReceivers && !hooks.authorizeReceive(session.clientId, message))
        this.core.dropped(session.clientId, "receive-denied", message.topic);
      else session.deliver(forms.forRoute(route));
    }
    return receivers + this.shareOut(message, groups);
  }

  /** Shared subscriptions: one member of each group. */
  private shareOut(message: ApplicationMessage, groups: readonly ShareGroup[]): number {
    let receivers = 0;
    for (let i = 0; i < groups.length; i += 1) if (this.shares.deliver(groups[i]!, message)) receivers += 1;
    return receivers;
  }

  private lookup(topic: string): TopicEntry {
    if (this.latest !== undefined && topic === this.latestTopic) return this.latest;
    let entry = this.cache.get(topic);
    if (entry === undefined) entry = this.find(topic);
    else if (entry.version !== this.versions.current(entry.place)) {
      this.drop(topic, entry);
      entry = this.find(topic);
    }
    this.latestTopic = topic;
    this.latest = entry;
    return entry;
  }

  private find(topic: string): TopicEntry {
    const { limits, traits } = this.core;
    const place = this.versions.placeOf(topic);
    const entry = {
      routes: toRoutes(this.tree.match(topic)),
      groups: this.shares.match(topic),
      refusal: topicRefusal(topic, limits, traits),
      place,
      version: this.versions.current(place),
    };
    if (entry.refusal !== 0) return entry;
    const count = entry.routes.length + entry.groups.length;
    const isFull =
      this.cachedRoutes + count > MAX_CACHED_ROUTES ||
      this.cachedCharacters + topic.length > MAX_CACHED_CHARACTERS ||
      this.cache.size >= MAX_CACHED_TOPICS;
    if (isFull) this.dropAll();
    this.cachedRoutes += count;
    this.cachedCharacters += topic.length;
    this.cache.set(topic, entry);
    return entry;
  }

  private forget(filter: string): void {
    this.latest = undefined;
    if (hasWildcard(filter)) {
      if (!this.versions.change(filter)) this.dropAll();
      return;
    }
    const entry = this.cache.get(filter);
    if (entry !== undefined) this.drop(filter, entry);
  }

  private drop(topic: string, { routes, groups }: TopicEntry): void {
    this.cachedRoutes -= routes.length + groups.length;
    this.cachedCharacters -= topic.length;
    this.cache.delete(topic);
  }

  private dropAll(): void {
    if (this.cache.size > 0) this.cache.clear();
    this.cachedRoutes = 0;
    this.cachedCharacters = 0;
  }
}

const receivingRoute = (route: Route, publisher: string | undefined): Route | undefined =>
  route.noLocal && route.session.clientId === publisher ? route.forOwn : route;

/** The few forms in which one message goes out, made when first needed and shared by all receivers. */
class DeliveryForms {
  private first: Delivery | undefined;
  private firstForm = -1;
  private others: (Delivery | undefined)[] | undefined;

  constructor(private readonly message: ApplicationMessage) {}

  forRoute(route: Route): Delivery {
    const { message } = this;
    const qos = message.qos < route.qos ? message.qos : route.qos;
    // [MQTT-3.3.1-12] a live copy carries RETAIN only for a subscription that asked for it.
    const retain = message.retain && route.retainAsPublished;
    if (route.subscriptionIds !== undefined)
      return new Delivery(message, { qos, retain }, route.subscriptionIds);
    const form = qos + (retain ? 3 : 0);
    if (form === this.firstForm) return this.first!;
    if (this.first === undefined) {
      this.firstForm = form;
      this.first = new Delivery(message, { qos, retain }, undefined);
      return this.first;
    }
    this.others ??= [];
    return (this.others[form] ??= new Delivery(message, { qos, retain }, undefined));
  }
}
