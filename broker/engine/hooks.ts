import type { ConnectPacket, LinkPeer, ProtocolVersion, SubscriptionRequest } from "fleetrig/protocol";
import type { Routing } from "../message-bus.js";
import type { ApplicationMessage, MessageFields } from "../message.js";
import type { AwsDisconnectReason } from "./ending.js";

/** `allow`, or the reason code of the refusing CONNACK. */
export type ConnectDecision = "allow" | { readonly refuse: number };

/** Who asks to connect, when (µs of the broker's clock) and from where. */
export interface ConnectInfo {
  /** As sent, or as assigned by the broker. */
  readonly clientId: string;
  readonly atUs: number;
  readonly remoteAddress: string;
  /** The transport's side of the client: certificate, server name, port. Undefined for links in memory. */
  readonly peer?: LinkPeer;
}

/** A connection that was accepted, after its CONNACK was decided. */
export interface ConnectedInfo extends ConnectInfo {
  readonly protocolVersion: ProtocolVersion;
  readonly sessionPresent: boolean;
  readonly username?: string;
}

/** A connection that ended, and by whose doing. */
export interface DisconnectedInfo {
  readonly clientId: string;
  readonly atUs: number;
  readonly reason: AwsDisconnectReason;
  readonly clientInitiated: boolean;
}

/** A CONNECT that was refused, with the reason code of its CONNACK. */
export interface RefusedInfo extends ConnectInfo {
  readonly reasonCode: number;
}

/**
 * Where services and policies attach. All calls are synchronous; a hook that is absent allows everything.
 * Several sets are called in the order in which they were added; the first refusal (or `consumed`) decides.
 */
export interface BrokerHooks {
  authorizeConnect(connect: ConnectPacket, info: ConnectInfo): ConnectDecision;
  /** Also asked for a will, when its client connects. */
  authorizePublish(clientId: string, publish: MessageFields): boolean;
  authorizeSubscribe(clientId: string, request: SubscriptionRequest): boolean;
  /** Asked per delivery; a refusal drops the message for that client and keeps the connection. */
  authorizeReceive(clientId: string, message: ApplicationMessage): boolean;
  /** Every accepted publish (clients', wills and the cloud's own), before delivery. */
  message(message: ApplicationMessage): Routing;
  /**
   * Would `message` do anything with a message on this topic? Lets services skip building what nobody reads;
   * a set that has `message` without this counts as listening to everything.
   */
  listensTo(topic: string): boolean;
  connected(info: ConnectedInfo): void;
  disconnected(info: DisconnectedInfo): void;
  refused(info: RefusedInfo): void;
  /** The filters that were granted. */
  subscribed(clientId: string, filters: readonly string[]): void;
  unsubscribed(clientId: string, filters: readonly string[]): void;
}

type HookLists = { readonly [Name in keyof BrokerHooks]: BrokerHooks[Name][] };

/** Several hook sets as one. */
export class HookChain implements BrokerHooks {
  private readonly lists: HookLists = {
    authorizeConnect: [],
    authorizePublish: [],
    authorizeSubscribe: [],
    authorizeReceive: [],
    message: [],
    listensTo: [],
    connected: [],
    disconnected: [],
    refused: [],
    subscribed: [],
    unsubscribed: [],
  };

  /** False while nobody asks to be consulted per delivery. */
  get checksReceivers(): boolean {
    return this.lists.authorizeReceive.length > 0;
  }

  add(hooks: Partial<BrokerHooks>): void {
    const { lists } = this;
    for (const name of Object.keys(lists) as (keyof BrokerHooks)[]) {
      const hook = hooks[name];
      // Each list holds its own kind of hook; the compiler cannot follow that through a union of names.
      if (hook !== undefined) (lists[name] as unknown[]).push(hook.bind(hooks));
    }
    if (hooks.message !== undefined && hooks.listensTo === undefined) lists.listensTo.push(() => true);
  }

  authorizeConnect(connect: ConnectPacket, info: ConnectInfo): ConnectDecision {
    for (const hook of this.lists.authorizeConnect) {
      const decision = hook(connect, info);
      if (decision !== "allow") return decision;
    }
    return "allow";
  }

  authorizePublish(clientId: string, publish: MessageFields): boolean {
    for (const hook of this.lists.authorizePublish) if (!hook(clientId, publish)) return false;
    return true;
  }

  authorizeSubscribe(clientId: string, request: SubscriptionRequest): boolean {
    for (const hook of this.lists.authorizeSubscribe) if (!hook(clientId, request)) return false;
    return true;
  }

  authorizeReceive(clientId: string, message: ApplicationMessage): boolean {
    for (const hook of this.lists.authorizeReceive) if (!hook(clientId, message)) return false;
    return true;
  }

  message(message: ApplicationMessage): Routing {
    for (const hook of this.lists.message) if (hook(message) === "consumed") return "consumed";
    return "broker";
  }

  listensTo(topic: string): boolean {
    for (const hook of this.lists.listensTo) if (hook(topic)) return true;
    return false;
  }

  connected(info: ConnectedInfo): void {
    for (const hook of this.lists.connected) hook(info);
  }

  disconnected(info: DisconnectedInfo): void {
    for (const hook of this.lists.disconnected) hook(info);
  }

  refused(info: RefusedInfo): void {
    for (const hook of this.lists.refused) hook(info);
  }

  subscribed(clientId: string, filters: readonly string[]): void {
    for (const hook of this.lists.subscribed) hook(clientId, filters);
  }

  unsubscribed(clientId: string, filters: readonly string[]): void {
    for (const hook of this.lists.unsubscribed) hook(clientId, filters);
  }
}
