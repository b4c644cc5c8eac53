import { isFailure, type PublishPacket, REASON } from "fleetrig/protocol";
import { ApplicationMessage } from "../message.js";
import type { Connection } from "./connection.js";
import { clientError, ENDING } from "./ending.js";
import { areFewProperties } from "./user-property-limit.js";
import type { ProfileTraits } from "./profiles.js";

const TOO_MANY_PROPERTIES = "A message has more user properties than this server takes.";
const TOO_MANY_UNRELEASED = "Too many publishes of QoS 2 lack their PUBREL.";

/** A PUBLISH from a client (§3.3): checked, authorised, routed, acknowledged. */
export function takePublish(connection: Connection, packet: PublishPacket): void {
  const { core } = connection;
  if (packet.qos === 2 && core.traits.qos2 === "ignored") {
    refuseQos2(connection);
    return;
  }
  const publish = packet.topicAlias === undefined ? packet : resolveAlias(connection, packet);
  if (publish === undefined) return;
  if (packet.qos > 0 && !isNew(connection, packet)) return;
  const refusal = core.router.refusal(publish.topic);
  if (refusal !== 0) {
    connection.fail(refusal);
    return;
  }
  if (publish.payload.byteLength > core.limits.payloadBytes) {
    connection.fail(REASON.quotaExceeded);
    return;
  }
  if (publish.userProperties !== undefined && !areFewProperties(publish.userProperties, core.limits)) {
    connection.end(clientError(REASON.quotaExceeded, { reasonString: TOO_MANY_PROPERTIES }));
    return;
  }
  if (publish.qos === 2 && connection.session!.unreleased >= core.limits.unreleasedPerSession) {
    connection.end(clientError(REASON.quotaExceeded, { reasonString: TOO_MANY_UNRELEASED }));
    return;
  }
  if (!isWithinRates(connection)) {
    core.dropped(connection.clientId, "publish-rate", publish.topic);
    if (connection.version === 5) acknowledge(connection, publish, REASON.quotaExceeded);
    return;
  }
  if (!core.hooks.authorizePublish(connection.clientId, publish)) {
    deny(connection, publish);
    return;
  }
  if (publish.qos === 2) connection.session!.receive(publish.packetId!);
  const fields = publish.messageExpiryS === undefined ? publish : withBoundedExpiry(publish, core.traits);
  const message = new ApplicationMessage(fields, connection.clientId, connection.lastReceivedAt);
  message.cameAs(packet);
  const receivers = core.router.route(message);
  const isUnheard = receivers === 0 && connection.version === 5 && core.traits.reportsNoMatchingSubscribers;
  acknowledge(connection, publish, isUnheard ? REASON.noMatchingSubscribers : REASON.success);
}

const isWithinRates = ({ publishBucket, core }: Connection): boolean =>
  (publishBucket === undefined || publishBucket.take()) && core.rates.takePublish();

/**
 * Looks up the identifier of a QoS 1 or 2 publish, and counts it.
 * @returns false when there is nothing more to do: it came before, or broke a rule.
 */
function isNew(connection: Connection, { packetId, qos }: PublishPacket): boolean {
  const { version, core } = connection;
  if (connection.session!.hasReceived(packetId!)) {
    if (qos === 2) connection.answer({ type: "pubrec", packetId: packetId!, reasonCode: REASON.success });
    // [MQTT-2.2.1-3] QoS 1 under an identifier that a QoS 2 publish still holds.
    else if (version === 4) connection.fail(REASON.protocolError);
    else
      connection.answer({
        type: "puback",
        packetId: packetId!,
        reasonCode: REASON.packetIdentifierInUse,
      });
    return false;
  }
  // [MQTT-3.3.4-7] only MQTT 5 clients know how much the broker takes at once.
  if (version === 5 && connection.unanswered >= core.limits.receiveMaximum) {
    connection.fail(REASON.receiveMaximumExceeded);
    return false;
  }
  connection.unanswered += 1;
  return true;
}

function acknowledge(connection: Connection, publish: PublishPacket, reasonCode: number): void {
  // A service may have ended this very connection while it handled the message.
  if (publish.qos === 0 || !connection.isConnected) return;
  const packetId = publish.packetId!;
  if (publish.qos === 1) connection.answer({ type: "puback", packetId, reasonCode }, true);
  // [MQTT-4.3.3-9] a failed PUBREC ends the exchange: the identifier is free.
  else connection.answer({ type: "pubrec", packetId, reasonCode }, isFailure(reasonCode));
  const { journal } = connection.core;
  // A client that publishes faster than the disk writes is not read from until that has caught up.
  if (journal?.isCongested === true && connection.hold("disk"))
    journal.whenRelieved(() => connection.unhold("disk"));
}

/** AWS: a 3.1.1 client that publishes with QoS 2 never gets an answer (REF §2.1). */
function refuseQos2(connection: Connection): void {
  if (connection.version === 5) connection.fail(REASON.qosNotSupported);
}

function deny(connection: Connection, publish: PublishPacket): void {
  const { core, version } = connection;
  core.dropped(connection.clientId, "publish-denied", publish.topic);
  if (version === 5 && publish.qos > 0) {
    acknowledge(connection, publish, REASON.notAuthorized);
  } else if (version === 4 && core.traits.deniedLegacyClient === "tolerated") {
    // [MQTT-3.3.5-2] 3.1.1 knows no refusal: acknowledge or close.
    if (publish.qos === 2) connection.session!.receive(publish.packetId!);
    acknowledge(connection, publish, REASON.success);
  } else {
    connection.end(ENDING.notAuthorized);
  }
}

/** Topic Alias (§3.3.2.3.4). @returns undefined when the connection had to be ended. */
function resolveAlias(connection: Connection, packet: PublishPacket): PublishPacket | undefined {
  const alias = packet.topicAlias!;
  if (alias === 0 || alias > connection.core.limits.topicAliasMaximum) {
    connection.fail(REASON.topicAliasInvalid);
    return undefined;
  }
  if (packet.topic !== "") {
    connection.topicAliases ??= new Map();
    connection.topicAliases.set(alias, packet.topic);
    return packet;
  }
  const topic = connection.topicAliases?.get(alias);
  if (topic === undefined) {
    connection.fail(REASON.protocolError);
    return undefined;
  }
  return { ...packet, topic };
}

function withBoundedExpiry(publish: PublishPacket, traits: ProfileTraits): PublishPacket {
  const range = traits.messageExpiry;
  if (range === undefined) return publish;
  const requestedS = publish.messageExpiryS!;
  const messageExpiryS = Math.min(Math.max(requestedS, range.minimumS), range.maximumS);
  return messageExpiryS === requestedS ? publish : { ...publish, messageExpiryS };
}
