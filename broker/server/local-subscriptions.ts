import { EXIT, FleetrigError } from "fleetrig/kernel";
import { hasWildcard, isTopicFilter, topicMatches } from "fleetrig/protocol";
import type { BrokerHooks, MqttBroker } from "../engine/index.js";
import type { ApplicationMessage } from "../message.js";
import type { Routing } from "../message-bus.js";

/** How a message came to a local subscriber. */
export interface LocalDelivery {
  /** It was retained before the subscription, and is not new. */
  readonly isRetained: boolean;
}

/** Called for each message, in the order in which the broker takes them. */
export type MessageHandler = (message: ApplicationMessage, delivery: LocalDelivery) => void;

/** What a local subscriber wants. */
export interface LocalSubscriptionOptions {
  /** Hand over what is retained before `subscribe` returns. Default true. */
  readonly retained?: boolean;
}

interface LocalSubscription {
  readonly filter: string;
  readonly handler: MessageHandler;
}

const LIVE: LocalDelivery = { isRetained: false };
const RETAINED: LocalDelivery = { isRetained: true };

/**
 * Subscribers inside the process: no client, no session, no queue. They see every message that the broker accepts,
 * before clients do, and cost nothing while there are none.
 */
export class LocalSubscriptions {
  private readonly exact = new Map<string, Set<LocalSubscription>>();
  private readonly wildcards = new Set<LocalSubscription>();
  private isHooked = false;

  constructor(private readonly engine: MqttBroker) {}

  /**
   * @returns a function that ends the subscription; calling it twice is the same.
   * @throws FleetrigError `BROKER_FILTER_INVALID` for what is no filter, shared subscriptions included.
   */
  subscribe(filter: string, handler: MessageHandler, options: LocalSubscriptionOptions = {}): () => void {
    if (!isTopicFilter(filter) || filter.startsWith("$share/"))
      throw new FleetrigError("BROKER_FILTER_INVALID", `${JSON.stringify(filter)} is no topic filter.`, {
        hint: "Filters are non-empty, `+` and `#` stand for whole levels, and shared subscriptions are for clients.",
        context: { filter },
        exitCode: EXIT.usage,
      });
    this.hook();
    const subscription = { filter, handler };
    const peers = hasWildcard(filter) ? this.wildcards : this.peersOf(filter);
    peers.add(subscription);
    if (options.retained ?? true)
      for (const message of this.engine.retained(filter)) handler(message, RETAINED);
    return () => {
      peers.delete(subscription);
      if (peers.size === 0 && this.exact.get(filter) === peers) this.exact.delete(filter);
    };
  }

  /** Ends all of them. */
  clear(): void {
    this.exact.clear();
    this.wildcards.clear();
  }

  private peersOf(topic: string): Set<LocalSubscription> {
    let peers = this.exact.get(topic);
    if (peers === undefined) {
      peers = new Set();
      this.exact.set(topic, peers);
    }
    return peers;
  }

  private hook(): void {
    if (this.isHooked) return;
    this.isHooked = true;
    const hooks: Partial<BrokerHooks> = {
      message: (message) => this.take(message),
      listensTo: (topic) => this.listensTo(topic),
    };
    this.engine.addHooks(hooks);
  }

  private take(message: ApplicationMessage): Routing {
    const { topic } = message;
    const peers = this.exact.get(topic);
    if (peers !== undefined) for (const { handler } of peers) handler(message, LIVE);
    for (const { filter, handler } of this.wildcards) if (this.matches(filter, topic)) handler(message, LIVE);
    return "broker";
  }

  private listensTo(topic: string): boolean {
    if (this.exact.has(topic)) return true;
    for (const { filter } of this.wildcards) if (this.matches(filter, topic)) return true;
    return false;
  }

  private matches(filter: string, topic: string): boolean {
    return topicMatches(filter, topic, this.engine.profile);
  }
}
