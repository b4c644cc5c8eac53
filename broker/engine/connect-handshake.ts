import {
  type ConnackPacket,
  type ConnectPacket,
  type PacketLink,
  REASON,
  reasonName,
} from "fleetrig/protocol";
import { validateConnect } from "./connect-rules.js";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import type { ConnectInfo } from "./hooks.js";
import { effectiveKeepAliveS } from "./profiles.js";
import type { Session } from "./session.js";
import { isSharedFilter } from "./topic-rules.js";
import type { OpenedSession } from "./session-directory.js";
import { announcedExpiryS, sessionExpiryOf } from "./session-expiry.js";
import { TokenBucket } from "./token-bucket.js";

export interface Refusal {
  readonly clientId: string;
  readonly reasonCode: number;
  /** False when not even a CONNACK is due. */
  readonly isAnswered: boolean;
}

/** Where a client comes from, as hooks are told. */
const origin = ({ remoteAddress, peer }: PacketLink): Pick<ConnectInfo, "remoteAddress" | "peer"> =>
  peer === undefined ? { remoteAddress } : { remoteAddress, peer };

/** Ends a link that never became a connection. */
export function refuseConnect(connection: Connection, refusal: Refusal): void {
  const { core, link } = connection;
  const { clientId, reasonCode } = refusal;
  connection.release();
  core.counters.countRefusal(reasonCode);
  if (refusal.isAnswered) connection.send({ type: "connack", sessionPresent: false, reasonCode });
  link.close();
  const atUs = core.clock.nowUs();
  core.events.emit({ type: "broker.refused", atUs, clientId, reason: reasonName(reasonCode) });
  core.hooks.refused({ clientId, atUs, ...origin(link), reasonCode });
  core.closed(connection);
}

/** First half of CONNECT: is it valid, and is it its turn? */
export function admitConnect(connection: Connection, packet: ConnectPacket): "open" | "later" | "refused" {
  const { core } = connection;
  connection.version = packet.protocolVersion === 5 ? 5 : 4;
  const refuse = (reasonCode: number): "refused" => {
    refuseConnect(connection, { clientId: packet.clientId, reasonCode, isAnswered: true });
    return "refused";
  };
  const fault = validateConnect(packet, core.limits, core.traits);
  if (fault !== 0) return refuse(fault);
  if (core.counters.connections >= core.limits.connections) return refuse(REASON.quotaExceeded);
  const admission = core.gate.admit(connection);
  return admission === "refused" ? refuse(REASON.quotaExceeded) : admission;
}

/** Second half: policies, session, CONNACK, then whatever waited for this client. */
export function acceptConnect(connection: Connection, packet: ConnectPacket): void {
  const { core, link } = connection;
  const clientId = packet.clientId === "" ? assignedClientId(core) : packet.clientId;
  const info = { clientId, atUs: core.clock.nowUs(), ...origin(link) };
  const decision = core.hooks.authorizeConnect(packet, info);
  const reasonCode = decision === "allow" ? willRefusal(core, clientId, packet) : decision.refuse;
  if (reasonCode !== 0) {
    core.counters.connectsDenied += 1;
    refuseConnect(connection, { clientId, reasonCode, isAnswered: true });
    return;
  }
  const expiryS = sessionExpiryOf(packet, core.limits);
  const { version } = connection;
  const opened = core.sessions.open(
    { clientId, version, cleanStart: packet.cleanStart, expiryS },
    connection,
  );
  adopt(connection, packet, opened);
  connection.send(connack(connection, packet, opened));
  announce(connection, packet, opened.sessionPresent);
  if (connection.isConnected) opened.session.resume();
  if (connection.isConnected && opened.sessionPresent) takeSharedBacklog(core, opened.session);
}

/** A member of share groups is back: nobody else may be there to send what waits for the others. */
function takeSharedBacklog(core: BrokerCore, session: Session): void {
  if (core.router.shares.size === 0) return;
  for (const subscription of session.subscriptions())
    if (isSharedFilter(subscription.filter)) core.router.shares.memberArrived(subscription);
}

/** What the client asked for becomes the connection's own settings. */
function adopt(connection: Connection, packet: ConnectPacket, opened: OpenedSession): void {
  const { core } = connection;
  const { limits } = core;
  connection.will = packet.will;
  connection.requestedExpiryS = packet.sessionExpiryS ?? 0;
  connection.sendWindow = Math.min(packet.receiveMaximum ?? 65_535, limits.maxInflight);
  connection.packetBytesMax = packet.maximumPacketBytes ?? Number.POSITIVE_INFINITY;
  if (limits.publishRatePerConnection > 0)
    connection.publishBucket = new TokenBucket(core.clock, limits.publishRatePerConnection);
  connection.establish(opened.session, effectiveKeepAliveS(packet.keepAliveS, core.traits));
  core.counters.connections += 1;
  core.counters.connected += 1;
}

function announce(connection: Connection, packet: ConnectPacket, sessionPresent: boolean): void {
  const { core, link, clientId, version } = connection;
  const atUs = core.clock.nowUs();
  core.opened(connection);
  core.events.emit({ type: "broker.connected", atUs, clientId, sessionPresent });
  const info = {
    clientId,
    atUs,
    sessionPresent,
    ...origin(link),
    protocolVersion: version,
  };
  core.hooks.connected(packet.username === undefined ? info : { ...info, username: packet.username });
}

/** The Server's answer with everything an MQTT 5 client must know (§3.2.2.3, REF §2.6). */
function connack(connection: Connection, packet: ConnectPacket, opened: OpenedSession): ConnackPacket {
  const { sessionPresent, session } = opened;
  const { limits, traits } = connection.core;
  if (connection.version === 4) return { type: "connack", sessionPresent, reasonCode: REASON.success };
  const keepAliveS = effectiveKeepAliveS(packet.keepAliveS, traits);
  const expiryS = announcedExpiryS(packet, session.expiryS);
  // Filled in rather than spread together: conditional spreads are slow, and a storm is made of these.
  const answer: { -readonly [Field in keyof ConnackPacket]: ConnackPacket[Field] } = {
    type: "connack",
    sessionPresent,
    reasonCode: REASON.success,
    retainAvailable: true,
    wildcardSubscriptionAvailable: true,
    sharedSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: traits.subscriptionIds,
    receiveMaximum: limits.receiveMaximum,
    topicAliasMaximum: limits.topicAliasMaximum,
    maximumPacketBytes: limits.packetBytes,
  };
  // [MQTT-3.2.2-9] absent where there is no limit.
  if (traits.qos2 === "ignored") answer.maximumQos = 1;
  if (expiryS !== undefined) answer.sessionExpiryS = expiryS;
  if (keepAliveS !== packet.keepAliveS) answer.serverKeepAliveS = keepAliveS;
  if (packet.clientId === "") answer.assignedClientId = session.clientId;
  return answer;
}

/** AWS: who connects with a will needs the right to publish it (REF §2.4). */
function willRefusal(core: BrokerCore, clientId: string, packet: ConnectPacket): number {
  if (packet.will === undefined || core.hooks.authorizePublish(clientId, packet.will)) return 0;
  return REASON.notAuthorized;
}

function assignedClientId(core: BrokerCore): string {
  for (;;) {
    const number = core.random.uint32() * 0x10_00_00 + (core.random.uint32() >>> 12);
    const clientId = `auto-${number.toString(16).padStart(13, "0")}`;
    if (core.sessions.get(clientId) === undefined) return clientId;
  }
}
