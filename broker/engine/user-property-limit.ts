import type { UserProperty } from "fleetrig/protocol";
import type { BrokerLimits } from "./limits.js";

/** Are there as few user properties, and are they as short, as the limits ask for? */
export function areFewProperties(properties: readonly UserProperty[], limits: BrokerLimits): boolean {
  if (properties.length > limits.userPropertiesPerPacket) return false;
  let bytes = 0;
  for (const [name, value] of properties) bytes += name.length + value.length;
  return bytes <= limits.userPropertyBytes;
}
