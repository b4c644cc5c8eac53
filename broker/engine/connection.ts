import { type Timer, US_PER_S } from "fleetrig/kernel";
import {
  type ConnectPacket,
  type LinkCloseReason,
  type Packet,
  type PacketLink,
  type PacketReceiver,
  PINGRESP,
  type ProtocolVersion,
  REASON,
  type Will,
} from "fleetrig/protocol";
import { takeAcknowledge } from "./acknowledge-intake.js";
import type { Entrant } from "./connect-gate.js";
import { acceptConnect, admitConnect, refuseConnect } from "./connect-handshake.js";
import type { BrokerCore } from "./core.js";
import type { Delivery } from "./delivery.js";
import { takeDisconnect } from "./disconnect-notice.js";
import { clientError, ENDING, type Ending } from "./ending.js";
import type { InflightEntry } from "./inflight.js";
import { PendingAnswer } from "./pending-answer.js";
import { takePublish } from "./publish-intake.js";
import type { Session } from "./session.js";
import { takeSubscribe, takeUnsubscribe } from "./subscribe-intake.js";
import type { TokenBucket } from "./token-bucket.js";

/** Packets a client may send ahead while its CONNECT waits for its turn. */
const MAX_EARLY_PACKETS = 32;
/** How often a slow client's output is looked at. */
const SLOW_CHECK_US = US_PER_S;

/** Ways for a link to close that are the client's fault. */
const CLOSE_REASON_CODES: Readonly<Partial<Record<LinkCloseReason, number>>> = {
  malformed: REASON.malformedPacket,
  "too-large": REASON.packetTooLarge,
};

/** The CONNECT that waits at the gate, and what came after it. */
interface WaitingConnect {
  readonly packet: ConnectPacket;
  readonly early: Packet[];
}

/**
 * One link from its first packet to its end: which packet is allowed when, keep-alive, and how much output may
 * pile up. What the packets mean is in the `*-intake`, `connect-handshake` and `disconnect-notice` files.
 */
export class Connection implements PacketReceiver, Entrant {
  version: ProtocolVersion = 4;
  session: Session | undefined;
  /** Published when this connection ends without the client's DISCONNECT. */
  will: Will | undefined;
  /** Session Expiry Interval of the CONNECT, in seconds: a DISCONNECT may not raise it from 0. */
  requestedExpiryS = 0;
  /** Unacknowledged QoS 1 messages this client takes. */
  sendWindow = 0;
  /** Largest packet this client takes. */
  packetBytesMax = Number.POSITIVE_INFINITY;
  topicAliases: Map<number, string> | undefined;
  publishBucket: TokenBucket | undefined;
  /**
   * QoS 1 and 2 publishes of the client that lack their PUBACK, PUBCOMP or failed PUBREC: what the broker's Receive
   * Maximum counts. Below zero after PUBRELs for what an earlier connection brought: some clients count those too.
   */
  unanswered = 0;
  /** When CONNECT was accepted; -1 before that. */
  connectedAtUs = -1;
  /** The keep-alive in force; 0 for none. */
  keepAliveS = 0;
  receivedMessages = 0;
  receivedBytes = 0;
  sentMessages = 0;
  private state: "opening" | "waiting" | "connected" | "ended" = "opening";
  private waiting: WaitingConnect | undefined;
  private lastReceivedAtUs: number;
  private silenceLimitUs = Number.POSITIVE_INFINITY;
  /** Before CONNECT its deadline, afterwards the keep-alive: one timer that looks at the last activity. */
  private timer: Timer | undefined;
  private slowSinceUs = -1;
  private slowTimer: Timer | undefined;

  constructor(
    readonly core: BrokerCore,
    readonly link: PacketLink,
  ) {
    this.lastReceivedAtUs = core.clock.nowUs();
    const { connectDeadlineS } = core.limits;
    if (Number.isFinite(connectDeadlineS))
      this.timer = core.clock.after(connectDeadlineS * US_PER_S, Connection.deadlinePassed, this);
  }

  get isConnected(): boolean {
    return this.state === "connected";
  }

  get isWaiting(): boolean {
    return this.state === "waiting";
  }

  /** When its last packet came. */
  get lastReceivedAt(): number {
    return this.lastReceivedAtUs;
  }

  /** Bytes handed to the link; 0 for links that do not count. */
  get sentBytes(): number {
    return this.link.sentBytes ?? 0;
  }

  /** Since when its output does not drain, in µs of the broker's clock; -1 when it does. */
  get slowSince(): number {
    return this.slowSinceUs;
  }

  get clientId(): string {
    return this.session?.clientId ?? this.waiting?.packet.clientId ?? "";
  }

  received(packet: Packet, wireBytes: number): void {
    if (this.state === "ended") return;
    this.lastReceivedAtUs = this.core.clock.nowUs();
    this.receivedBytes += wireBytes;
    if (packet.type === "publish") this.receivedMessages += 1;
    else this.core.counters.packetsReceived[packet.type] += 1;
    if (wireBytes > this.core.limits.packetBytes) this.fail(REASON.packetTooLarge);
    else if (this.state === "connected") this.dispatch(packet);
    else if (this.state === "waiting") this.keepEarly(packet);
    else if (packet.type === "connect") this.begin(packet);
    // [MQTT-3.1.0-1] the first packet must be CONNECT; anybody else gets no answer.
    else refuseConnect(this, { clientId: "", reasonCode: REASON.protocolError, isAnswered: false });
  }

  closed(reason: LinkCloseReason): void {
    if (this.state === "ended") return;
    // A link that refused bytes has told the client why before it closed.
    const reasonCode = CLOSE_REASON_CODES[reason];
    if (reasonCode === undefined) this.end(ENDING.connectionLost);
    else if (this.state === "connected") this.end({ ...clientError(reasonCode), reasonCode: undefined });
    else this.fail(reasonCode);
  }

  /** The gate lets this client in. */
  enter(): void {
    const { packet, early } = this.waiting!;
    this.waiting = undefined;
    this.state = "opening";
    acceptConnect(this, packet);
    for (const next of early) this.received(next, 0);
  }

  /** CONNECT was accepted: from here on the session speaks through this connection. */
  establish(session: Session, keepAliveS: number): void {
    this.session = session;
    this.state = "connected";
    this.connectedAtUs = this.core.clock.nowUs();
    this.keepAliveS = keepAliveS;
    this.timer?.cancel();
    this.timer = undefined;
    if (keepAliveS === 0) return;
    // [MQTT-3.1.2-22] one and a half times the keep-alive.
    this.silenceLimitUs = keepAliveS * 1.5 * US_PER_S;
    this.timer = this.core.clock.after(this.silenceLimitUs, Connection.silenceChecked, this);
  }

  /** The client broke a rule. */
  fail(reasonCode: number): void {
    if (this.state === "connected") this.end(clientError(reasonCode));
    else refuseConnect(this, { clientId: this.clientId, reasonCode, isAnswered: false });
  }

  /** Ends the connection from this side, or notes that it ended. Later calls do nothing. */
  end(ending: Ending): void {
    if (this.state === "ended") return;
    const wasConnected = this.state === "connected";
    this.release();
    if (wasConnected && this.version === 5 && ending.reasonCode !== undefined) {
      this.core.counters.packetsSent.disconnect += 1;
      this.link.send({ type: "disconnect", reasonCode: ending.reasonCode });
    }
    if (ending.abrupt) this.link.destroy();
    else this.link.close();
    if (wasConnected) this.reportEnd(ending);
    this.core.closed(this);
  }

  send(packet: Packet): void {
    this.core.counters.packetsSent[packet.type] += 1;
    this.link.send(packet);
    if (this.link.bufferedBytes >= this.core.limits.bufferedBytesPerConnection) this.noteSlow();
  }

  /**
   * Sends an acknowledgement once everything it promises is durable; acknowledgements keep their order.
   * @param completed How many publishes of the client this ends, 0 or 1: see {@link unanswered}.
   */
  answer(packet: Packet, completed: number = 0): void {
    const { journal } = this.core;
    if (journal === undefined || journal.isSettled) {
      this.unanswered -= completed;
      this.send(packet);
    } else {
      journal.afterCommit(new PendingAnswer(this, packet, completed));
    }
  }

  /** May this message go to this client at all? Counts it as dropped when not. */
  accepts(delivery: Delivery): boolean {
    let reason: "slow-client" | "packet-too-large" | "publish-rate" | undefined;
    if (!this.takesSizeOf(delivery)) reason = "packet-too-large";
    else if (delivery.qos === 0 && !this.hasRoom()) reason = "slow-client";
    else if (this.publishBucket !== undefined && !this.publishBucket.take()) reason = "publish-rate";
    if (reason === undefined) return true;
    this.core.dropped(this.clientId, reason, delivery.topic);
    return false;
  }

  /** Is it within the client's Maximum Packet Size? */
  takesSizeOf(delivery: Delivery): boolean {
    return (
      this.packetBytesMax === Number.POSITIVE_INFINITY ||
      delivery.wireBytes(this.version, this.core.clock) <= this.packetBytesMax
    );
  }

  /** Does the link take more output without piling it up? */
  hasRoom(): boolean {
    if (this.link.bufferedBytes < this.core.limits.bufferedBytesPerConnection) {
      this.slowSinceUs = -1;
      return true;
    }
    this.noteSlow();
    return false;
  }

  /** QoS 0. */
  sendUnacknowledged(delivery: Delivery): void {
    this.core.counters.delivered += 1;
    this.sentMessages += 1;
    this.link.send(delivery.sharedPacket(this.version, this.core.clock));
  }

  /** QoS 1 or 2, for the first time or again. */
  sendInflight(entry: InflightEntry, delivery: Delivery): void {
    const { counters, clock } = this.core;
    if (entry.dup) counters.redelivered += 1;
    else counters.delivered += 1;
    this.sentMessages += 1;
    const packet = delivery.packet(entry, this.version, clock);
    entry.dup = true;
    this.link.send(packet);
  }

  /** Frees timers and the state that only a live link needs. */
  release(): void {
    this.state = "ended";
    this.timer?.cancel();
    this.slowTimer?.cancel();
    this.timer = undefined;
    this.slowTimer = undefined;
    this.waiting = undefined;
  }

  private begin(packet: ConnectPacket): void {
    const admission = admitConnect(this, packet);
    if (admission === "later") {
      this.state = "waiting";
      this.waiting = { packet, early: [] };
    } else if (admission === "open") {
      acceptConnect(this, packet);
    }
  }

  private keepEarly(packet: Packet): void {
    const { early } = this.waiting!;
    if (packet.type === "connect" || early.length >= MAX_EARLY_PACKETS) this.fail(REASON.protocolError);
    else early.push(packet);
  }

  private dispatch(packet: Packet): void {
    switch (packet.type) {
      case "publish":
        takePublish(this, packet);
        break;
      case "puback":
      case "pubrec":
      case "pubrel":
      case "pubcomp":
        takeAcknowledge(this, packet);
        break;
      case "pingreq":
        this.send(PINGRESP);
        break;
      case "subscribe":
        takeSubscribe(this, packet);
        break;
      case "unsubscribe":
        takeUnsubscribe(this, packet);
        break;
      case "disconnect":
        takeDisconnect(this, packet);
        break;
      default:
        // A second CONNECT [MQTT-3.1.0-2], what only servers send, and AUTH: none was agreed on.
        this.fail(REASON.protocolError);
    }
  }

  private reportEnd(ending: Ending): void {
    const { core } = this;
    const session = this.session!;
    const info = { clientId: session.clientId, atUs: core.clock.nowUs(), reason: ending.awsReason };
    core.counters.connections -= 1;
    core.counters.countEnding(ending.awsReason);
    core.events.emit({ type: "broker.disconnected", ...info, clientInitiated: ending.clientInitiated });
    core.sessions.connectionEnded(session, this, ending);
    core.hooks.disconnected({ ...info, clientInitiated: ending.clientInitiated });
  }

  private checkSilence(): void {
    const silentUs = this.core.clock.nowUs() - this.lastReceivedAtUs;
    if (silentUs >= this.silenceLimitUs) this.end(ENDING.keepAliveTimeout);
    else this.timer!.again(this.silenceLimitUs - silentUs);
  }

  private noteSlow(): void {
    if (this.slowSinceUs < 0) this.slowSinceUs = this.core.clock.nowUs();
    if (this.slowTimer === undefined && this.state === "connected")
      this.slowTimer = this.core.clock.after(SLOW_CHECK_US, Connection.slownessChecked, this);
  }

  private checkSlowness(): void {
    this.slowTimer = undefined;
    const slowUs = this.slowSinceUs < 0 ? 0 : this.core.clock.nowUs() - this.slowSinceUs;
    if (this.hasRoom()) this.session!.pump();
    else if (slowUs >= this.core.limits.writeDeadlineS * US_PER_S) this.end(ENDING.slowClient);
  }

  private static deadlinePassed(this: void, connection: Connection): void {
    connection.fail(REASON.maximumConnectTime);
  }

  private static silenceChecked(this: void, connection: Connection): void {
    connection.checkSilence();
  }

  private static slownessChecked(this: void, connection: Connection): void {
    connection.checkSlowness();
  }
}
