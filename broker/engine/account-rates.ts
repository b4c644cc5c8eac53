import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { BrokerLimits } from "./limits.js";
import { TokenBucket } from "./token-bucket.js";

/** The time between two connections of the same client id. Remembers whoever came within two such times. */
class ConnectSpacing {
  private readonly gapUs: number;
  private recent = new Map<string, number>();
  private older = new Map<string, number>();
  private turnedAtUs = 0;

  constructor(
    private readonly clock: Clock,
    ratePerS: number,
  ) {
    this.gapUs = US_PER_S / ratePerS;
  }

  take(clientId: string): boolean {
    const nowUs = this.clock.nowUs();
    if (nowUs - this.turnedAtUs >= this.gapUs) {
      this.older = this.recent;
      this.recent = new Map();
      this.turnedAtUs = nowUs;
    }
    const lastUs = this.recent.get(clientId) ?? this.older.get(clientId);
    if (lastUs !== undefined && nowUs - lastUs < this.gapUs) return false;
    this.recent.set(clientId, nowUs);
    return true;
  }
}

/** Rates that all clients of an account share (REF §2.7); those that are not limited let everything pass. */
export class AccountRates {
  private readonly connects: ConnectSpacing | undefined;
  private readonly publishes: TokenBucket | undefined;
  private readonly stores: TokenBucket | undefined;
  private readonly subscriptions: TokenBucket | undefined;

  constructor(clock: Clock, limits: BrokerLimits) {
    const { connectRatePerClient } = limits;
    if (connectRatePerClient > 0) this.connects = new ConnectSpacing(clock, connectRatePerClient);
    this.publishes = TokenBucket.for(clock, limits.publishRate);
    this.stores = TokenBucket.for(clock, limits.storeRate);
    this.subscriptions = TokenBucket.for(clock, limits.subscribeRate);
  }

  /** May this client id connect again? */
  takeConnect(clientId: string): boolean {
    return this.connects === undefined || this.connects.take(clientId);
  }

  /** May one more publish come in now? */
  takePublish(): boolean {
    return this.publishes === undefined || this.publishes.take();
  }

  /** May one more message be stored for a client that is away? */
  takeStore(): boolean {
    return this.stores === undefined || this.stores.take();
  }

  /** May one more filter be subscribed to? */
  takeSubscription(): boolean {
    return this.subscriptions === undefined || this.subscriptions.take();
  }
}
