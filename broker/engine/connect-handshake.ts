import {
  type ConnackPacket,
  type ConnectPacket,
  hasReturnCode,
  hasWildcard,
  REASON,
  reasonName,
} from "fleetrig/protocol";
import type { ConnectAttempt } from "./connect-attempt.js";
import { validateConnect } from "./connect-rules.js";
import type { Connection } from "./connection.js";
import type { BrokerCore } from "./core.js";
import type { ReasonDetails } from "./ending.js";
import { Authentication, type AuthenticationProof } from "./enhanced-auth.js";
import { IntakePace } from "./intake-pace.js";
import type { ConnectDecision, ConnectInfo, Refused } from "./hooks.js";
import { OutboundAliases } from "./outbound-aliases.js";
import { fittingPacket } from "./packet-fit.js";
import { effectiveKeepAliveS } from "./profiles.js";
import type { Session } from "./session.js";
import { isSharedFilter } from "./topic-rules.js";
import type { OpenedSession } from "./session-directory.js";
import { announcedExpiryS, sessionExpiryOf } from "./session-expiry.js";
import { TokenBucket } from "./token-bucket.js";

const TOO_OFTEN = "The client connects too often.";
const NO_ROOM = "The server has as many connections as it takes.";
const NO_MEMORY = "The server is short of memory.";

type Connack = { -readonly [Field in keyof ConnackPacket]: ConnackPacket[Field] };

export interface Refusal {
  readonly clientId: string;
  readonly reasonCode: number;
  /** False when not even a CONNACK is due. */
  readonly isAnswered: boolean;
  /** For an MQTT 5 client. */
  readonly details?: ReasonDetails;
}

/** Where a client comes from, as hooks are told. */
function origin(connection: Connection): Pick<ConnectInfo, "connection" | "remoteAddress" | "peer"> {
  const { remoteAddress, peer } = connection.link;
  return peer === undefined ? { connection, remoteAddress } : { connection, remoteAddress, peer };
}

/** Ends a link that never became a connection. */
export function refuseConnect(connection: Connection, refusal: Refusal): void {
  const { core, link } = connection;
  const { clientId, reasonCode } = refusal;
  const details = connection.version === 5 ? refusal.details : undefined;
  const isAnswered = refusal.isAnswered && (connection.version === 5 || hasReturnCode(reasonCode));
  connection.release();
  core.counters.countRefusal(reasonCode);
  if (isAnswered) connection.send({ type: "connack", sessionPresent: false, reasonCode, ...details });
  link.close();
  const atUs = core.clock.nowUs();
  core.events.emit({ type: "broker.refused", atUs, clientId, reason: reasonName(reasonCode) });
  core.hooks.refused({ clientId, atUs, ...origin(connection), reasonCode });
  core.closed(connection);
}

/** First half of CONNECT: is it valid, and is it its turn? */
export function admitConnect(connection: Connection, packet: ConnectPacket): "open" | "later" | "refused" {
  const { core } = connection;
  connection.version = packet.protocolVersion === 5 ? 5 : 4;
  connection.wantsProblemInformation = packet.requestProblemInformation ?? true;
  connection.packetBytesMax = packet.maximumPacketBytes || Number.POSITIVE_INFINITY;
  const refuse = (reasonCode: number, reasonString: string): "refused" => {
    const details = { reasonString };
    refuseConnect(connection, { clientId: packet.clientId, reasonCode, isAnswered: true, details });
    return "refused";
  };
  const fault = validateConnect(packet, core.limits, core.traits);
  if (fault !== undefined) return refuse(fault.reasonCode, fault.reason);
  // Who is in stays in; each new client would only make it worse.
  if (core.pressure.isCritical) return refuse(REASON.serverBusy, NO_MEMORY);
  if (isFull(core)) return refuse(REASON.quotaExceeded, NO_ROOM);
  const admission = core.gate.admit(connection);
  if (admission !== "refused") return admission;
  return refuse(REASON.quotaExceeded, "Too many clients connect at the same time.");
}

const isFull = ({ counters, limits }: BrokerCore): boolean => counters.connections >= limits.connections;

/** Second half: who is it, and may it come in? Both may take their time. */
export function pursueConnect(connection: Connection, attempt: ConnectAttempt): void {
  const { packet } = attempt;
  if (packet.clientId === "") attempt.clientId = assignedClientId(connection.core);
  const { authenticationMethod: method } = packet;
  if (method === undefined) {
    askForDecision(connection, attempt, {});
    return;
  }
  attempt.authentication = new Authentication(connection, method, packet.username);
  attempt.authentication.begin(
    { data: packet.authenticationData, userProperties: packet.userProperties },
    {
      succeeded: (proof) => askForDecision(connection, attempt, proof),
      failed: (refused) => denyConnect(connection, refused),
    },
  );
}

function askForDecision(connection: Connection, attempt: ConnectAttempt, proof: AuthenticationProof): void {
  const { core } = connection;
  const { packet, clientId } = attempt;
  const info = { clientId, atUs: core.clock.nowUs(), ...origin(connection) };
  const conclude = (decision: ConnectDecision): void => {
    // The link may be gone by now, or the deadline over.
    if (!connection.isWaiting) return;
    if (decision !== "allow") denyConnect(connection, decision);
    else acceptConnect(connection, attempt, proof);
  };
  const decision = core.hooks.authorizeConnect(packet, info, conclude);
  if (decision !== "later") conclude(decision);
}

/** Reason codes that speak of the client, not of the broker's state. */
const DENIALS: ReadonlySet<number> = new Set([
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
  REASON.banned,
  REASON.badAuthenticationMethod,
]);

function denyConnect(connection: Connection, refused: Refused): void {
  if (DENIALS.has(refused.refuse)) connection.core.counters.connectsDenied += 1;
  connection.deny(refused);
}

/** The client comes in: session, CONNACK, then whatever waited for this client, and what it sent meanwhile. */
function acceptConnect(connection: Connection, attempt: ConnectAttempt, proof: AuthenticationProof): void {
  const { core, version } = connection;
  const { packet, clientId } = attempt;
  const refused = lateRefusal(core, attempt);
  if (refused !== undefined) {
    denyConnect(connection, refused);
    return;
  }
  const expiryS = sessionExpiryOf(packet, core.limits);
  const answer = connack(connection, attempt, expiryS);
  Object.assign(answer, proof);
  if (version === 5 && fittingPacket(answer, connection) === undefined) shorten(answer);
  if (version === 5 && fittingPacket(answer, connection) === undefined) {
    // [MQTT-3.1.2-24] a client that takes no CONNACK cannot be served.
    connection.deny({ refuse: REASON.packetTooLarge });
    return;
  }
  const opened = core.sessions.open(
    { clientId, version, cleanStart: packet.cleanStart, expiryS },
    connection,
  );
  answer.sessionPresent = opened.sessionPresent;
  connection.authentication = attempt.authentication;
  adopt(connection, packet, opened);
  if (core.journal !== undefined) {
    core.journal.sessionChanged(opened.session);
    connection.holdUntilDurable();
    if (!connection.isConnected) return;
  }
  connection.send(answer);
  announce(connection, packet, opened.sessionPresent);
  if (connection.isConnected) opened.session.resume();
  if (connection.isConnected && opened.sessionPresent) takeSharedBacklog(core, opened.session);
  connection.catchUp(attempt.kept);
}

/** What could not be known, or may have changed, before the decision. */
function lateRefusal(core: BrokerCore, { packet, clientId }: ConnectAttempt): Refused | undefined {
  if (isFull(core)) return { refuse: REASON.quotaExceeded, reasonString: NO_ROOM };
  if (!core.rates.takeConnect(clientId)) return { refuse: REASON.quotaExceeded, reasonString: TOO_OFTEN };
  if (core.sessions.size >= core.limits.sessions && core.sessions.get(clientId) === undefined)
    return { refuse: REASON.quotaExceeded, reasonString: "The server has as many sessions as it takes." };
  // AWS: who connects with a will needs the right to publish it (REF §2.4).
  if (packet.will === undefined) return undefined;
  if (core.hooks.authorizePublish(clientId, { ...packet.will, isWill: true })) return undefined;
  return { refuse: REASON.notAuthorized, reasonString: "The client may not publish its will." };
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
  const aliases = Math.min(packet.topicAliasMaximum ?? 0, limits.outboundTopicAliases);
  if (aliases > 0) connection.outboundAliases = new OutboundAliases(aliases, connection.packetBytesMax);
  connection.pace = IntakePace.for(connection);
  if (connection.pace?.delaysPublishes !== true)
    connection.publishBucket = TokenBucket.for(core.clock, limits.publishRatePerConnection);
  connection.establish(opened.session, effectiveKeepAliveS(packet.keepAliveS, core.traits));
  core.counters.connections += 1;
  core.counters.connected += 1;
}

function announce(connection: Connection, packet: ConnectPacket, sessionPresent: boolean): void {
  const { core, clientId, version } = connection;
  const atUs = core.clock.nowUs();
  core.opened(connection);
  core.events.emit({ type: "broker.connected", atUs, clientId, sessionPresent });
  const info = {
    clientId,
    atUs,
    sessionPresent,
    ...origin(connection),
    protocolVersion: version,
  };
  core.hooks.connected(packet.username === undefined ? info : { ...info, username: packet.username });
}

/** The Server's answer with everything an MQTT 5 client must know (§3.2.2.3, REF §2.6). */
function connack(connection: Connection, attempt: ConnectAttempt, grantedExpiryS: number): Connack {
  const { limits, traits, features } = connection.core;
  const sessionPresent = false;
  if (connection.version === 4) return { type: "connack", sessionPresent, reasonCode: REASON.success };
  const { packet, clientId } = attempt;
  const keepAliveS = effectiveKeepAliveS(packet.keepAliveS, traits);
  const expiryS = announcedExpiryS(packet, grantedExpiryS);
  // Filled in rather than spread together: conditional spreads are slow, and a storm is made of these.
  const answer: Connack = {
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
  if (packet.clientId === "") answer.assignedClientId = clientId;
  const { responseTopicPrefix } = features;
  // A client id may hold wildcards, which no response topic can.
  if (
    packet.requestResponseInformation === true &&
    responseTopicPrefix !== undefined &&
    !hasWildcard(clientId)
  )
    answer.responseInformation = `${responseTopicPrefix}${clientId}`;
  return answer;
}

/** Leaves out what a client that takes small packets only can do without: its absence means the same, or less. */
function shorten(answer: Connack): void {
  delete answer.retainAvailable;
  delete answer.wildcardSubscriptionAvailable;
  delete answer.sharedSubscriptionAvailable;
  if (answer.subscriptionIdentifiersAvailable === true) delete answer.subscriptionIdentifiersAvailable;
  delete answer.topicAliasMaximum;
  delete answer.responseInformation;
}

function assignedClientId(core: BrokerCore): string {
  for (;;) {
    const number = core.random.uint32() * 0x10_00_00 + (core.random.uint32() >>> 12);
    const clientId = `auto-${number.toString(16).padStart(13, "0")}`;
    if (core.sessions.get(clientId) === undefined) return clientId;
  }
}
