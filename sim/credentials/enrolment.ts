import {
  type Clock,
  isJsonObject,
  type JsonObject,
  parseJson,
  type Random,
  silentProbe,
  silentSink,
  type Timer,
} from "fleetrig/kernel";
import {
  type Dialer,
  formatReservedTopic,
  isFailure,
  parseReservedTopic,
  type PublishPacket,
} from "fleetrig/protocol";
import { Backoff } from "../connection/backoff.js";
import { DeviceConnection, type DeviceConnectionHandlers } from "../connection/device-connection.js";
import type { DisconnectMode } from "../member.js";
import type { MqttPlan, ReconnectPlan } from "../plan.js";
import {
  ENROLMENT_TABLE,
  type EnrolmentEffect,
  type EnrolmentEventType,
  type EnrolmentState,
} from "./enrolment-machine.js";
import type { DeviceCredential, Wallet } from "./wallet.js";

/** Who is enrolled, with what, and who is told. */
export interface EnrolmentOptions {
  readonly thing: { readonly name: string; readonly ordinal: number };
  readonly clock: Clock;
  /** The device's streams by purpose. */
  readonly random: { stream(purpose: string): Random };
  readonly run: string;
  readonly dialer: Dialer;
  readonly mqtt: MqttPlan;
  readonly reconnect: ReconnectPlan;
  readonly wallet: Wallet;
  readonly templateName: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly handlers: EnrolmentHandlers;
}

/** What an enrolment tells its device, once. The wallet has the device's own certificate by `enrolled`. */
export interface EnrolmentHandlers {
  enrolled(tookUs: number): void;
  /** @param reason The service's error code, or what else stood in the way. */
  notEnrolled(reason: string): void;
}

/** How long an answer may take; then the request is repeated. */
const ANSWER_TIMEOUT_US = 10_000_000;
/** AWS: the token was used or is too old; an answer that was lost on the way looks like this, too. */
const STALE_TOKEN = "InvalidCertificateOwnershipToken";
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;
const MAX_ANSWER_BYTES = 131_072;
const MAX_DEPTH = 16;

const topicOf = (
  operation: "create-keys" | "register-thing",
  message: "request" | "accepted" | "rejected",
  templateName: string,
): string =>
  formatReservedTopic({
    service: "provisioning",
    operation,
    message,
    format: "json",
    templateName: operation === "register-thing" ? templateName : undefined,
  });

/**
 * A device's way from a claim to a certificate of its own, over MQTT as real devices go it (REF §11.3): connect with
 * the claim, ask for keys and a certificate, register with the template, disconnect. It ends by `enrolled` or
 * `notEnrolled`; connection losses, throttling and silence are tried again by the reconnect policy.
 */
export class Enrolment implements DeviceConnectionHandlers {
  private state: EnrolmentState = "connecting";
  private readonly connection: DeviceConnection;
  private readonly backoff: Backoff;
  private readonly filters: readonly string[];
  private ungranted: number;
  private startedUs = 0;
  private timer: Timer | undefined;
  private timerEvent: EnrolmentEventType = "TIMED_OUT";
  private given: (DeviceCredential & { readonly ownershipToken: string }) | undefined;
  private reason = "";

  constructor(private readonly options: EnrolmentOptions) {
    const { thing, clock, random, run, dialer, mqtt, reconnect, templateName } = options;
    this.filters = (["create-keys", "register-thing"] as const).flatMap((operation) => [
      topicOf(operation, "accepted", templateName),
      topicOf(operation, "rejected", templateName),
    ]);
    this.ungranted = this.filters.length;
    const purposes = { stream: (purpose: string) => random.stream(`enrolment/${purpose}`) };
    this.backoff = new Backoff(reconnect, { stream: (purpose) => purposes.stream(`requests/${purpose}`) });
    this.connection = new DeviceConnection({
      thing,
      clock,
      random: purposes,
      // What it is about is told as `device.provisioned`: a claim's connection is not the thing's.
      events: silentSink,
      // What a claim is used for is not telemetry.
      probe: silentProbe,
      run,
      dialer,
      mqtt: { ...mqtt, cleanStart: true, sessionExpiryS: 0, will: undefined },
      reconnect,
      buffer: { capacity: 0, overflow: "drop-newest" },
      handlers: this,
    });
  }

  /** Connects at that instant of the run. */
  start(connectAtUs: number): void {
    this.startedUs = connectAtUs;
    this.connection.subscribe(this.filters.map((filter) => ({ filter, qos: 1 })));
    this.connection.start(connectAtUs);
  }

  stop(): void {
    this.clearTimer();
    this.connection.stop();
  }

  connect(): void {
    this.connection.connect();
  }

  disconnect(mode: DisconnectMode, holdUs: number, action: string): void {
    this.connection.disconnect(mode, holdUs, action);
  }

  online(): void {
    this.ungranted = this.filters.length;
  }

  offline(): void {
    this.send("OFFLINE");
  }

  subscribed(_filter: string, reasonCode: number): void {
    if (isFailure(reasonCode)) this.send("DENIED", "SubscriptionRefused");
    this.ungranted -= 1;
    if (this.ungranted === 0) this.send("READY");
  }

  message({ topic: name, payload }: PublishPacket): void {
    const topic = parseReservedTopic(name);
    if (topic?.service !== "provisioning" || payload.length > MAX_ANSWER_BYTES) return;
    const parsed = parseJson(Buffer.from(payload).toString(), MAX_DEPTH);
    if (!parsed.ok || !isJsonObject(parsed.value)) return;
    if (topic.message === "rejected") this.rejected(parsed.value);
    else if (topic.operation === "create-keys") this.received(parsed.value);
    else if (topic.operation === "register-thing") this.registered(parsed.value);
  }

  private received(answer: JsonObject): void {
    const { certificateId, certificatePem, privateKey, certificateOwnershipToken } = answer;
    if (
      typeof certificateId !== "string" ||
      typeof certificatePem !== "string" ||
      typeof privateKey !== "string" ||
      typeof certificateOwnershipToken !== "string"
    )
      return;
    const ownershipToken = certificateOwnershipToken;
    this.given = { certificateId, certificatePem, privateKeyPem: privateKey, ownershipToken };
    this.send("KEYS");
  }

  private registered({ thingName }: JsonObject): void {
    if (thingName !== undefined && thingName !== this.options.thing.name)
      this.send("DENIED", "ThingNameDiffers");
    else this.send("REGISTERED");
  }

  private rejected({ statusCode, errorCode }: JsonObject): void {
    const reason = typeof errorCode === "string" ? errorCode : "Rejected";
    const mayPass =
      typeof statusCode === "number" && (statusCode === TOO_MANY_REQUESTS || statusCode >= SERVER_ERROR);
    if (reason === STALE_TOKEN) this.send("STALE", reason);
    else this.send(mayPass ? "REFUSED" : "DENIED", reason);
  }

  private send(type: EnrolmentEventType, reason = ""): void {
    const transition = ENROLMENT_TABLE[this.state][type];
    if (transition === undefined) return;
    this.reason = reason;
    this.state = transition.target;
    for (const effect of transition.effects) this.effects[effect]();
  }

  private readonly effects: Readonly<Record<EnrolmentEffect, () => void>> = {
    requestKeys: () => this.publish("create-keys", {}),
    requestThing: () =>
      this.publish("register-thing", {
        certificateOwnershipToken: this.given!.ownershipToken,
        parameters: this.options.parameters,
      }),
    armAnswer: () => this.wait(ANSWER_TIMEOUT_US, "TIMED_OUT"),
    armRetry: () => {
      const delayUs = this.backoff.nextUs();
      if (delayUs === undefined) this.wait(0, "DENIED");
      else this.wait(delayUs, "RETRY");
    },
    clearTimer: () => this.clearTimer(),
    finish: () => {
      const { wallet, handlers, clock } = this.options;
      const { ownershipToken: _used, ...own } = this.given!;
      wallet.own = own;
      this.connection.stop();
      handlers.enrolled(clock.nowUs() - this.startedUs);
    },
    giveUp: () => {
      this.connection.stop();
      this.options.handlers.notEnrolled(this.reason);
    },
  };

  private publish(operation: "create-keys" | "register-thing", body: JsonObject): void {
    const topic = topicOf(operation, "request", this.options.templateName);
    this.connection.publish({ topic, payload: Buffer.from(JSON.stringify(body)), qos: 1, retain: false });
  }

  private wait(delayUs: number, event: EnrolmentEventType): void {
    this.timer?.cancel();
    this.timerEvent = event;
    this.timer = this.options.clock.after(delayUs, expire, this);
  }

  expired(): void {
    this.timer = undefined;
    this.send(this.timerEvent, this.reason);
  }

  private clearTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}

const expire = (enrolment: Enrolment): void => enrolment.expired();
