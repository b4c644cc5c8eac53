import { type PublishPacket, REASON } from "fleetrig/protocol";
import { ApplicationMessage } from "../message.js";
import type { Connection } from "./connection.js";
import { ENDING } from "./ending.js";
import type { ProfileTraits } from "./profiles.js";

/** A PUBLISH from a client (§3.3): checked, authorised, routed, acknowledged. */
export function takePublish(connection: Connection, packet: PublishPacket): void {
  const { core } = connection;
  if (packet.qos === 2) {
    refuseQos2(connection);
    return;
  }
  const publish = packet.topicAlias === undefined ? packet : resolveAlias(connection, packet);
  if (publish === undefined) return;
  const refusal = core.router.refusal(publish.topic);
  if (refusal !== 0) {
    connection.fail(refusal);
    return;
  }
  if (publish.payload.byteLength > core.limits.payloadBytes) {
    connection.fail(REASON.quotaExceeded);
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
  const fields = publish.messageExpiryS === undefined ? publish : withBoundedExpiry(publish, core.traits);
  const message = new ApplicationMessage(fields, connection.clientId, core.clock.nowUs());
  const receivers = core.router.route(message);
  const isUnheard = receivers === 0 && connection.version === 5 && core.traits.reportsNoMatchingSubscribers;
  acknowledge(connection, publish, isUnheard ? REASON.noMatchingSubscribers : REASON.success);
}

const isWithinRates = ({ publishBucket, core }: Connection): boolean =>
  (publishBucket === undefined || publishBucket.take()) && core.rates.takePublish();

function acknowledge(connection: Connection, publish: PublishPacket, reasonCode: number): void {
  // A service may have ended this very connection while it handled the message.
  if (publish.qos === 0 || !connection.isConnected) return;
  connection.answer({ type: "puback", packetId: publish.packetId!, reasonCode });
}

/** AWS: a 3.1.1 client that publishes with QoS 2 never gets an answer (REF §2.1). */
function refuseQos2(connection: Connection): void {
  if (connection.version === 4 && connection.core.traits.qos2 === "ignored") return;
  connection.fail(REASON.qosNotSupported);
}

function deny(connection: Connection, publish: PublishPacket): void {
  const { core, version } = connection;
  core.dropped(connection.clientId, "publish-denied", publish.topic);
  if (version === 5 && publish.qos === 1) {
    acknowledge(connection, publish, REASON.notAuthorized);
  } else if (version === 4 && core.traits.deniedLegacyClient === "tolerated") {
    // [MQTT-3.3.5-2] 3.1.1 knows no refusal: acknowledge or close.
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
