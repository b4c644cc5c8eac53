import { type DisconnectPacket, REASON } from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import { announcedEnding } from "./ending.js";
import { grantedExpiryS } from "./session-expiry.js";

/** The client's DISCONNECT (§3.14): may change the session's expiry, decides about the will. */
export function takeDisconnect(connection: Connection, packet: DisconnectPacket): void {
  const { sessionExpiryS } = packet;
  if (connection.version === 5 && sessionExpiryS !== undefined) {
    // [MQTT-3.14.2.2.2] a session that was to end with its connection cannot be prolonged any more.
    if (sessionExpiryS > 0 && connection.requestedExpiryS === 0) {
      connection.fail(REASON.protocolError);
      return;
    }
    connection.session!.expiryS = grantedExpiryS(sessionExpiryS, connection.core.limits);
  }
  connection.end(connection.version === 5 ? announcedEnding(packet.reasonCode) : announcedEnding(0));
}
