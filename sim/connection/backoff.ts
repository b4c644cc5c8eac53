import type { Random } from "fleetrig/kernel";
import type { ReconnectPlan } from "../plan.js";
import { reconnectDelayUs } from "./reconnect-delay.js";

/** No policy retries sooner: a base of 0 must not stop virtual time. */
const RETRY_DELAY_MIN_US = 1_000;

/** Where one device stands in its reconnect policy. */
export class Backoff {
  /** Delays drawn since the counter started over. */
  attempt = 0;
  private previousUs: number;
  private random: Random | undefined;

  constructor(
    private readonly plan: ReconnectPlan,
    private readonly source: { stream(purpose: string): Random },
  ) {
    this.previousUs = plan.baseUs;
  }

  /** The next delay in µs; undefined when the policy never tries again. */
  nextUs(): number | undefined {
    this.random ??= this.source.stream("backoff");
    const { attempt, previousUs } = this;
    const delayUs = reconnectDelayUs(this.plan, { attempt, previousUs }, this.random);
    if (delayUs === undefined) return undefined;
    this.attempt += 1;
    this.previousUs = delayUs;
    return Math.max(RETRY_DELAY_MIN_US, delayUs);
  }

  /** A connection ended that lasted so long: a stable one starts the counter over. */
  connectionLasted(us: number): void {
    if (us < this.plan.resetAfterUs) return;
    this.attempt = 0;
    this.previousUs = this.plan.baseUs;
  }
}
