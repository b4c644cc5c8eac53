import type { ConnectPacket } from "fleetrig/protocol";
import type { AwsDisconnectReason, ConnectInfo } from "../engine/index.js";
import type { AuthorizationFacts, CompiledPolicy } from "../policy/index.js";

/** Who acts on a connection or in a request. Port: certificates here, authorizers and SigV4 elsewhere. */
export interface Principal {
  /** Of lifecycle events, logs and denials: a certificate id, `<account>/<role>:<session>`, ... */
  readonly principalIdentifier: string;
  /**
   * As in `PolicyTarget`: what things and policies are attached to. Undefined for principals that only bring
   * policies of their own.
   */
  readonly target: string | undefined;
  /**
   * Policies in force, any of which may allow. Asked when the connection begins and after every change that is
   * reported; the answer may be kept until then.
   * @param thingName The thing that the connection is associated with.
   */
  policies(thingName: string | undefined): readonly CompiledPolicy[];
  /** Policies that must allow as well, such as those of the IAM role of a Cognito identity. */
  boundary?(): readonly CompiledPolicy[];
  /** What policies can know of it besides client, address and thing. */
  readonly facts?: Pick<AuthorizationFacts, "certificate" | "others">;
  /** Why it may not be used now, as a sentence; undefined while it may. Asked at every CONNECT and after changes. */
  refusal?(): string | undefined;
  /** µs of the broker's clock at which its connection ends. */
  readonly expiresAtUs?: number;
  /** Told to the world when it expires. Default CUSTOMAUTH_TTL_EXPIRATION. */
  readonly expiryReason?: AwsDisconnectReason;
}

/** Somebody was identified, or must not come in. */
export type Identification =
  | { readonly principal: Principal }
  | {
      /** MQTT 5 reason code, such as 0x86 or 0x87. */
      readonly refuse: number;
      /** Why, as a sentence for the log; the client is not told. */
      readonly explanation: string;
      /** If known; for lifecycle events and the log. */
      readonly principalIdentifier?: string;
    };

/** A way of proving who one is. */
export interface PrincipalSource {
  /**
   * Whose CONNECT is this? `none` passes the question on to the next source. May answer `later` and call `settle`
   * once; the client waits, at most until the connect deadline.
   */
  identify(
    connect: ConnectPacket,
    info: ConnectInfo,
    settle: (identification: Identification | "none") => void,
  ): Identification | "none" | "later";
}
