import type { ConnectInfo } from "../engine/index.js";

/** Choices and bounds of identity; AWS's quotas where it has them (REF §10.4). */
export interface IdentityLimits {
  /** Policies that one certificate or Cognito identity can have. Default 10. */
  readonly policiesPerPrincipal: number;
  /** Policies that one thing group can have. Default 2. */
  readonly policiesPerThingGroup: number;
  /** Versions of one policy that exist at the same time. Default 5. */
  readonly versionsPerPolicy: number;
  /** Length of a policy document without its white space. Default 2,048. */
  readonly policyCharacters: number;
  /** CA certificates with one subject. Default 10. */
  readonly authoritiesPerSubject: number;
}

export const DEFAULT_IDENTITY_LIMITS: IdentityLimits = {
  policiesPerPrincipal: 10,
  policiesPerThingGroup: 2,
  versionsPerPolicy: 5,
  policyCharacters: 2048,
  authoritiesPerSubject: 10,
};

/** How an MQTT client learns that it may not come in: not at all, or by CONNACK. */
export type AuthFailure = "drop" | "connack";

/**
 * Where clients that prove nothing may come in: on plain listeners from this machine, on all plain listeners, on
 * those with these local ports, nowhere, or as a function says.
 */
export type OpenListeners =
  | "loopback"
  | "all"
  | "none"
  | readonly number[]
  | ((info: ConnectInfo) => boolean);

/** How policies are enforced on connections. */
export interface AccessSettings {
  /**
   * Which listeners let clients in that show no credentials; they may then do everything. Links in memory have no
   * listener: all but `none` and functions let them in. Default `loopback`.
   */
  readonly openListeners: OpenListeners;
  /** For MQTT 3.1.1; the documented behaviour is to close without CONNACK (REF §1). Default: `connack` under oasis. */
  readonly authFailure: AuthFailure;
  /** For MQTT 5. Default `connack`. */
  readonly authFailureMqtt5: AuthFailure;
  /** Decisions kept of all connections, so that they need not be taken for every message. Default 500,000. */
  readonly cachedDecisions: number;
  /** Denials kept for whoever asks what was refused. Default 1,000. */
  readonly keptDenials: number;
}

export const DEFAULT_ACCESS_SETTINGS: AccessSettings = {
  openListeners: "loopback",
  authFailure: "drop",
  authFailureMqtt5: "connack",
  cachedDecisions: 500_000,
  keptDenials: 1000,
};
