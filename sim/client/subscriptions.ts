import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import type { SubscribePacket, SubscriptionRequest, UnsubscribePacket } from "fleetrig/protocol";

/** AWS: at most 8 filters in one SUBSCRIBE or UNSUBSCRIBE (REF §2.7); others accept that too. */
const FILTERS_PER_PACKET = 8;
/** A server that has not answered for so long is asked again. */
const ANSWER_TIMEOUT_US = 10 * US_PER_S;

interface Subscription {
  request: SubscriptionRequest;
  /** Where it stands with the server: `granted` holds as long as the session does, the others as long as the connection. */
  state: "missing" | "asked" | "granted" | "refused";
}

/** A request that SUBACK or UNSUBACK answers. */
type Request = SubscribePacket | UnsubscribePacket;

/** Whose subscriptions they are. */
export interface SubscriptionsOwner {
  /** A packet identifier that is free. */
  allocate(): number;
  ask(request: Request): void;
}

const FAILURE = 0x80;

/** What the device wants to hear, and how much of it the server has confirmed. Requests that nobody answers go again. */
export class Subscriptions {
  private wanted: Subscription[] = [];
  private unanswered: Request[] = [];
  /** Exists while something is unanswered. */
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly owner: SubscriptionsOwner,
  ) {}

  /**
   * Adds requests; another one for a filter that is there replaces it [MQTT-3.8.4-3]. The same one once more changes nothing: what
   * the session holds is not asked for again.
   */
  add(requests: readonly SubscriptionRequest[]): void {
    for (const request of requests) {
      const known = this.wanted.find((subscription) => subscription.request.filter === request.filter);
      if (known === undefined) this.wanted.push({ request, state: "missing" });
      else if (!isSame(known.request, request)) {
        known.request = request;
        known.state = "missing";
      }
    }
  }

  remove(filters: readonly string[]): void {
    this.wanted = this.wanted.filter(({ request }) => !filters.includes(request.filter));
  }

  /** A new connection: answers to older requests will not come, and without a session nothing is granted. */
  rewind(sessionPresent: boolean): void {
    this.stop();
    for (const subscription of this.wanted) {
      if (!sessionPresent || subscription.state !== "granted") subscription.state = "missing";
    }
  }

  /** Sends SUBSCRIBE for what is wanted, and neither granted nor asked for. */
  subscribe(): void {
    const missing = this.wanted.filter(({ state }) => state === "missing");
    for (const portion of portions(missing)) {
      for (const subscription of portion) subscription.state = "asked";
      const subscriptions = portion.map(({ request }) => request);
      this.ask({ type: "subscribe", packetId: this.owner.allocate(), subscriptions });
    }
  }

  unsubscribe(filters: readonly string[]): void {
    for (const portion of portions(filters))
      this.ask({ type: "unsubscribe", packetId: this.owner.allocate(), filters: portion });
  }

  isTaken(packetId: number): boolean {
    return this.unanswered.some((request) => request.packetId === packetId);
  }

  /**
   * SUBACK or UNSUBACK. A refused filter is not asked for again on this connection.
   * @returns the requests answered, in order; none when nothing was asked under that identifier.
   */
  answered(packetId: number, reasonCodes: readonly number[]): readonly SubscriptionRequest[] {
    const index = this.unanswered.findIndex((request) => request.packetId === packetId);
    const [request] = index < 0 ? [] : this.unanswered.splice(index, 1);
    if (this.unanswered.length === 0) this.stop();
    if (request?.type !== "subscribe") return [];
    request.subscriptions.forEach((asked, place) => {
      // It may be wanted otherwise by now, or not at all.
      const known = this.wanted.find((subscription) => subscription.request === asked);
      if (known !== undefined)
        known.state = (reasonCodes[place] ?? FAILURE) < FAILURE ? "granted" : "refused";
    });
    return request.subscriptions;
  }

  /** The connection is over: nobody will answer. */
  stop(): void {
    this.unanswered = [];
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Called by the timer. What goes again keeps its packet identifier: it is no new request [MQTT-2.2.1-3]. */
  askAgain(): void {
    this.timer!.again(ANSWER_TIMEOUT_US);
    for (const request of this.unanswered) this.owner.ask(request);
  }

  private ask(request: Request): void {
    this.unanswered.push(request);
    if (this.timer === undefined) this.timer = this.clock.after(ANSWER_TIMEOUT_US, askAgain, this);
    else this.timer.again(ANSWER_TIMEOUT_US);
    this.owner.ask(request);
  }
}

const askAgain = (subscriptions: Subscriptions): void => subscriptions.askAgain();

const isSame = (a: SubscriptionRequest, b: SubscriptionRequest): boolean =>
  a.qos === b.qos &&
  a.noLocal === b.noLocal &&
  a.retainAsPublished === b.retainAsPublished &&
  a.retainHandling === b.retainHandling;

/** Splits a list into the portions that fit one packet each. */
function portions<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= FILTERS_PER_PACKET) return items.length === 0 ? [] : [items];
  const result: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += FILTERS_PER_PACKET) {
    result.push(items.slice(start, start + FILTERS_PER_PACKET));
  }
  return result;
}
