import type { ConnectPacket } from "fleetrig/protocol";
import type { BrokerLimits } from "./limits.js";

/** [MQTT-3.1.2.11.2] the value that means "never". */
const NEVER_S = 0xff_ff_ff_ff;

/** A requested Session Expiry Interval, bounded; `Infinity` is never. */
export const grantedExpiryS = (requestedS: number, limits: BrokerLimits): number =>
  Math.min(requestedS === NEVER_S ? Number.POSITIVE_INFINITY : requestedS, limits.sessionExpiryS);

/** How long the session of this CONNECT outlives its connection, in seconds. */
export function sessionExpiryOf(connect: ConnectPacket, limits: BrokerLimits): number {
  if (connect.protocolVersion === 5) return grantedExpiryS(connect.sessionExpiryS ?? 0, limits);
  return connect.cleanStart ? 0 : limits.persistentSessionS;
}

/** The value for CONNACK when it is not what the client asked for. */
export function announcedExpiryS(connect: ConnectPacket, grantedS: number): number | undefined {
  const encodedS = Number.isFinite(grantedS) ? grantedS : NEVER_S;
  return encodedS === (connect.sessionExpiryS ?? 0) ? undefined : encodedS;
}
