import type { Clock } from "fleetrig/kernel";
import type { ProvisioningOperation } from "fleetrig/protocol";
import { TokenBucket } from "../engine/token-bucket.js";
import type { ProvisioningSettings } from "./settings.js";

/** AWS's rates of the MQTT requests, each for the whole account; `Infinity` is no bound. */
export class RequestRates {
  private readonly buckets: ReadonlyMap<ProvisioningOperation, TokenBucket>;

  constructor(clock: Clock, settings: ProvisioningSettings) {
    const rates: readonly (readonly [ProvisioningOperation, number])[] = [
      ["create-keys", settings.createKeysPerS],
      ["create-from-csr", settings.createFromCsrPerS],
      ["register-thing", settings.registerThingPerS],
    ];
    const bounded = rates.filter(([, ratePerS]) => Number.isFinite(ratePerS));
    this.buckets = new Map(
      bounded.map(([operation, ratePerS]) => [operation, new TokenBucket(clock, ratePerS)]),
    );
  }

  /** May one more of these pass now? */
  take(operation: ProvisioningOperation): boolean {
    return this.buckets.get(operation)?.take() ?? true;
  }
}
