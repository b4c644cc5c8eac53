import type { Timer } from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import type { BrokerCore } from "./core.js";
import { Delivery } from "./delivery.js";
import type { Session } from "./session.js";
import type { Subscription } from "./subscription.js";

/** Messages that go out, or wait for the client, at a time. */
const PAGE = 500;
/** Messages looked at in one turn, stretches of the store without one included. */
const LOOKS_PER_TURN = 500;
/** So many are not worth remembering: they may be had for each subscription of the turn. */
const FREE_LOOKS = 8;
/** Between two pages for a client that keeps up: others get their turn. */
const NEXT_PAGE_US = 1_000;
/** For a client that does not, until it does: the pause doubles. */
const FIRST_PAUSE_US = 10_000;
const LONGEST_PAUSE_US = 1_000_000;
/** How much of its output a replay may fill: the rest is for live messages. */
const OUTPUT_SHARE = 0.25;

/** What one subscription is still to get. */
interface Replay {
  readonly filter: string;
  readonly messages: Iterator<ApplicationMessage | undefined>;
  /** What was published later came live. */
  readonly subscribedAtUs: number;
}

/**
 * The retained messages of a session's new subscriptions (§3.3.1.3), read page by page as the client takes them: what
 * waits does so in the store, not once more for each subscriber. Messages replaced meanwhile were delivered live.
 */
export class RetainedReplay {
  /** By filter, in the order of the subscriptions. */
  private readonly replays = new Map<string, Replay>();
  private timer: Timer | undefined;
  private pauseUs = FIRST_PAUSE_US;
  private isRunning = false;
  private looksLeft = LOOKS_PER_TURN;

  constructor(
    private readonly core: BrokerCore,
    private readonly session: Session,
  ) {}

  /** Nothing is left to send, and nothing to remember. */
  get isDone(): boolean {
    return this.replays.size === 0 && this.looksLeft >= LOOKS_PER_TURN - FREE_LOOKS;
  }

  /** The first page goes out at once, unless others are waiting. */
  add(filter: string, messages: Iterator<ApplicationMessage | undefined>): void {
    const isFirst = this.replays.size === 0;
    this.replays.delete(filter);
    this.replays.set(filter, { filter, messages, subscribedAtUs: this.core.clock.nowUs() });
    if (isFirst) this.run();
  }

  /** The connection is gone; subscriptions of QoS 0 do not wait for the next one. */
  suspend(): void {
    this.timer?.cancel();
    this.looksLeft = LOOKS_PER_TURN;
    for (const filter of this.replays.keys())
      if (this.session.subscription(filter)?.qos === 0) this.replays.delete(filter);
  }

  resume(): void {
    this.run();
  }

  /** The session has ended. */
  stop(): void {
    this.timer?.cancel();
    this.replays.clear();
  }

  private run(): void {
    // A client in the same process may answer from inside a delivery.
    if (this.isRunning) return;
    this.isRunning = true;
    this.timer?.cancel();
    let sent = 0;
    while (sent < PAGE && this.looksLeft > 0 && this.replays.size > 0 && this.hasRoom()) {
      this.looksLeft -= 1;
      if (this.sendNext()) sent += 1;
    }
    this.isRunning = false;
    if (this.isDone || this.session.connection === undefined) return;
    const isInterrupted = sent === PAGE || this.looksLeft === 0 || this.replays.size === 0;
    this.pauseUs = sent > 0 || isInterrupted ? FIRST_PAUSE_US : Math.min(this.pauseUs * 2, LONGEST_PAUSE_US);
    const waitUs = isInterrupted ? NEXT_PAGE_US : this.pauseUs;
    this.timer = this.core.clock.after(waitUs, RetainedReplay.runNext, this);
  }

  private hasRoom(): boolean {
    const { connection, pending } = this.session;
    if (connection === undefined) return false;
    const { bufferedBytesPerConnection, queuedMessagesPerSession } = this.core.limits;
    const page = Math.min(PAGE, Math.max(1, queuedMessagesPerSession / 2));
    return pending < page && connection.link.bufferedBytes <= bufferedBytesPerConnection * OUTPUT_SHARE;
  }

  /** @returns whether a message went out. */
  private sendNext(): boolean {
    const [first] = this.replays.values();
    const { filter, messages, subscribedAtUs } = first!;
    const subscription = this.session.subscription(filter);
    const next = subscription === undefined ? undefined : messages.next();
    if (subscription === undefined || next === undefined || next.done === true) {
      this.replays.delete(filter);
      return false;
    }
    if (next.value === undefined || next.value.receivedAtUs > subscribedAtUs) return false;
    this.deliver(next.value, subscription);
    return true;
  }

  private deliver(message: ApplicationMessage, subscription: Subscription): void {
    const { core, session } = this;
    const qos = message.qos < subscription.qos ? message.qos : subscription.qos;
    if (core.hooks.checksReceivers && !core.hooks.authorizeReceive(session.clientId, message))
      core.dropped(session.clientId, "receive-denied", message.topic);
    else session.deliver(new Delivery(message, { qos, retain: true }, subscription.subscriptionIds));
  }

  /** @internal Timer callback. */
  static runNext(replay: RetainedReplay): void {
    replay.looksLeft = LOOKS_PER_TURN;
    replay.run();
  }
}
