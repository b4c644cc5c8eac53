import type { Clock } from "fleetrig/kernel";
import type { BrokerLimits } from "./limits.js";
import { TokenBucket } from "./token-bucket.js";

/** Rates that all clients of an account share (REF §2.7); those that are not limited let everything pass. */
export class AccountRates {
  private readonly publishes: TokenBucket | undefined;
  private readonly stores: TokenBucket | undefined;
  private readonly subscriptions: TokenBucket | undefined;

  constructor(clock: Clock, limits: BrokerLimits) {
    const bucket = (ratePerS: number): TokenBucket | undefined =>
      ratePerS > 0 ? new TokenBucket(clock, ratePerS) : undefined;
    this.publishes = bucket(limits.publishRate);
    this.stores = bucket(limits.storeRate);
    this.subscriptions = bucket(limits.subscribeRate);
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
