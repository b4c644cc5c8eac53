import {
  REASON,
  reasonName,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import { ENDING, type Ending, clientError } from "./ending.js";
import { Subscription } from "./subscription.js";
import { filterFault, isSharedFilter, isUnavailableFilter } from "./topic-rules.js";

const STATUS_PREFIX = "$SYS/";
/** What a SUBACK says in words about the first filter that failed. */
const FAILURES: Readonly<Record<number, string>> = {
  [REASON.topicFilterInvalid]: "A topic filter is not well-formed or not available here.",
  [REASON.notAuthorized]: "A topic filter is not allowed for this client.",
  [REASON.quotaExceeded]: "There are more subscriptions than this server takes.",
};
const TOO_LARGE_FILTER = "A topic filter is longer or deeper than this server takes.";
/** The only failure 3.1.1 knows. */
const LEGACY_FAILURE = 0x80;

/** A SUBSCRIBE (§3.8): per filter a grant or a refusal, then the retained messages of what was granted. */
export function takeSubscribe(connection: Connection, packet: SubscribePacket): void {
  const { core, version } = connection;
  if (version === 4 && core.traits.qos2 === "ignored" && packet.subscriptions.some(({ qos }) => qos === 2))
    return;
  const fault = subscribeFault(connection, packet);
  if (fault !== undefined) {
    connection.end(fault);
    return;
  }
  const failures = requestFailures(connection, packet);
  const isLegacyClosed = version === 4 && core.traits.deniedLegacyClient === "closed";
  if (isLegacyClosed && failures.includes(REASON.notAuthorized)) {
    connection.end(ENDING.notAuthorized);
    return;
  }
  const reasonCodes: number[] = [];
  const granted: GrantedSubscription[] = [];
  for (const [index, request] of packet.subscriptions.entries()) {
    const failure = failures[index]! || quotaFailure(connection, request);
    if (failure === 0) {
      const grant = subscribe(connection, request, packet.subscriptionId);
      granted.push(grant);
      reasonCodes.push(grant.subscription.qos);
    } else {
      reasonCodes.push(version === 5 ? failure : LEGACY_FAILURE);
      refused(connection, request.filter, failure);
    }
  }
  const reasonString = reasonCodes.map((code) => FAILURES[code]).find((text) => text !== undefined);
  const answer = { type: "suback", packetId: packet.packetId, reasonCodes } as const;
  connection.answer(version === 5 && reasonString !== undefined ? { ...answer, reasonString } : answer);
  if (granted.length === 0) return;
  for (const grant of granted) sendRetained(connection, grant);
  core.hooks.subscribed(
    connection.clientId,
    granted.map(({ subscription }) => subscription.filter),
  );
}

function refused({ core, clientId }: Connection, filter: string, reasonCode: number): void {
  const atUs = core.clock.nowUs();
  const reason = reasonName(reasonCode);
  core.events.emit({ type: "broker.subscription-refused", atUs, clientId, filter, reason });
}

interface GrantedSubscription {
  readonly subscription: Subscription;
  readonly request: SubscriptionRequest;
  readonly isNew: boolean;
}

/** Faults of the whole packet, which end the connection. */
function subscribeFault(connection: Connection, packet: SubscribePacket): Ending | undefined {
  const { core, version } = connection;
  const { subscriptions, subscriptionId } = packet;
  // [MQTT-3.8.3-2] at least one filter.
  if (subscriptions.length === 0 || subscriptionId === 0) return clientError(REASON.protocolError);
  if (core.traits.qos2 === "ignored" && subscriptions.some(({ qos }) => qos === 2))
    return clientError(REASON.qosNotSupported);
  if (subscriptionId !== undefined && !core.traits.subscriptionIds)
    return clientError(REASON.subscriptionIdentifiersNotSupported);
  for (const request of subscriptions) {
    const fault = filterFault(request.filter, core.limits);
    // [MQTT-3.8.3-4] nobody of a group could be told apart from its publisher.
    if (request.noLocal === true && isSharedFilter(request.filter))
      return clientError(REASON.protocolError, { reasonString: "A shared subscription cannot be No Local." });
    if (fault === "too-long" || (fault === "malformed" && version === 4))
      return clientError(REASON.topicFilterInvalid, { reasonString: TOO_LARGE_FILTER });
  }
  return undefined;
}

/** Per filter, why it can never be granted; 0 when it can. Policies are asked once per filter. */
function requestFailures(connection: Connection, packet: SubscribePacket): number[] {
  const { core, clientId } = connection;
  const { subscriptions: requests, userProperties } = packet;
  if (requests.length > core.limits.filtersPerPacket) return requests.map(() => REASON.quotaExceeded);
  return requests.map((request) => {
    const { filter } = request;
    if (filterFault(filter, core.limits) !== undefined) return REASON.topicFilterInvalid;
    if (isUnavailableFilter(filter, core.traits)) return REASON.topicFilterInvalid;
    if (core.hooks.authorizeSubscribe(clientId, request, userProperties)) return 0;
    core.counters.subscriptionsDenied += 1;
    return REASON.notAuthorized;
  });
}

/** Why there is no room for one more filter now; 0 when there is. */
function quotaFailure(connection: Connection, request: SubscriptionRequest): number {
  const { core } = connection;
  const session = connection.session!;
  if (session.subscription(request.filter) === undefined) {
    const isFull =
      core.pressure.isCritical ||
      core.router.subscriptions >= core.limits.subscriptions ||
      session.subscriptionCount >= core.limits.subscriptionsPerConnection ||
      (isSharedFilter(request.filter) && !core.router.shares.hasRoomFor(request.filter));
    if (isFull) return REASON.quotaExceeded;
  }
  return core.rates.takeSubscription() ? 0 : REASON.quotaExceeded;
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
    qos: request.qos,
    noLocal: version === 5 && request.noLocal === true,
    retainAsPublished: version === 5 && request.retainAsPublished === true,
    subscriptionId: version === 5 ? subscriptionId : undefined,
  });
  session.subscribe(subscription);
  core.router.add(subscription);
  if (session.expiryS > 0) core.journal?.subscriptionChanged(session, request.filter);
  return { subscription, request, isNew: replaced === undefined };
}

/** Retain Handling (§3.8.3.1): 0 always, 1 only for a new subscription, 2 never. */
function sendRetained(connection: Connection, grant: GrantedSubscription): void {
  const { core, version } = connection;
  const { subscription } = grant;
  // Retained messages belong to whoever subscribes, not to a group (§4.8.2; REF §2.1).
  if (isSharedFilter(subscription.filter)) {
    core.router.shares.memberArrived(subscription);
    return;
  }
  const handling = version === 5 ? (grant.request.retainHandling ?? 0) : 0;
  if (handling === 2 || (handling === 1 && !grant.isNew)) return;
  const { filter } = subscription;
  const stored = filter.startsWith(STATUS_PREFIX) ? core.status : core.retained;
  connection.session!.replay(filter, stored.matching(filter));
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
    if (session.expiryS > 0) core.journal?.subscriptionChanged(session, filter);
    removed.push(filter);
    return REASON.success;
  });
  connection.answer({ type: "unsuback", packetId, reasonCodes: version === 5 ? reasonCodes : [] });
  if (removed.length > 0) core.hooks.unsubscribed(clientId, removed);
}
