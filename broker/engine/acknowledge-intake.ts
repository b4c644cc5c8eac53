import { type AcknowledgePacket, isFailure, REASON } from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import type { AcknowledgeOutcome } from "./outbox.js";

/**
 * The packets with which a message is handed over (§3.4 - §3.7, §4.3): PUBACK, PUBREC and PUBCOMP answer what the
 * broker sent, PUBREL goes on with what the client sent.
 */
export function takeAcknowledge(connection: Connection, packet: AcknowledgePacket): void {
  const session = connection.session!;
  const { type, packetId } = packet;
  if (type === "puback") {
    if (session.acknowledge(packetId) === "mismatch") connection.fail(REASON.protocolError);
    return;
  }
  // AWS: QoS 2 does not exist (REF §2.1).
  if (connection.core.traits.qos2 === "ignored") connection.fail(REASON.protocolError);
  else if (type === "pubrec") takeReceived(connection, packet);
  else if (type === "pubrel") takeReleased(connection, packetId);
  else if (session.finish(packetId) === "mismatch") connection.fail(REASON.protocolError);
}

/** PUBREC: the client has the message, or refuses it. */
function takeReceived(connection: Connection, { packetId, reasonCode }: AcknowledgePacket): void {
  const session = connection.session!;
  // Only MQTT 5 has reason codes; the codec sets 0 for 3.1.1.
  const isRefused = isFailure(reasonCode);
  const outcome: AcknowledgeOutcome = isRefused ? session.reject(packetId) : session.release(packetId);
  if (outcome === "mismatch") {
    connection.fail(REASON.protocolError);
    return;
  }
  if (isRefused) return;
  // [MQTT-4.3.3-4] also an identifier that is lost here gets its PUBREL, so that the client can forget it too.
  const isLost = outcome === "unknown" && connection.version === 5;
  const answer = isLost ? REASON.packetIdentifierNotFound : REASON.success;
  connection.answer({ type: "pubrel", packetId, reasonCode: answer });
}

/** PUBREL: the client will not repeat its publish any more. */
function takeReleased(connection: Connection, packetId: number): void {
  const wasKnown = connection.session!.forgetReceived(packetId);
  const isLost = !wasKnown && connection.version === 5;
  const reasonCode = isLost ? REASON.packetIdentifierNotFound : REASON.success;
  connection.answer({ type: "pubcomp", packetId, reasonCode }, true);
}
