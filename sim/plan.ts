import type { Distribution, JsonObject, JsonValue } from "fleetrig/kernel";
import type { DeviceModel, SignalSpec } from "./model.js";

/**
 * The fleet as the runner planned it: every choice made (names, attributes, arrival times), nothing started.
 * Durations in µs. Groups come in the file's order, members in index order; a member's ordinal is its
 * position in that sequence and decides ties in virtual time.
 */
export interface FleetPlan {
  readonly groups: readonly GroupPlan[];
}

/** Members that share a model, a link profile and a way of behaving. */
export interface GroupPlan {
  readonly group: string;
  readonly model: DeviceModel;
  readonly members: readonly MemberPlan[];
  readonly link: LinkProfile;
  readonly mqtt: MqttPlan;
  readonly reconnect: ReconnectPlan;
  readonly telemetry: readonly TelemetryPlan[];
  readonly buffer: BufferPlan;
  /** Signals that replace or extend the model's. */
  readonly signals: Readonly<Record<string, SignalSpec>>;
  /** Settings for the model's machine: the `settings:` block, with `shadow` and `ota` beside its keys; µs. */
  readonly settings: JsonObject;
  /** How members get certificates of their own; undefined for those that need none, or have one from the start. */
  readonly claim?: ClaimPlan | undefined;
}

/** Fleet provisioning by claim: the template, and what members tell about themselves. */
export interface ClaimPlan {
  readonly templateName: string;
  /** Templates may name `{thingName}`, `{index}` and attributes. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** One member of a group. */
export interface MemberPlan {
  readonly name: string;
  readonly ordinal: number;
  /** Index within the group, from 0. */
  readonly index: number;
  readonly attributes: JsonObject;
  /** When it first connects, from the start of the fleet. */
  readonly connectAtUs: number;
}

/** The network between a device and its broker; latencies in µs, one way. */
export interface LinkProfile {
  readonly name: string;
  readonly latency: Distribution;
  /** Share of TCP segments lost: each costs a retransmission delay, never the message. */
  readonly loss: number;
  /** 0 means unlimited. */
  readonly bitsPerSecond: number;
}

/** No latency, no loss, no limit. */
export const PERFECT_LINK: LinkProfile = {
  name: "perfect",
  latency: { dist: "constant", value: 0 },
  loss: 0,
  bitsPerSecond: 0,
};

/** How devices speak MQTT. */
export interface MqttPlan {
  readonly protocolVersion: 4 | 5;
  readonly keepAliveS: number;
  readonly cleanStart: boolean;
  readonly sessionExpiryS: number;
  readonly receiveMaximum: number;
  /**
   * Time without PUBACK after which a PUBLISH is repeated on the connection that stands; undefined: only after a reconnect, which
   * is all that 3.1.1 demands. MQTT 5 forbids it [MQTT-4.4.0-1] and pays no attention.
   */
  readonly publishRetryUs?: number | undefined;
  /** Templates may name `{thingName}` and attributes. */
  readonly will: WillPlan | undefined;
  /** User name and password, for those who show no certificate. */
  readonly login?: LoginPlan | undefined;
}

/** What CONNECT says about the user; templates may name `{thingName}` and attributes. */
export interface LoginPlan {
  readonly username: string;
  readonly password: string;
}

/** What the broker publishes when a device is lost, `delayS` seconds later. */
export interface WillPlan {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly delayS: number;
}

/** How the delay before the next attempt grows and spreads; `none` never tries again. */
export type ReconnectPolicy =
  | "none"
  | "constant"
  | "exponential"
  | "equal-jitter"
  | "full-jitter"
  | "decorrelated";

/** When a device tries again after a lost or refused connection. */
export interface ReconnectPlan {
  readonly policy: ReconnectPolicy;
  readonly baseUs: number;
  readonly capUs: number;
  /** The attempt counter starts over after a connection that lasted this long. */
  readonly resetAfterUs: number;
}

/** One stream of messages on a fixed schedule. */
export interface TelemetryPlan {
  /** Index of the stream in the run's table; unique over all groups. */
  readonly stream: number;
  readonly name: string;
  readonly everyUs: number;
  readonly phase: "random" | "aligned" | "index";
  /** Topic template: `{thingName}`, attributes, `{index}`. */
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Payload template: strings that are exactly one placeholder keep the value's type. */
  readonly payload: JsonValue;
}

/** What becomes of messages that a device cannot send. */
export interface BufferPlan {
  /** Messages kept while offline; 0 drops at once. */
  readonly capacity: number;
  readonly overflow: "drop-oldest" | "drop-newest";
}
