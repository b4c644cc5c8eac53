import { type Timer, US_PER_S } from "fleetrig/kernel";
import type { BrokerCore } from "./core.js";
import type { Delivery } from "./delivery.js";
import { InflightWindow } from "./inflight.js";
import { MessageQueue } from "./message-queue.js";
import type { Session } from "./session.js";

/** What an observer may know of an outbox. */
export interface Backlog {
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Sent on this connection and not acknowledged. */
  readonly inflightMessages: number;
  /** When the message that waits longest came in, in µs of the broker's clock; -1 when none waits. */
  readonly oldestAtUs: number;
}

/**
 * Everything on its way to one client, in strict order: first what is in flight, then the backlog, then live
 * messages. A live message is sent at once only when nothing waits before it.
 */
export class Outbox implements Backlog {
  private readonly inflight = new InflightWindow();
  private readonly queue = new MessageQueue();
  /** Stored messages of a resumed session that still have to go out at `resumeRate`. */
  private pacedLeft = 0;
  private paceTimer: Timer | undefined;

  constructor(
    private readonly core: BrokerCore,
    private readonly session: Session,
  ) {}

  get queuedMessages(): number {
    return this.queue.length;
  }

  get queuedBytes(): number {
    return this.queue.bytes;
  }

  get inflightMessages(): number {
    return this.inflight.outstanding;
  }

  get oldestAtUs(): number {
    return (this.inflight.oldest ?? this.queue.peek())?.message.receivedAtUs ?? -1;
  }

  get hasBacklog(): boolean {
    return this.queue.length > 0 || this.inflight.hasUnsent;
  }

  offer(delivery: Delivery): void {
    const { connection } = this.session;
    const isSendable =
      connection !== undefined &&
      !this.hasBacklog &&
      (delivery.qos === 0 || (this.inflight.outstanding < connection.sendWindow && connection.hasRoom()));
    if (isSendable) this.transmit(delivery);
    else this.enqueue(delivery);
  }

  acknowledge(packetId: number): void {
    if (this.inflight.acknowledge(packetId) && this.hasBacklog) this.pump();
  }

  /** A new connection took over this session. */
  resume(): void {
    if (!this.hasBacklog) return;
    if (this.core.limits.resumeRate > 0) {
      this.pacedLeft = this.inflight.size + this.queue.length;
      this.pace();
    } else {
      this.pump();
    }
  }

  /** The connection is gone; QoS 0 does not wait for the next one. */
  suspend(): void {
    this.stopPacing();
    this.inflight.rewind();
    if (this.queue.length === 0) return;
    const bytesBefore = this.queue.bytes;
    const removed = this.queue.filter((delivery) => delivery.qos > 0);
    this.core.counters.queuedMessages -= removed;
    this.core.counters.queuedBytes -= bytesBefore - this.queue.bytes;
  }

  /** The session has ended. */
  discard(): void {
    this.stopPacing();
    this.core.counters.queuedMessages -= this.queue.length;
    this.core.counters.queuedBytes -= this.queue.bytes;
    this.queue.filter(() => false);
  }

  /** Sends as much of the backlog as the window and the link take. */
  pump(): void {
    if (this.pacedLeft > 0) return;
    while (this.sendNext());
  }

  /** @returns false when nothing waits or nothing may be sent now. */
  private sendNext(): boolean {
    const { connection } = this.session;
    if (connection === undefined || !connection.hasRoom()) return false;
    const isWindowOpen = this.inflight.outstanding < connection.sendWindow;
    if (this.inflight.hasUnsent) {
      if (!isWindowOpen) return false;
      connection.sendInflight(this.inflight.takeUnsent()!);
      return true;
    }
    const next = this.queue.peek();
    if (next === undefined || (next.qos > 0 && !isWindowOpen)) return false;
    this.dequeue();
    if (next.expiresAtUs <= this.core.clock.nowUs())
      this.core.dropped(this.session.clientId, "expired", next.topic);
    else this.transmit(next);
    return true;
  }

  private transmit(delivery: Delivery): void {
    const connection = this.session.connection!;
    if (!connection.accepts(delivery)) return;
    if (delivery.qos === 0) connection.sendUnacknowledged(delivery);
    else connection.sendInflight(this.inflight.add(delivery));
  }

  private enqueue(delivery: Delivery): void {
    const { limits, counters, clock, rates } = this.core;
    if (this.session.connection === undefined && !rates.takeStore()) {
      this.core.dropped(this.session.clientId, "store-rate", delivery.topic);
      return;
    }
    const bytes = delivery.footprintBytes;
    while (!this.hasSpaceFor(bytes)) {
      const isOldestDropped = limits.queueOverflow === "drop-oldest" && this.queue.length > 0;
      const victim = isOldestDropped ? this.dequeue() : delivery;
      if (isOldestDropped && this.pacedLeft > 1) this.pacedLeft -= 1;
      const reason = victim.expiresAtUs <= clock.nowUs() ? "expired" : "queue-full";
      this.core.dropped(this.session.clientId, reason, victim.topic);
      if (!isOldestDropped) return;
    }
    this.queue.push(delivery);
    counters.queuedMessages += 1;
    counters.queuedBytes += bytes;
  }

  private hasSpaceFor(bytes: number): boolean {
    const { limits, counters } = this.core;
    return (
      this.queue.length < limits.queuedMessagesPerSession &&
      this.queue.bytes + bytes <= limits.queuedBytesPerSession &&
      counters.queuedBytes + bytes <= limits.queuedBytes
    );
  }

  private dequeue(): Delivery {
    const delivery = this.queue.shift()!;
    this.core.counters.queuedMessages -= 1;
    this.core.counters.queuedBytes -= delivery.footprintBytes;
    return delivery;
  }

  /**
   * AWS: stored messages are replayed at a bounded rate; one timer per session, not per message. What came since
   * the resume waits behind them and then goes out at full speed: a busy session would never catch up otherwise.
   */
  private pace(): void {
    this.paceTimer = undefined;
    if (this.sendNext()) this.pacedLeft -= 1;
    if (this.session.connection === undefined) return;
    if (this.pacedLeft === 0 || !this.hasBacklog) {
      this.pacedLeft = 0;
      this.pump();
      return;
    }
    const intervalUs = US_PER_S / this.core.limits.resumeRate;
    this.paceTimer = this.core.clock.after(intervalUs, Outbox.paceNext, this);
  }

  private stopPacing(): void {
    this.pacedLeft = 0;
    this.paceTimer?.cancel();
    this.paceTimer = undefined;
  }

  /** @internal Timer callback. */
  static paceNext(outbox: Outbox): void {
    outbox.pace();
  }
}
