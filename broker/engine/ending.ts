import { isFailure, REASON, type UserProperty } from "fleetrig/protocol";

/** AWS: `disconnectReason` of lifecycle events (REF §4). */
export type AwsDisconnectReason =
  | "AUTH_ERROR"
  | "CLIENT_ERROR"
  | "CLIENT_INITIATED_DISCONNECT"
  | "CONNECTION_LOST"
  | "CUSTOMAUTH_TTL_EXPIRATION"
  | "DUPLICATE_CLIENTID"
  | "FORBIDDEN_ACCESS"
  | "MQTT_KEEP_ALIVE_TIMEOUT"
  | "SERVER_ERROR"
  | "SERVER_INITIATED_DISCONNECT"
  | "THROTTLED"
  | "WEBSOCKET_TTL_EXPIRATION"
  | "API_INITIATED_DISCONNECT";

/** What an MQTT 5 client may be told besides a reason code, in CONNACK or DISCONNECT. */
export interface ReasonDetails {
  readonly reasonString?: string;
  /** Server Reference (§4.11): where the client should go, with reason codes 0x9C and 0x9D. */
  readonly serverReference?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** The part of `source` that goes into the packet. */
export function detailsOf(source: ReasonDetails): ReasonDetails {
  const { reasonString, serverReference, userProperties } = source;
  return {
    ...(reasonString !== undefined && { reasonString }),
    ...(serverReference !== undefined && { serverReference }),
    ...(userProperties !== undefined && { userProperties }),
  };
}

/** How a connection ends: what the client is told, what the world is told, and whether the will goes out. */
export interface Ending {
  readonly awsReason: AwsDisconnectReason;
  /** Reason code of the DISCONNECT sent to an MQTT 5 client; undefined when there is nobody to tell. */
  readonly reasonCode: number | undefined;
  readonly details?: ReasonDetails;
  readonly clientInitiated: boolean;
  readonly sendsWill: boolean;
  /** True when waiting for the client to read its output would be pointless. */
  readonly abrupt: boolean;
}

const serverSide = (awsReason: AwsDisconnectReason, reasonCode: number): Ending => ({
  awsReason,
  reasonCode,
  clientInitiated: false,
  sendsWill: true,
  abrupt: false,
});

const clientSide = (
  awsReason: AwsDisconnectReason,
  clientInitiated: boolean,
  sendsWill: boolean,
): Ending => ({
  awsReason,
  reasonCode: undefined,
  clientInitiated,
  sendsWill,
  abrupt: false,
});

export const ENDING = {
  disconnected: clientSide("CLIENT_INITIATED_DISCONNECT", true, false),
  /** MQTT 5 DISCONNECT 0x04. */
  disconnectedWithWill: clientSide("CLIENT_INITIATED_DISCONNECT", true, true),
  connectionLost: clientSide("CONNECTION_LOST", false, true),
  keepAliveTimeout: serverSide("MQTT_KEEP_ALIVE_TIMEOUT", REASON.keepAliveTimeout),
  takenOver: serverSide("DUPLICATE_CLIENTID", REASON.sessionTakenOver),
  notAuthorized: serverSide("AUTH_ERROR", REASON.notAuthorized),
  /** AWS: no WebSocket connection lasts longer than a day (REF §2.7). */
  webSocketExpired: serverSide("WEBSOCKET_TTL_EXPIRATION", REASON.administrativeAction),
  slowClient: { ...serverSide("SERVER_INITIATED_DISCONNECT", REASON.quotaExceeded), abrupt: true },
  throttled: serverSide("THROTTLED", REASON.quotaExceeded),
  /** What was promised to be stored cannot be stored. */
  storeFailed: serverSide("SERVER_ERROR", REASON.quotaExceeded),
  shutDown: serverSide("SERVER_INITIATED_DISCONNECT", REASON.serverShuttingDown),
} as const satisfies Record<string, Ending>;

/** The client broke the protocol or a limit. */
export const clientError = (reasonCode: number, details: ReasonDetails = {}): Ending => ({
  ...serverSide("CLIENT_ERROR", reasonCode),
  details,
});

/** The end a client announced: [MQTT-3.14.4-3] only reason code 0x00 discards the will. */
export const announcedEnding = (reasonCode: number): Ending =>
  reasonCode === REASON.disconnectWithWill || isFailure(reasonCode)
    ? ENDING.disconnectedWithWill
    : ENDING.disconnected;
