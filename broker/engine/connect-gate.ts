import type { Clock, Timer } from "fleetrig/kernel";
import type { BrokerLimits } from "./limits.js";
import { TokenBucket } from "./token-bucket.js";

/** Somebody who waits for the gate. */
export interface Entrant {
  /** False once the link is gone: its turn goes to the next. */
  readonly isWaiting: boolean;
  /** Its turn has come. */
  enter(): void;
}

/** Bounds CONNECT packets per second; those above the rate are refused or wait their turn in order. */
export class ConnectGate {
  private readonly bucket: TokenBucket | undefined;
  private queue: Entrant[] = [];
  private head = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: BrokerLimits,
  ) {
    this.bucket = TokenBucket.for(clock, limits.connectRate);
  }

  /** CONNECT packets waiting. */
  get length(): number {
    return this.queue.length - this.head;
  }

  /** @returns `open`: go on now; `later`: enter() follows; `refused`: over the limit. */
  admit(entrant: Entrant): "open" | "later" | "refused" {
    if (this.bucket === undefined) return "open";
    if (this.length === 0 && this.bucket.take()) return "open";
    if (this.limits.connectOverload === "refuse" || this.length >= this.limits.connectQueue) return "refused";
    this.queue.push(entrant);
    this.arm();
    return "later";
  }

  stop(): void {
    this.timer?.cancel();
    this.queue = [];
    this.head = 0;
  }

  private arm(): void {
    this.timer ??= this.clock.after(this.bucket!.waitUs(), () => {
      this.timer = undefined;
      this.letIn();
    });
  }

  private letIn(): void {
    for (;;) {
      const entrant = this.queue[this.head];
      if (entrant === undefined) break;
      if (entrant.isWaiting && !this.bucket!.take()) break;
      this.head += 1;
      if (entrant.isWaiting) entrant.enter();
    }
    if (this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    if (this.length > 0) this.arm();
  }
}
