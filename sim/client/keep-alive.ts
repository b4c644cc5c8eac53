import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";

/** A client waits so long for PINGRESP at most; half the keep-alive where that is shorter. */
const PING_TIMEOUT_MAX_US = 10 * US_PER_S;

export interface KeepAliveOwner {
  /** When the last packet went out. */
  readonly lastSentUs: number;
  /** When the last packet came in. */
  readonly lastReceivedUs: number;
  ping(): void;
  /** No PINGRESP in time. */
  unanswered(): void;
}

/**
 * The client's half of keep-alive [MQTT-3.1.2-20]. It pings after an interval without sending, as the server
 * demands, and after one without receiving, since a device that only sends QoS 0 would never notice a dead
 * path. One timer, never moved by traffic: when it fires it looks how long ago the last packets were, and
 * sleeps on if that was recent. Traffic costs one number.
 */
export class KeepAlive {
  private timer: Timer | undefined;
  private pingSentUs = -1;
  private intervalUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly owner: KeepAliveOwner,
  ) {}

  /** @param keepAliveS 0 switches it off. */
  start(keepAliveS: number): void {
    this.stop();
    this.intervalUs = keepAliveS * US_PER_S;
    if (keepAliveS > 0) this.timer = this.clock.after(this.intervalUs, check, this);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.pingSentUs = -1;
  }

  answered(): void {
    this.pingSentUs = -1;
  }

  /** Called by the timer. */
  check(): void {
    if (this.pingSentUs >= 0) {
      this.stop();
      this.owner.unanswered();
      return;
    }
    const { lastSentUs, lastReceivedUs } = this.owner;
    const idleUs = this.clock.nowUs() - Math.min(lastSentUs, lastReceivedUs);
    if (idleUs < this.intervalUs) {
      this.timer!.again(this.intervalUs - idleUs);
      return;
    }
    this.pingSentUs = this.clock.nowUs();
    this.timer!.again(Math.min(this.intervalUs / 2, PING_TIMEOUT_MAX_US));
    this.owner.ping();
  }
}

const check = (keepAlive: KeepAlive): void => keepAlive.check();
