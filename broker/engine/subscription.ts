import type { QoS } from "fleetrig/protocol";
import type { Session } from "./session.js";

/** What the broker needs to know to deliver one message to one session. */
export interface Route {
  readonly session: Session;
  /** Granted QoS. */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  /** True when a message of this session's own client needs {@link Route.forOwn} instead. */
  readonly noLocal: boolean;
  /** The route for the client's own messages; undefined when it gets none [MQTT-3.8.3-3]. */
  readonly forOwn: Route | undefined;
}

export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly subscriptionId: number | undefined;
}

/** One session's interest in one filter. Immutable: a re-subscribe replaces it [MQTT-3.8.4-3]. */
export class Subscription implements Route {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  readonly forOwn = undefined;

  constructor(
    readonly session: Session,
    readonly filter: string,
    options: SubscriptionOptions,
  ) {
    this.qos = options.qos;
    this.noLocal = options.noLocal;
    this.retainAsPublished = options.retainAsPublished;
    this.subscriptionIds = options.subscriptionId === undefined ? undefined : [options.subscriptionId];
  }
}

/**
 * Overlapping subscriptions of one session as one route: it gets each message once, with the highest QoS granted
 * and every subscription identifier (the first of the two ways that MQTT 5 §3.3.4 allows).
 */
function mergeRoutes(overlapping: readonly Subscription[]): Route {
  const first = overlapping[0]!;
  if (overlapping.length === 1) return first;
  const subscriptionIds = overlapping.flatMap((subscription) => subscription.subscriptionIds ?? []);
  const foreignToo = overlapping.filter((subscription) => !subscription.noLocal);
  const noLocal = foreignToo.length < overlapping.length;
  return {
    session: first.session,
    qos: overlapping.reduce<QoS>((highest, { qos }) => (qos > highest ? qos : highest), 0),
    retainAsPublished: overlapping.some((subscription) => subscription.retainAsPublished),
    subscriptionIds: subscriptionIds.length > 0 ? subscriptionIds : undefined,
    noLocal,
    forOwn: noLocal && foreignToo.length > 0 ? mergeRoutes(foreignToo) : undefined,
  };
}

/** One route per session, in the order in which the sessions first appear. */
export function toRoutes(matched: readonly Subscription[]): readonly Route[] {
  if (matched.length < 2) return matched;
  const bySession = new Map<Session, Subscription | Subscription[]>();
  for (const subscription of matched) {
    const seen = bySession.get(subscription.session);
    if (seen === undefined) bySession.set(subscription.session, subscription);
    else if (seen instanceof Subscription) bySession.set(subscription.session, [seen, subscription]);
    else seen.push(subscription);
  }
  if (bySession.size === matched.length) return matched;
  return Array.from(bySession.values(), (one) => (one instanceof Subscription ? one : mergeRoutes(one)));
}
