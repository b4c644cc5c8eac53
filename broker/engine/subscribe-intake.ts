import {
  REASON,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { ENDING, type Ending, clientError } from "./ending.js";
import { Subscription } from "./subscription.js";
import { filterFault, isUnavailableFilter } from "./topic-rules.js";

const SHARED_PREFIX = "$share/";
/** The only failure 3.1.1 knows. */
const LEGACY_FAILURE = 0x80;

/** A SUBSCRIBE (§3.8): per filter a grant or a refusal, then the retained messages of what was granted. */
export function takeSubscribe(connection: Connection, packet: SubscribePacket): void {
  const { core, version } = connection;
  if (version === 4 && core.traits.qos2 === "ignored" && packet.subscriptions.some(({ qos }) => qos === 2))
    return;
  const ending = subscribeFault(connection, packet);
  if (ending !== undefined) {
    connection.end(ending);
    return;
  }
  const isTooMany = packet.subscriptions.length > core.limits.filtersPerPacket;
  const reasonCodes: number[] = [];
  const granted: GrantedSubscription[] = [];
  for (const request of packet.subscriptions) {
    const failure = isTooMany ? REASON.quotaExceeded : requestFailure(connection, request);
    if (failure === 0) {
      const grant = subscribe(connection, request, packet.subscriptionId);
      granted.push(grant);
      reasonCodes.push(grant.subscription.qos);
    } else {
      reasonCodes.push(version === 5 ? failure : LEGACY_FAILURE);
    }
  }
  connection.send({ type: "suback", packetId: packet.packetId, reasonCodes });
  if (granted.length === 0) return;
  for (const grant of granted) sendRetained(connection, grant);
  core.hooks.subscribed(
    connection.clientId,
    granted.map(({ subscription }) => subscription.filter),
  );
}

interface GrantedSubscription {
  readonly subscription: Subscription;
  readonly request: SubscriptionRequest;
  readonly isNew: boolean;
}

/** Faults of the whole packet, which end the connection. */
function subscribeFault(connection: Connection, packet: SubscribePacket): Ending | undefined {
  const { core, version, clientId } = connection;
  const { subscriptions, subscriptionId } = packet;
  // [MQTT-3.8.3-2] at least one filter.
  if (subscriptions.length === 0 || subscriptionId === 0) return clientError(REASON.protocolError);
  if (core.traits.qos2 === "ignored" && subscriptions.some(({ qos }) => qos === 2))
    return clientError(REASON.qosNotSupported);
  if (subscriptionId !== undefined && !core.traits.subscriptionIds)
    return clientError(REASON.subscriptionIdentifiersNotSupported);
  for (const request of subscriptions) {
    const fault = filterFault(request.filter, core.limits);
    if (fault === "too-long" || (fault === "malformed" && version === 4))
      return clientError(REASON.topicFilterInvalid);
    const isDenied = fault === undefined && !core.hooks.authorizeSubscribe(clientId, request);
    if (isDenied && version === 4 && core.traits.deniedLegacyClient === "closed") return ENDING.notAuthorized;
  }
  return undefined;
}

/** Why one filter is not granted; 0 when it is. */
function requestFailure(connection: Connection, request: SubscriptionRequest): number {
  const { core, clientId } = connection;
  const session = connection.session!;
  const { filter } = request;
  if (filterFault(filter, core.limits) !== undefined) return REASON.topicFilterInvalid;
  if (filter.startsWith(SHARED_PREFIX)) return REASON.sharedSubscriptionsNotSupported;
  if (isUnavailableFilter(filter, core.traits)) return REASON.topicFilterInvalid;
  if (!core.hooks.authorizeSubscribe(clientId, request)) return REASON.notAuthorized;
  const isFull = session.subscriptionCount >= core.limits.subscriptionsPerConnection;
  return isFull && session.subscription(filter) === undefined ? REASON.quotaExceeded : 0;
}

function subscribe(
  connection: Connection,
  request: SubscriptionRequest,
  subscriptionId: number | undefined,
): GrantedSubscription {
  const { core, version } = connection;
  const session = connection.session!;
  const replaced = session.unsubscribe(request.filter);
  if (replaced !== undefined) core.router.remove(replaced);
  const subscription = new Subscription(session, request.filter, {
    // [MQTT-3.8.4-5] the server grants what it can: at most QoS 1.
    qos: request.qos === 0 ? 0 : 1,
    noLocal: version === 5 && request.noLocal === true,
    retainAsPublished: version === 5 && request.retainAsPublished === true,
    subscriptionId: version === 5 ? subscriptionId : undefined,
  });
  session.subscribe(subscription);
  core.router.add(subscription);
  return { subscription, request, isNew: replaced === undefined };
}

/** Retain Handling (§3.8.3.1): 0 always, 1 only for a new subscription, 2 never. */
function sendRetained(connection: Connection, grant: GrantedSubscription): void {
  const { core, version, clientId } = connection;
  const { subscription } = grant;
  const handling = version === 5 ? (grant.request.retainHandling ?? 0) : 0;
  if (handling === 2 || (handling === 1 && !grant.isNew)) return;
  for (const message of core.retained.matching(subscription.filter)) {
    const qos = message.qos === 0 || subscription.qos === 0 ? 0 : 1;
    if (core.hooks.checksReceivers && !core.hooks.authorizeReceive(clientId, message))
      core.dropped(clientId, "receive-denied", message.topic);
    else
      subscription.session.deliver(
        new Delivery(message, { qos, retain: true }, subscription.subscriptionIds),
      );
  }
}

/** An UNSUBSCRIBE (§3.10). */
export function takeUnsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { core, version, clientId } = connection;
  const session = connection.session!;
  const { filters, packetId } = packet;
  // [MQTT-3.10.3-2] at least one filter.
  if (filters.length === 0) return connection.fail(REASON.protocolError);
  if (filters.length > core.limits.filtersPerPacket) return connection.fail(REASON.quotaExceeded);
  const removed: string[] = [];
  const reasonCodes = filters.map((filter) => {
    const subscription = session.unsubscribe(filter);
    if (subscription === undefined) return REASON.noSubscriptionExisted;
    core.router.remove(subscription);
    removed.push(filter);
    return REASON.success;
  });
  connection.send({ type: "unsuback", packetId, reasonCodes: version === 5 ? reasonCodes : [] });
  if (removed.length > 0) core.hooks.unsubscribed(clientId, removed);
}
