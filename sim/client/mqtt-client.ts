import { type Clock, type DeliveryProbe, type Timer, TRACE_PROPERTY, traceTagPrefix } from "fleetrig/kernel";
import {
  type ConnackPacket,
  type ConnectPacket,
  isFailure,
  type LinkCloseReason,
  type Packet,
  PINGREQ,
  type PacketLink,
  type PacketReceiver,
  type PublishPacket,
  REASON,
  reasonName,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
  type UserProperty,
  type Will,
  wireBytes,
} from "fleetrig/protocol";
import type { LoginPlan, MqttPlan } from "../plan.js";
import { ClientLink, type ClientLinkOwner } from "./client-link.js";
import { Inflight, WINDOW_MAX } from "./inflight.js";
import { KeepAlive, type KeepAliveOwner } from "./keep-alive.js";
import { type OutboundMessage, type OutgoingPublish, publishPacket } from "./outgoing.js";
import { Subscriptions, type SubscriptionsOwner } from "./subscriptions.js";

/** Whose client it is, and who is told. */
export interface MqttClientOptions {
  readonly clock: Clock;
  readonly probe: DeliveryProbe;
  /** Name of the run, for trace tags. */
  readonly run: string;
  readonly thing: { readonly name: string; readonly ordinal: number };
  readonly mqtt: MqttPlan;
  readonly will?: Will | undefined;
  readonly login?: LoginPlan | undefined;
  readonly handlers: MqttClientHandlers;
}

/** What a client tells its owner. Exactly one of `connected`, `refused` or `lost` answers an `open`. */
export interface MqttClientHandlers {
  connected(connack: ConnackPacket): void;
  /** CONNACK with a failure; the link is gone. */
  refused(reason: string): void;
  /** The link ended, or had to be ended, without this side wanting it. */
  lost(reason: string): void;
  /** PUBLISH of the server; `dup` as it came. QoS 1 is acknowledged afterwards. */
  message(packet: PublishPacket): void;
  /** Answer to a subscription, by filter; failures are >= 0x80. */
  subscribed?(filter: string, reasonCode: number): void;
}

/** More than the fixed header, packet identifier and trace of a publish ever take. */
const HEADER_ALLOWANCE_BYTES = 512;

type Phase = "detached" | "connecting" | "connected";

/**
 * The client side of an MQTT session (3.1.1 and 5), QoS 0 and 1, on whatever link it is given. Sans-I/O: it
 * reacts to packets and calls, and to time only by keep-alive and by asking again what nobody answers. The session
 * (unacknowledged publishes, packet identifiers, subscriptions) outlives links; each `open` begins a new connection of it.
 */
export class MqttClient implements ClientLinkOwner, KeepAliveOwner, SubscriptionsOwner {
  lastSentUs = 0;
  lastReceivedUs = 0;
  private phase: Phase = "detached";
  private link: ClientLink | undefined;
  private deserted: ClientLink | undefined;
  private readonly keepAlive: KeepAlive;
  /** Undefined until the first QoS 1 publish or SUBSCRIBE. */
  private inflight: Inflight | undefined;
  private subscriptions: Subscriptions | undefined;
  /** Exists while a PUBLISH waits for its PUBACK and is to be repeated. */
  private retryTimer: Timer | undefined;
  private clientId: string;
  private window = WINDOW_MAX;
  private maximumPacketBytes = Number.POSITIVE_INFINITY;
  /** What the trace tags of one stream have in common. */
  private tagStream = -1;
  private tagPrefix = "";

  constructor(private readonly options: MqttClientOptions) {
    this.clientId = options.thing.name;
    this.keepAlive = new KeepAlive(options.clock, this);
  }

  get isConnected(): boolean {
    return this.phase === "connected";
  }

  /** QoS 1 publishes that the server has not acknowledged, sent or not. */
  get unacknowledged(): number {
    return this.inflight?.size ?? 0;
  }

  /** Begins a connection on `link`: sends CONNECT. @returns who listens to the link. */
  open(link: PacketLink, isSilenced: boolean = false): PacketReceiver {
    this.release();
    const held = new ClientLink(this, link);
    if (isSilenced) held.silence();
    this.link = held;
    this.phase = "connecting";
    this.send(this.connectPacket());
    return held;
  }

  /** DISCONNECT, then the end of the link: the server publishes no will, if it hears of it. */
  disconnect(): void {
    if (this.link?.isSilenced === true) return this.desert();
    if (this.phase === "connected") this.send({ type: "disconnect", reasonCode: REASON.success });
    this.detach()?.close();
  }

  /** Ends the link without DISCONNECT. Of a silenced link the server hears not even that. */
  abort(): void {
    if (this.link?.isSilenced === true) this.desert();
    else this.detach()?.destroy();
  }

  /** The link goes on to exist, and nothing crosses it any more, in either direction. */
  silence(): void {
    this.link?.silence();
  }

  /** Leaves the link to itself, as a device does that loses power or whose path is gone. */
  desert(): void {
    this.release();
    this.deserted = this.detach();
    this.deserted?.silence();
    this.deserted?.letGo();
  }

  /** Ends the link that was left to itself: a new one works, or the process needs its handles back. */
  release(): void {
    this.deserted?.destroy();
    this.deserted = undefined;
  }

  /** Publishes. QoS 1 is kept until acknowledged; QoS 0 needs a connection and is discarded without. */
  publish(message: OutboundMessage): void {
    if (message.qos === 0) {
      if (this.phase === "connected") this.transmitQos0(message);
      else this.discard(message);
      return;
    }
    this.inflight ??= this.createInflight();
    if (!this.inflight.add(message)) this.discard(message);
    else if (this.phase === "connected") this.pump();
  }

  /**
   * Asks for subscriptions, now or with the next connection, unless the session holds them already. They are renewed when the
   * server lost the session, and asked for again when it does not answer.
   */
  subscribe(requests: readonly SubscriptionRequest[]): void {
    this.subscriptions ??= new Subscriptions(this.options.clock, this);
    this.subscriptions.add(requests);
    if (this.phase === "connected") this.subscriptions.subscribe();
  }

  unsubscribe(filters: readonly string[]): void {
    this.subscriptions?.remove(filters);
    if (this.phase === "connected") this.subscriptions?.unsubscribe(filters);
  }

  /** The device lost its memory: unsent publishes are discarded, sent ones forgotten. */
  forget(): void {
    for (const message of this.inflight?.clear() ?? []) this.discard(message);
    this.inflight = undefined;
    this.subscriptions = undefined;
  }

  /** Reports a message as given up. */
  discard(message: OutboundMessage): void {
    const { trace } = message;
    if (trace === undefined) return;
    const { probe, thing } = this.options;
    probe.discarded(trace.stream, thing.ordinal, trace.sequence, trace.scheduledUs);
  }

  packetReceived(packet: Packet): void {
    this.lastReceivedUs = this.options.clock.nowUs();
    if (this.phase === "connecting") {
      if (packet.type === "connack") this.onConnack(packet);
      else this.fail("protocol-error");
      return;
    }
    switch (packet.type) {
      case "publish":
        return this.onPublish(packet);
      case "puback":
        return this.onPuback(packet.packetId, packet.reasonCode);
      case "suback":
        return this.onSuback(packet.packetId, packet.reasonCodes);
      case "unsuback":
        this.subscriptions?.answered(packet.packetId, packet.reasonCodes);
        return;
      case "pingresp":
        return this.keepAlive.answered();
      case "disconnect":
        return this.fail(reasonName(packet.reasonCode));
      default:
        return this.fail("protocol-error");
    }
  }

  linkClosed(reason: LinkCloseReason): void {
    this.detach();
    this.options.handlers.lost(reason);
  }

  ping(): void {
    this.send(PINGREQ);
  }

  unanswered(): void {
    this.fail("keep-alive-timeout");
  }

  ask(request: SubscribePacket | UnsubscribePacket): void {
    if (this.phase === "connected") this.send(request);
  }

  /** Called by the timer: publishes that wait for their PUBACK go again, under their identifiers [MQTT-3.3.1-1]. */
  repeatPublishes(): void {
    this.retryTimer = undefined;
    const overdueUs = this.options.clock.nowUs() - this.options.mqtt.publishRetryUs!;
    for (let publish = this.inflight?.oldest; publish !== undefined; publish = publish.next) {
      if (publish.sentUs > overdueUs || this.phase !== "connected") continue;
      publish.isRepeat = true;
      this.transmit(publish);
    }
    if (this.phase === "connected") this.armRetries();
  }

  /** Packet identifiers of PUBLISH, SUBSCRIBE and UNSUBSCRIBE come from one supply [MQTT-2.2.1-4]. */
  allocate(): number {
    this.inflight ??= this.createInflight();
    return this.inflight.allocate(this.isTaken);
  }

  private fail(reason: string): void {
    this.abort();
    this.options.handlers.lost(reason);
  }

  private detach(): ClientLink | undefined {
    const link = this.link;
    this.link = undefined;
    this.phase = "detached";
    this.keepAlive.stop();
    this.subscriptions?.stop();
    this.retryTimer?.cancel();
    this.retryTimer = undefined;
    return link;
  }

  private send(packet: Packet): void {
    this.lastSentUs = this.options.clock.nowUs();
    this.link!.send(packet);
  }

  private connectPacket(): ConnectPacket {
    const { protocolVersion, cleanStart, keepAliveS, sessionExpiryS, receiveMaximum } = this.options.mqtt;
    const { will, login } = this.options;
    const packet: { -readonly [Field in keyof ConnectPacket]: ConnectPacket[Field] } = {
      type: "connect",
      protocolVersion,
      clientId: this.clientId,
      cleanStart,
      keepAliveS,
    };
    if (will !== undefined) packet.will = will;
    if (login !== undefined) {
      packet.username = login.username;
      packet.password = Buffer.from(login.password);
    }
    if (protocolVersion === 5) {
      packet.sessionExpiryS = sessionExpiryS;
      packet.receiveMaximum = receiveMaximum;
    }
    return packet;
  }

  private onConnack(connack: ConnackPacket): void {
    const { mqtt, handlers } = this.options;
    if (isFailure(connack.reasonCode)) {
      this.abort();
      handlers.refused(reasonName(connack.reasonCode));
      return;
    }
    this.phase = "connected";
    if (connack.assignedClientId !== undefined) this.clientId = connack.assignedClientId;
    // 3.1.1 servers cannot say how much they take at once: the device's own limit serves for both directions.
    const receiveMaximum = mqtt.protocolVersion === 5 ? connack.receiveMaximum : mqtt.receiveMaximum;
    this.window = Math.min(receiveMaximum ?? WINDOW_MAX, WINDOW_MAX);
    this.maximumPacketBytes = connack.maximumPacketBytes ?? Number.POSITIVE_INFINITY;
    this.keepAlive.start(connack.serverKeepAliveS ?? mqtt.keepAliveS);
    this.subscriptions?.rewind(connack.sessionPresent);
    this.subscriptions?.subscribe();
    if (this.inflight !== undefined) {
      this.inflight.window = this.window;
      this.inflight.rewind(connack.sessionPresent);
      this.pump();
    }
    if (this.isConnected) handlers.connected(connack);
  }

  private onPublish(packet: PublishPacket): void {
    if (packet.qos === 2) return this.fail("qos-not-supported");
    const link = this.link;
    this.options.handlers.message(packet);
    if (packet.qos === 0 || packet.packetId === undefined || this.link !== link) return;
    this.send({ type: "puback", packetId: packet.packetId, reasonCode: REASON.success });
  }

  private onPuback(packetId: number, reasonCode: number): void {
    const publish = this.inflight?.acknowledge(packetId);
    if (publish === undefined) return;
    const { trace } = publish.message;
    if (trace !== undefined) {
      const { probe, thing, clock } = this.options;
      probe.acked(trace.stream, thing.ordinal, trace.sequence, clock.nowUs(), reasonCode);
    }
    this.pump();
  }

  private onSuback(packetId: number, reasonCodes: readonly number[]): void {
    const requests = this.subscriptions?.answered(packetId, reasonCodes);
    const { handlers } = this.options;
    if (handlers.subscribed === undefined) return;
    requests?.forEach(({ filter }, index) => {
      handlers.subscribed?.(filter, reasonCodes[index] ?? REASON.unspecifiedError);
    });
  }

  /** Looks again when something has waited long enough for its PUBACK. */
  private armRetries(): void {
    const { protocolVersion, publishRetryUs } = this.options.mqtt;
    if (publishRetryUs === undefined || protocolVersion === 5 || this.retryTimer !== undefined) return;
    const sinceUs = this.inflight?.waitingSinceUs();
    if (sinceUs === undefined) return;
    const waitedUs = this.options.clock.nowUs() - sinceUs;
    this.retryTimer = this.options.clock.after(publishRetryUs - waitedUs, repeat, this);
  }

  /** Sends what the window lets through. */
  private pump(): void {
    const inflight = this.inflight!;
    while (this.phase === "connected") {
      const publish = inflight.nextToSend(this.isTaken);
      if (publish === undefined) break;
      if (this.transmit(publish)) continue;
      inflight.acknowledge(publish.packetId);
      this.discard(publish.message);
    }
    this.armRetries();
  }

  /** @returns false when the server does not take so large a packet. */
  private transmit(publish: OutgoingPublish): boolean {
    const { message, packetId, isRepeat, wasSent } = publish;
    const packet = publishPacket(message, packetId, { dup: isRepeat, userProperties: this.tag(message) });
    if (this.isTooLarge(packet)) return false;
    publish.wasSent = true;
    publish.sentUs = this.options.clock.nowUs();
    this.reportSent(message, wasSent);
    this.send(packet);
    return true;
  }

  private transmitQos0(message: OutboundMessage): void {
    const packet = publishPacket(message, 0, { dup: false, userProperties: this.tag(message) });
    if (this.isTooLarge(packet)) return this.discard(message);
    this.reportSent(message, false);
    this.send(packet);
  }

  /** A client must not send more than the server takes [MQTT-3.2.2-15]; sizes are added up only near the limit. */
  private isTooLarge(packet: PublishPacket): boolean {
    const roughBytes = packet.payload.length + 3 * packet.topic.length + HEADER_ALLOWANCE_BYTES;
    if (roughBytes <= this.maximumPacketBytes) return false;
    return wireBytes(packet, this.options.mqtt.protocolVersion) > this.maximumPacketBytes;
  }

  private reportSent(message: OutboundMessage, isAgain: boolean): void {
    const { trace } = message;
    if (trace === undefined) return;
    const { probe, thing, clock } = this.options;
    if (isAgain) probe.retransmitted(trace.stream, thing.ordinal, trace.sequence);
    else probe.sent(trace.stream, thing.ordinal, trace.sequence, trace.scheduledUs, clock.nowUs());
  }

  /** MQTT 5 carries the trace beside the payload; in 3.1.1 it has to be inside, which is the payload's affair. */
  private tag(message: OutboundMessage): readonly UserProperty[] | undefined {
    const { trace } = message;
    const { mqtt, run, thing } = this.options;
    if (trace === undefined || mqtt.protocolVersion !== 5) return undefined;
    if (trace.stream !== this.tagStream) {
      this.tagStream = trace.stream;
      this.tagPrefix = traceTagPrefix(run, trace.stream, thing.ordinal);
    }
    return [[TRACE_PROPERTY, this.tagPrefix + trace.sequence.toString(36)]];
  }

  private createInflight(): Inflight {
    const inflight = new Inflight();
    inflight.window = this.window;
    return inflight;
  }

  /** Packet identifiers are shared with SUBSCRIBE and UNSUBSCRIBE [MQTT-2.2.1-4]. */
  private readonly isTaken = (packetId: number): boolean => this.subscriptions?.isTaken(packetId) ?? false;
}

const repeat = (client: MqttClient): void => client.repeatPublishes();
