import { US_PER_S } from "fleetrig/kernel";
import type { ConnackPacket } from "fleetrig/protocol";
import type { MqttPlan } from "../plan.js";

/** [MQTT-3.1.2.11.2] this expiry means never. */
const NEVER_EXPIRES_S = 0xffff_ffff;

/**
 * How long after a loss the device may expect its session back, in µs; 0 when it may not. The server's own
 * figure overrides the request; 3.1.1 has none, so a device expects such a session for ever.
 */
export function sessionLifetimeUs(mqtt: MqttPlan, connack: ConnackPacket): number {
  if (mqtt.cleanStart) return 0;
  if (mqtt.protocolVersion === 4) return Number.POSITIVE_INFINITY;
  const expiryS = connack.sessionExpiryS ?? mqtt.sessionExpiryS;
  return expiryS === NEVER_EXPIRES_S ? Number.POSITIVE_INFINITY : expiryS * US_PER_S;
}
