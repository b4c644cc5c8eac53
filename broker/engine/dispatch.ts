import { type Packet, PINGRESP, REASON } from "fleetrig/protocol";
import { takeAcknowledge } from "./acknowledge-intake.js";
import type { Connection } from "./connection.js";
import { takeDisconnect } from "./disconnect-notice.js";
import { takePublish } from "./publish-intake.js";
import { takeSubscribe, takeUnsubscribe } from "./subscribe-intake.js";

/** Every packet of a connected client to the code that knows what it means. */
export function dispatch(connection: Connection, packet: Packet): void {
  switch (packet.type) {
    case "publish":
      takePublish(connection, packet);
      break;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      takeAcknowledge(connection, packet);
      break;
    case "pingreq":
      connection.send(PINGRESP);
      break;
    case "subscribe":
      takeSubscribe(connection, packet);
      break;
    case "unsubscribe":
      takeUnsubscribe(connection, packet);
      break;
    case "disconnect":
      takeDisconnect(connection, packet);
      break;
    case "auth":
      // [MQTT-4.12.0-7] only for a client that named a method in CONNECT.
      if (connection.authentication === undefined) connection.fail(REASON.protocolError);
      else connection.authentication.take(packet);
      break;
    default:
      // A second CONNECT [MQTT-3.1.0-2], and what only servers send.
      connection.fail(REASON.protocolError);
  }
}
