import type { MessageProperties, QoS } from "fleetrig/protocol";
import type { ApplicationMessage } from "./message.js";

/** A message of a cloud service. */
export interface OutgoingMessage extends MessageProperties {
  readonly topic: string;
  /** Text is sent as UTF-8. */
  readonly payload: Uint8Array | string;
  readonly qos: QoS;
  readonly retain?: boolean;
}

/**
 * How cloud services send (reference: routing classes). Synchronous: by the time a call returns, the message is
 * queued for every receiver, in order.
 */
export interface MessageBus {
  /** Class B: through the broker, visible to every subscriber and to rules. */
  publish(message: OutgoingMessage): void;
  /**
   * Class D: straight to one client, subscribed or not, invisible to everybody else and to rules.
   * @returns false when that client is not connected.
   */
  sendDirect(clientId: string, message: OutgoingMessage): boolean;
  /**
   * Would anybody (a subscriber, a queued session, a rule) get a message on `topic`? Services ask before they
   * build large bodies. May say true too often, never false too often; a bus without it means true.
   */
  hasSubscribers?(topic: string): boolean;
}

/** What the broker does with a publish after a service has seen it. */
export type Routing =
  /** Deliver to subscribers as usual. */
  | "broker"
  /** The service has dealt with it; no subscriber sees it. */
  | "consumed";

/** A cloud service that reacts to publishes on reserved topics. */
export interface ReservedTopicService {
  /** Called for publishes whose topic is this service's, before subscribers get them. */
  handle(message: ApplicationMessage): Routing;
}
