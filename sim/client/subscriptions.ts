import type { SubscriptionRequest } from "fleetrig/protocol";

/** AWS: at most 8 filters in one SUBSCRIBE or UNSUBSCRIBE (REF §2.7); others accept that too. */
const FILTERS_PER_PACKET = 8;

interface Subscription {
  request: SubscriptionRequest;
  /** SUBACK said so, in the session the server still has. */
  isGranted: boolean;
}

interface PendingRequest {
  readonly packetId: number;
  /** Undefined for UNSUBSCRIBE. */
  readonly requests: readonly SubscriptionRequest[] | undefined;
}

/** What the device wants to hear, and how much of it the server has confirmed. */
export class Subscriptions {
  private wanted: Subscription[] | undefined;
  private pending: PendingRequest[] | undefined;

  /** Adds requests; one for a filter that is there already replaces it [MQTT-3.8.4-3]. */
  add(requests: readonly SubscriptionRequest[]): void {
    this.wanted ??= [];
    for (const request of requests) {
      const known = this.wanted.find((subscription) => subscription.request.filter === request.filter);
      if (known === undefined) this.wanted.push({ request, isGranted: false });
      else {
        known.request = request;
        known.isGranted = false;
      }
    }
  }

  remove(filters: readonly string[]): void {
    this.wanted = this.wanted?.filter(({ request }) => !filters.includes(request.filter));
  }

  clear(): void {
    this.wanted = undefined;
    this.pending = undefined;
  }

  /** A new connection: answers to older requests will not come, and without a session nothing is granted. */
  rewind(sessionPresent: boolean): void {
    this.pending = undefined;
    if (sessionPresent || this.wanted === undefined) return;
    for (const subscription of this.wanted) subscription.isGranted = false;
  }

  ungranted(): readonly SubscriptionRequest[] {
    if (this.wanted === undefined) return [];
    return this.wanted.filter((subscription) => !subscription.isGranted).map(({ request }) => request);
  }

  isTaken(packetId: number): boolean {
    return this.pending?.some((request) => request.packetId === packetId) ?? false;
  }

  asked(packetId: number, requests: readonly SubscriptionRequest[] | undefined): void {
    this.pending ??= [];
    this.pending.push({ packetId, requests });
  }

  /**
   * SUBACK or UNSUBACK. A refused filter is not asked for again in this session.
   * @returns the requests answered, in order; undefined when nothing was pending under that identifier.
   */
  answered(packetId: number): readonly SubscriptionRequest[] | undefined {
    const index = this.pending?.findIndex((request) => request.packetId === packetId) ?? -1;
    if (index < 0) return undefined;
    const [answered] = this.pending!.splice(index, 1);
    if (this.pending!.length === 0) this.pending = undefined;
    const requests = answered!.requests;
    for (const { filter } of requests ?? []) {
      const known = this.wanted?.find(({ request }) => request.filter === filter);
      if (known !== undefined) known.isGranted = true;
    }
    return requests ?? [];
  }
}

/** Splits a list into the portions that fit one packet each. */
export function portions<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= FILTERS_PER_PACKET) return items.length === 0 ? [] : [items];
  const result: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += FILTERS_PER_PACKET) {
    result.push(items.slice(start, start + FILTERS_PER_PACKET));
  }
  return result;
}
