import { type Timer, US_PER_S } from "fleetrig/kernel";
import {
  type ConnectPacket,
  type LinkCloseReason,
  type Packet,
  type PacketLink,
  type PacketReceiver,
  type ProtocolVersion,
  REASON,
  type Will,
} from "fleetrig/protocol";
import type { Entrant } from "./connect-gate.js";
import { ConnectAttempt } from "./connect-attempt.js";
import { admitConnect, pursueConnect, refuseConnect } from "./connect-handshake.js";
import type { BrokerCore } from "./core.js";
import type { Delivery } from "./delivery.js";
import { dispatch } from "./dispatch.js";
import { clientError, detailsOf, ENDING, type Ending } from "./ending.js";
import type { Authentication } from "./enhanced-auth.js";
import type { Refused } from "./hooks.js";
import { HeldLink } from "./held-link.js";
import type { InflightEntry } from "./inflight.js";
import { type BrakeCause, IntakeBrake } from "./intake-brake.js";
import type { IntakePace } from "./intake-pace.js";
import type { OutboundAliases } from "./outbound-aliases.js";
import { fittingPacket } from "./packet-fit.js";
import { PendingAnswer } from "./pending-answer.js";
import type { Session } from "./session.js";
import { countPacket } from "./statistics.js";
import type { TokenBucket } from "./token-bucket.js";

/** How often a slow client's output is looked at. */
const SLOW_CHECK_US = US_PER_S;

/**
 * A client brings no more exchanges from earlier connections than it has identifiers. One Receive Maximum would not do: where it takes
 * each late PUBCOMP for permission, every reconnect can leave it with one more.
 */
const CARRIED_OVER_MAX = 65_535;

/** Ways for a link to close that are the client's fault. */
const CLOSE_REASON_CODES: Readonly<Partial<Record<LinkCloseReason, number>>> = {
  malformed: REASON.malformedPacket,
  "too-large": REASON.packetTooLarge,
};

/** What CONNACK cannot say in the words of DISCONNECT. */
const CONNACK_REASON_CODES: Readonly<Record<number, number>> = {
  [REASON.serverShuttingDown]: REASON.serverUnavailable,
  [REASON.maximumConnectTime]: REASON.serverUnavailable,
};

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
  /** Request Problem Information [MQTT-3.1.2-29]. */
  wantsProblemInformation = true;
  topicAliases: Map<number, string> | undefined;
  /** Aliases of our own; undefined for a client that takes none. */
  outboundAliases: OutboundAliases | undefined;
  /** Enhanced authentication; undefined for a client that connected without it. */
  authentication: Authentication | undefined;
  publishBucket: TokenBucket | undefined;
  /** Undefined for a client whose rates are not limited. */
  pace: IntakePace | undefined;
  /**
   * QoS 1 and 2 publishes of the client that lack their PUBACK, PUBCOMP or failed PUBREC: what the broker's Receive
   * Maximum counts. Negative after PUBCOMPs for what an earlier connection brought, because clients take those for
   * permission to send more, too (§4.9).
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
  private attempt: ConnectAttempt | undefined;
  private lastReceivedAtUs: number;
  /** When bytes came last, where the link tells; then not every packet has to ask for the time. */
  private arrivedAtUs = -1;
  private silenceLimitUs = Number.POSITIVE_INFINITY;
  /** Before CONNECT its deadline, afterwards the keep-alive: one timer that looks at the last activity. */
  private timer: Timer | undefined;
  /** Ends a WebSocket connection that is too old. */
  private lifetime: Timer | undefined;
  private brake: IntakeBrake | undefined;
  private slowSinceUs = -1;
  private slowTimer: Timer | undefined;

  constructor(
    readonly core: BrokerCore,
    /** A stand-in while CONNACK waits for the journal. */
    public link: PacketLink,
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
    return this.session?.clientId ?? this.attempt?.clientId ?? "";
  }

  arriving(): void {
    this.arrivedAtUs = this.core.clock.nowUs();
  }

  received(packet: Packet, wireBytes: number): void {
    if (this.state === "ended") return;
    this.lastReceivedAtUs = this.arrivedAtUs < 0 ? this.core.clock.nowUs() : this.arrivedAtUs;
    this.receivedBytes += wireBytes;
    if (this.pace !== undefined && !this.pace.take(packet.type === "publish", wireBytes)) return;
    if (packet.type === "publish") this.receivedMessages += 1;
    else countPacket(this.core.counters.packetsReceived, packet.type);
    if (wireBytes > this.core.limits.packetBytes) this.fail(REASON.packetTooLarge);
    else if (this.state === "connected") dispatch(this, packet);
    else if (this.state === "waiting") this.keepEarly(packet, wireBytes);
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
    pursueConnect(this, this.attempt!);
  }

  /** CONNECT was accepted: from here on the session speaks through this connection. */
  establish(session: Session, keepAliveS: number): void {
    this.session = session;
    this.state = "connected";
    this.attempt = undefined;
    this.connectedAtUs = this.core.clock.nowUs();
    this.keepAliveS = keepAliveS;
    this.timer?.cancel();
    this.timer = undefined;
    this.limitLifetime();
    if (keepAliveS === 0) return;
    // [MQTT-3.1.2-22] one and a half times the keep-alive.
    this.silenceLimitUs = keepAliveS * 1.5 * US_PER_S;
    this.timer = this.core.clock.after(this.silenceLimitUs, Connection.silenceChecked, this);
  }

  /** What the client sent before it was connected. */
  catchUp(packets: readonly Packet[]): void {
    for (const packet of packets) if (this.state === "connected") dispatch(this, packet);
  }

  /** The client broke a rule. */
  fail(reasonCode: number): void {
    if (this.state === "connected") {
      this.end(clientError(reasonCode));
      return;
    }
    const isAnswered = this.attempt !== undefined;
    const answered = isAnswered ? (CONNACK_REASON_CODES[reasonCode] ?? reasonCode) : reasonCode;
    refuseConnect(this, { clientId: this.clientId, reasonCode: answered, isAnswered });
  }

  /** A hook does not let the client go on. */
  deny(refused: Refused): void {
    const { refuse: reasonCode } = refused;
    if (this.state === "connected")
      this.end({ ...ENDING.notAuthorized, reasonCode, details: detailsOf(refused) });
    else
      refuseConnect(this, {
        clientId: this.clientId,
        reasonCode,
        isAnswered: refused.isSilent !== true,
        details: detailsOf(refused),
      });
  }

  /** Ends the connection from this side, or notes that it ended. Later calls do nothing. */
  end(ending: Ending): void {
    if (this.state === "ended") return;
    const wasConnected = this.state === "connected";
    this.release();
    if (wasConnected && this.version === 5 && ending.reasonCode !== undefined)
      this.send({ type: "disconnect", reasonCode: ending.reasonCode, ...ending.details });
    if (ending.abrupt) this.link.destroy();
    else this.link.close();
    if (wasConnected) this.reportEnd(ending);
    this.core.closed(this);
  }

  /** Anything but PUBLISH. Left out when it is larger than the client takes [MQTT-3.1.2-24]. */
  send(packet: Packet): void {
    const isPlain = this.wantsProblemInformation && this.packetBytesMax === Number.POSITIVE_INFINITY;
    const fitting = isPlain ? packet : fittingPacket(packet, this);
    if (fitting === undefined) return;
    countPacket(this.core.counters.packetsSent, packet.type);
    this.link.send(fitting);
    if (this.link.bufferedBytes >= this.core.pressure.bufferedBytesMax) this.noteSlow();
  }

  /** Nothing goes out before everything reported so far is durable; to be called before CONNACK is sent. */
  holdUntilDurable(): void {
    const { journal } = this.core;
    if (journal === undefined || journal.isSettled) return;
    const held = new HeldLink(this, this.link, this.version);
    this.link = held;
    journal.afterCommit(held);
  }

  /** Reads no more from this client until `unhold`. @returns false when its link cannot, or is held for that already. */
  hold(cause: BrakeCause): boolean {
    if (this.state !== "connected") return false;
    this.brake ??= new IntakeBrake(this);
    return this.brake.press(cause);
  }

  unhold(cause: BrakeCause): void {
    this.brake?.release(cause);
  }

  /**
   * Sends an acknowledgement once everything it promises is durable; acknowledgements keep their order.
   * @param endsPublish Does it end a publish of the client? See {@link unanswered}.
   */
  answer(packet: Packet, endsPublish: boolean = false): void {
    const { journal } = this.core;
    if (journal === undefined || journal.isSettled) {
      this.sendAnswer(packet, endsPublish);
    } else {
      journal.afterCommit(new PendingAnswer(this, packet, endsPublish));
    }
  }

  /** @internal The moment has come. */
  sendAnswer(packet: Packet, endsPublish: boolean): void {
    if (endsPublish && this.unanswered > -CARRIED_OVER_MAX) this.unanswered -= 1;
    this.send(packet);
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
    if (this.link.bufferedBytes < this.core.pressure.bufferedBytesMax) {
      this.slowSinceUs = -1;
      return true;
    }
    this.noteSlow();
    return false;
  }

  /** QoS 0. */
  sendUnacknowledged(delivery: Delivery): void {
    const { counters } = this.core;
    counters.delivered += 1;
    counters.deliveredUnits += delivery.message.meteredUnits;
    this.sentMessages += 1;
    const packet = delivery.sharedPacket(this.version, this.core.clock);
    this.link.send(this.outboundAliases === undefined ? packet : this.outboundAliases.shorten(packet));
  }

  /** QoS 1 or 2, for the first time or again. */
  sendInflight(entry: InflightEntry, delivery: Delivery): void {
    const { counters, clock } = this.core;
    if (entry.dup) counters.redelivered += 1;
    else counters.delivered += 1;
    counters.deliveredUnits += delivery.message.meteredUnits;
    this.sentMessages += 1;
    const packet = delivery.packet(entry, this.version, clock);
    entry.dup = true;
    this.link.send(this.outboundAliases === undefined ? packet : this.outboundAliases.shorten(packet));
  }

  /** Frees timers and the state that only a live link needs. */
  release(): void {
    this.state = "ended";
    this.timer?.cancel();
    this.lifetime?.cancel();
    this.slowTimer?.cancel();
    this.timer = undefined;
    this.slowTimer = undefined;
    this.attempt?.authentication?.stop();
    this.attempt = undefined;
    this.authentication?.stop();
    this.pace?.stop();
    this.brake?.stop();
  }

  private limitLifetime(): void {
    const { webSocketLifetimeS } = this.core.limits;
    const transport = this.link.peer?.transport;
    if ((transport !== "ws" && transport !== "wss") || !Number.isFinite(webSocketLifetimeS)) return;
    this.lifetime = this.core.clock.after(webSocketLifetimeS * US_PER_S, Connection.lifetimeOver, this);
  }

  private begin(packet: ConnectPacket): void {
    this.attempt = new ConnectAttempt(packet);
    this.state = "waiting";
    if (admitConnect(this, packet) === "open") pursueConnect(this, this.attempt);
  }

  /** Between CONNECT and CONNACK a client may already send, unless it has yet to say who it is [MQTT-3.1.2-30]. */
  private keepEarly(packet: Packet, wireBytes: number): void {
    const attempt = this.attempt!;
    const isAuthenticating = attempt.packet.authenticationMethod !== undefined;
    if (packet.type === "auth" && attempt.authentication !== undefined) attempt.authentication.take(packet);
    else if (packet.type === "disconnect" && isAuthenticating) this.end(ENDING.disconnected);
    else if (isAuthenticating || packet.type === "connect" || packet.type === "auth")
      this.fail(REASON.protocolError);
    else if (!attempt.keep(packet, wireBytes)) this.fail(REASON.quotaExceeded);
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
    // Nobody is silent while we do not listen.
    if (this.brake?.isOn === true) this.timer!.again(this.silenceLimitUs);
    else if (silentUs >= this.silenceLimitUs) this.end(ENDING.keepAliveTimeout);
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
    const isUnproven = connection.attempt?.authentication?.awaitsClient === true;
    connection.fail(isUnproven ? REASON.notAuthorized : REASON.maximumConnectTime);
  }

  private static lifetimeOver(this: void, connection: Connection): void {
    connection.end(ENDING.webSocketExpired);
  }

  private static silenceChecked(this: void, connection: Connection): void {
    connection.checkSilence();
  }

  private static slownessChecked(this: void, connection: Connection): void {
    connection.checkSlowness();
  }
}
