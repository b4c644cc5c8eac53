import type { Clock, DeliveryProbe, EventSink, Random, Timer } from "fleetrig/kernel";
import type {
  ConnackPacket,
  Dialer,
  DialFailure,
  DialHandlers,
  PacketLink,
  PacketReceiver,
  PendingLink,
  PublishPacket,
  SubscriptionRequest,
  Will,
} from "fleetrig/protocol";
import { MqttClient, type MqttClientHandlers } from "../client/mqtt-client.js";
import type { OutboundMessage } from "../client/outgoing.js";
import type { DisconnectMode } from "../member.js";
import type { BufferPlan, LoginPlan, MqttPlan, ReconnectPlan } from "../plan.js";
import { Backoff } from "./backoff.js";
import { CONNECTION_TABLE, type ConnectionEventType, type ConnectionState } from "./connection-machine.js";
import { OfflineBuffer } from "./offline-buffer.js";
import { sessionLifetimeUs } from "./session-lifetime.js";

/** TCP connect and CONNACK together; then the attempt is given up. */
export const CONNECT_TIMEOUT_US = 10_000_000;

/** Whose connection it is, how it behaves, and who is told. */
export interface DeviceConnectionOptions {
  readonly thing: { readonly name: string; readonly ordinal: number };
  /** The device's lane. */
  readonly clock: Clock;
  /** The device's streams by purpose; `backoff` is drawn from here. */
  readonly random: { stream(purpose: string): Random };
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  /** Name of the run, for trace tags. */
  readonly run: string;
  readonly dialer: Dialer;
  readonly mqtt: MqttPlan;
  readonly will?: Will | undefined;
  /** Rendered. */
  readonly login?: LoginPlan | undefined;
  readonly reconnect: ReconnectPlan;
  readonly buffer: BufferPlan;
  /** Default: {@link CONNECT_TIMEOUT_US}. */
  readonly connectTimeoutUs?: number;
  readonly handlers: DeviceConnectionHandlers;
}

/** What a connection tells its device. */
export interface DeviceConnectionHandlers {
  /** After the backlog went out, so what is published from here comes behind it. */
  online(sessionPresent: boolean): void;
  offline(reason: string): void;
  message(packet: PublishPacket): void;
  subscribed?(filter: string, reasonCode: number): void;
}

/** What happens to attempts while an action holds the link down. */
type Hindrance = "unreachable" | "vanish" | "unanswered";

const HINDRANCES: Readonly<Record<Exclude<DisconnectMode, "graceful">, Hindrance>> = {
  ungraceful: "unreachable",
  blackhole: "vanish",
  "no-connack": "unanswered",
};

/**
 * A device's connection over its whole life: dials, reconnects by policy, buffers while offline, and does what
 * a scenario orders. The states are those of `connectionMachine`.
 */
export class DeviceConnection implements DialHandlers, MqttClientHandlers {
  private state: ConnectionState = "idle";
  private readonly client: MqttClient;
  private pending: PendingLink | undefined;
  private timer: Timer | undefined;
  private timerEvent: ConnectionEventType = "CONNECT";
  private timerReason = "";
  private backlog: OfflineBuffer | undefined;
  private readonly backoff: Backoff;
  private dialedUs = 0;
  private openedUs = 0;
  private lostUs = 0;
  /** 0 until a session may be expected back. */
  private sessionLifetimeUs = 0;
  private connack: ConnackPacket | undefined;
  /** The scenario action that what happens now goes back to, until the next open. */
  private action: string | undefined;
  private hindrance: Hindrance = "unreachable";
  private hinderedUntilUs = 0;
  private heldForUs = 0;
  private reason = "";
  private isBusy = false;
  private queue: { readonly type: ConnectionEventType; readonly reason: string }[] | undefined;

  constructor(private readonly options: DeviceConnectionOptions) {
    const { clock, probe, run, thing, mqtt, will, login } = options;
    this.client = new MqttClient({ clock, probe, run, thing, mqtt, will, login, handlers: this });
    this.backoff = new Backoff(options.reconnect, options.random);
  }

  /** CONNACK received and the link not lost since, as the device knows it. */
  get isOnline(): boolean {
    return this.state === "online";
  }

  /** Where the connection machine is. */
  get stateName(): ConnectionState {
    return this.state;
  }

  /** Messages kept for later, and QoS 1 publishes that are not acknowledged. */
  get outstanding(): number {
    return (this.backlog?.size ?? 0) + this.client.unacknowledged;
  }

  /** Connects at that instant of the run. */
  start(connectAtUs: number): void {
    if (this.state === "idle") this.wait(connectAtUs - this.options.clock.nowUs(), "CONNECT");
  }

  /** Leaves for good, in order when connected. */
  stop(): void {
    this.send("STOP", "stopped");
    this.client.release();
  }

  /** Connects now, whatever it was waiting for; also ends a hold. */
  connect(): void {
    this.hinderedUntilUs = 0;
    this.send("CONNECT");
  }

  /**
   * Ends the connection as told and keeps it down for `holdUs`. After `graceful` the device waits that long
   * without trying; otherwise it goes on trying by its policy and fails: unreachable after `ungraceful`, by
   * timeout after `blackhole` and `no-connack`. A blackhole without hold lasts until the device notices.
   */
  disconnect(mode: DisconnectMode, holdUs: number, action: string): void {
    if (this.state === "idle" && mode === "graceful") return;
    this.action = action;
    if (mode === "graceful") {
      this.heldForUs = holdUs;
      this.send("LEAVE", mode);
      return;
    }
    this.hindrance = HINDRANCES[mode];
    this.hinderedUntilUs = this.options.clock.nowUs() + holdUs;
    if (mode === "blackhole" && (this.state === "online" || this.state === "handshaking")) {
      this.client.silence();
      if (this.state === "online" && holdUs > 0) this.wait(holdUs, "CUT", mode);
      return;
    }
    this.send("CUT", mode);
  }

  /** Drops the link without DISCONNECT, forgets what memory held, connects again after `downUs`. */
  reboot(downUs: number): void {
    this.heldForUs = downUs;
    this.send("REBOOT", "reboot");
  }

  /** Dies as by loss of power: the broker is told nothing, and the device never comes back. */
  goSilent(): void {
    this.send("DESERT", "silent");
  }

  /** Publishes now, or keeps the message for the next connection as far as the buffer allows. */
  publish(message: OutboundMessage): void {
    if (this.state === "online" && this.client.isConnected) {
      this.client.publish(message);
      return;
    }
    if (this.state === "stopped") {
      this.client.discard(message);
      return;
    }
    this.backlog ??= new OfflineBuffer(this.options.buffer);
    const dropped = this.backlog.push(message);
    if (dropped !== undefined) this.client.discard(dropped);
  }

  subscribe(requests: readonly SubscriptionRequest[]): void {
    this.client.subscribe(requests);
  }

  unsubscribe(filters: readonly string[]): void {
    this.client.unsubscribe(filters);
  }

  opened(link: PacketLink): PacketReceiver {
    this.pending = undefined;
    const receiver = this.client.open(link, this.isHindered("unanswered"));
    this.send("OPENED");
    return receiver;
  }

  failed(reason: DialFailure): void {
    this.pending = undefined;
    this.send("FAILED", reason);
  }

  connected(connack: ConnackPacket): void {
    this.connack = connack;
    this.send("ACCEPTED");
  }

  refused(reason: string): void {
    this.send("REFUSED", reason);
  }

  lost(reason: string): void {
    this.send("LOST", reason);
  }

  message(packet: PublishPacket): void {
    this.options.handlers.message(packet);
  }

  subscribed(filter: string, reasonCode: number): void {
    this.options.handlers.subscribed?.(filter, reasonCode);
  }

  /** One event at a time: what effects cause is taken up when they are done. */
  private send(type: ConnectionEventType, reason: string = ""): void {
    if (this.isBusy) {
      this.queue ??= [];
      this.queue.push({ type, reason });
      return;
    }
    this.isBusy = true;
    this.take(type, reason);
    for (let next = this.queue?.shift(); next !== undefined; next = this.queue?.shift()) {
      this.take(next.type, next.reason);
    }
    this.queue = undefined;
    this.isBusy = false;
  }

  private take(type: ConnectionEventType, reason: string): void {
    const transition = CONNECTION_TABLE[this.state][type];
    if (transition === undefined) return;
    this.reason = reason;
    this.state = transition.target;
    for (const effect of transition.effects) this[effect]();
  }

  private wait(delayUs: number, event: ConnectionEventType, reason: string = ""): void {
    this.timer?.cancel();
    this.timerEvent = event;
    this.timerReason = reason;
    this.timer = this.options.clock.after(delayUs, expire, this);
  }

  expired(): void {
    this.timer = undefined;
    this.send(this.timerEvent, this.timerReason);
  }

  private isHindered(hindrance: Hindrance): boolean {
    return this.hindrance === hindrance && this.options.clock.nowUs() < this.hinderedUntilUs;
  }

  private dial(): void {
    const { clock, events, thing, dialer, connectTimeoutUs } = this.options;
    const atUs = clock.nowUs();
    this.dialedUs = atUs;
    events.emit({ type: "connection.attempt", atUs, thing: thing.name, attempt: this.backoff.attempt });
    if (this.isHindered("unreachable")) {
      this.wait(0, "FAILED", "unreachable");
      return;
    }
    this.wait(connectTimeoutUs ?? CONNECT_TIMEOUT_US, "TIMED_OUT", "timeout");
    if (!this.isHindered("vanish")) this.pending = dialer.dial(this);
  }

  private abandonDial(): void {
    this.pending?.abandon();
    this.pending = undefined;
  }

  private abortLink(): void {
    this.client.abort();
  }

  private closeLink(): void {
    this.client.disconnect();
  }

  private desertLink(): void {
    this.client.desert();
  }

  private forgetMemory(): void {
    this.client.forget();
    this.discardBacklog();
  }

  private discardBacklog(): void {
    const { backlog } = this;
    this.backlog = undefined;
    for (let kept = backlog?.shift(); kept !== undefined; kept = backlog?.shift()) this.client.discard(kept);
  }

  private armRetry(): void {
    const delayUs = this.backoff.nextUs();
    if (delayUs === undefined) this.clearTimer();
    else this.wait(delayUs, "RETRY");
  }

  private armHold(): void {
    this.wait(this.heldForUs, this.state === "booting" ? "BOOTED" : "HOLD_OVER");
  }

  private clearTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private reportOpen(): void {
    const { clock, events, thing, mqtt, handlers } = this.options;
    const atUs = clock.nowUs();
    const connack = this.connack!;
    this.connack = undefined;
    this.action = undefined;
    events.emit({
      type: "connection.open",
      atUs,
      thing: thing.name,
      sessionPresent: connack.sessionPresent,
      resumeExpected: atUs - this.lostUs < this.sessionLifetimeUs,
      connectUs: atUs - this.dialedUs,
    });
    this.openedUs = atUs;
    this.sessionLifetimeUs = sessionLifetimeUs(mqtt, connack);
    for (let kept = this.backlog?.shift(); kept !== undefined; kept = this.backlog?.shift()) {
      this.client.publish(kept);
    }
    handlers.online(connack.sessionPresent);
  }

  private reportRefused(): void {
    const { clock, events, thing } = this.options;
    events.emit({
      type: "connection.refused",
      atUs: clock.nowUs(),
      thing: thing.name,
      reason: this.reason,
    });
  }

  private reportLost(): void {
    this.reportEnd({ type: "connection.lost", reason: this.reason });
  }

  private reportClosed(): void {
    this.reportEnd({ type: "connection.closed" });
  }

  private reportEnd(
    end:
      | { readonly type: "connection.lost"; readonly reason: string }
      | { readonly type: "connection.closed" },
  ): void {
    const { clock, events, thing, handlers } = this.options;
    const atUs = clock.nowUs();
    this.lostUs = atUs;
    this.backoff.connectionLasted(atUs - this.openedUs);
    const attribution = this.action === undefined ? {} : { action: this.action };
    events.emit({ ...end, atUs, thing: thing.name, ...attribution });
    handlers.offline(this.reason);
  }
}

const expire = (connection: DeviceConnection): void => connection.expired();
