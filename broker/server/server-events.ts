import type { DecodeFailure } from "fleetrig/protocol";
import type {
  ConnectedInfo,
  DisconnectedInfo,
  DropReason,
  MemoryLevel,
  RefusedInfo,
} from "../engine/index.js";
import type { CertificateNotice, ListenerEndpoint, Rejection } from "../listeners/index.js";

/** A message that somebody did not get. */
export interface DroppedInfo {
  readonly atUs: number;
  /** Who did not get it; empty where nobody did. */
  readonly clientId: string;
  readonly reason: DropReason;
  readonly topic: string;
}

/** How full the memory is has changed. */
export interface MemoryInfo {
  readonly atUs: number;
  readonly level: MemoryLevel;
}

/** Two clients take one client id from each other again and again. */
export interface ConflictInfo {
  readonly atUs: number;
  readonly clientId: string;
  /** Of the two that met last. */
  readonly addresses: readonly string[];
}

/** Filters that a client was granted, or gave up. */
export interface SubscriptionInfo {
  readonly clientId: string;
  readonly filters: readonly string[];
}

/** Bytes that were not MQTT, and from where. */
export interface MalformedInfo {
  readonly remoteAddress: string;
  readonly failure: DecodeFailure;
}

/** A socket that a listener turned away or evicted. */
export interface RejectedInfo extends Rejection {
  readonly endpoint: ListenerEndpoint;
}

/** Certificate files of a listener have changed on disk. */
export interface CertificatesInfo extends CertificateNotice {
  readonly endpoint: ListenerEndpoint;
}

/** What a broker server tells the program around it. */
export interface BrokerServerEvents {
  readonly connected: ConnectedInfo;
  readonly disconnected: DisconnectedInfo;
  /** A CONNECT was answered with a reason code that is no success. */
  readonly refused: RefusedInfo;
  readonly subscribed: SubscriptionInfo;
  readonly unsubscribed: SubscriptionInfo;
  readonly dropped: DroppedInfo;
  readonly memory: MemoryInfo;
  readonly conflict: ConflictInfo;
  readonly malformed: MalformedInfo;
  readonly rejected: RejectedInfo;
  readonly certificates: CertificatesInfo;
}

/** Name of an event. */
export type BrokerServerEvent = keyof BrokerServerEvents;

/** Called inside the turn in which the event happens: be quick, and do not throw. */
export type EventHandler<Name extends BrokerServerEvent> = (event: BrokerServerEvents[Name]) => void;

/** Who listens to what. */
export class EventBoard {
  private readonly handlers = new Map<BrokerServerEvent, Set<(event: never) => void>>();

  /** @returns a function that stops listening. */
  on<Name extends BrokerServerEvent>(name: Name, handler: EventHandler<Name>): () => void {
    let handlers = this.handlers.get(name);
    if (handlers === undefined) {
      handlers = new Set();
      this.handlers.set(name, handlers);
    }
    // The same function twice counts twice, as with any list of listeners.
    const own: EventHandler<Name> = (event) => handler(event);
    const peers = handlers.add(own);
    return () => {
      peers.delete(own);
    };
  }

  emit<Name extends BrokerServerEvent>(name: Name, event: BrokerServerEvents[Name]): void {
    const handlers = this.handlers.get(name);
    if (handlers === undefined) return;
    for (const handler of handlers) (handler as EventHandler<Name>)(event);
  }

  clear(): void {
    this.handlers.clear();
  }
}
