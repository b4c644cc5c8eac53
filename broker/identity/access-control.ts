import { type Clock, type EventSink, type Timer } from "fleetrig/kernel";
import { type ConnectPacket, REASON, type SubscriptionRequest } from "fleetrig/protocol";
import type { Account } from "../account.js";
import type {
  AwsDisconnectReason,
  BrokerHooks,
  ConnectDecision,
  ConnectedInfo,
  ConnectInfo,
  DisconnectedInfo,
  MqttBroker,
} from "../engine/index.js";
import type { ApplicationMessage, MessageFields } from "../message.js";
import { ActingClient, type ActingClientOptions, type MessageAction } from "./acting-client.js";
import { Denials, type ExplainedDecision } from "./denials.js";
import type { Identity } from "./identity.js";
import type { IdentityChange } from "./identity-events.js";
import { JustInTimeRegistration } from "./just-in-time.js";
import { LiveClients } from "./live-clients.js";
import { groupOf, type PolicyTarget } from "./policy-targets.js";
import { type Identified, OPEN, PrincipalFinder } from "./principal-finder.js";
import { decideRequest, type RequestedAccess } from "./request-decision.js";
import type { Identification, Principal, PrincipalSource } from "./principal.js";
import { type AccessSettings, DEFAULT_ACCESS_SETTINGS } from "./settings.js";

/** What access control works with. */
export interface AccessControlOptions {
  readonly identity: Identity;
  readonly broker: MqttBroker;
  readonly account: Account;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly settings?: Partial<AccessSettings>;
}

/**
 * Certificates and policies on live connections (REF §10): who may come in, publish, subscribe and receive. What
 * changes in policies, attachments, certificates or the registry holds from the next message on.
 */
export class AccessControl implements Partial<BrokerHooks> {
  readonly denials: Denials;
  readonly justInTime: JustInTimeRegistration;
  private readonly settings: AccessSettings;
  private readonly finder: PrincipalFinder;
  private readonly live = new LiveClients();
  /** Client ids that came in without credentials. */
  private readonly open = new Set<string>();
  /** From the decision on: a client id may have two connections then. */
  private readonly entering = new WeakMap<object, ActingClient | typeof OPEN>();
  /** By connection, whatever becomes of it: how lifecycle events call whoever it belongs to. */
  private readonly names = new WeakMap<object, string>();
  private readonly expiries = new Map<ActingClient, Timer>();
  private readonly common: ActingClientOptions;

  constructor(private readonly options: AccessControlOptions) {
    const { identity, broker, account, clock, events } = options;
    const profiled = broker.profile === "oasis" ? { authFailure: "connack" as const } : {};
    this.settings = { ...DEFAULT_ACCESS_SETTINGS, ...profiled, ...options.settings };
    this.denials = new Denials(clock, events, this.settings.keptDenials);
    this.justInTime = new JustInTimeRegistration({ identity, account, clock, bus: broker });
    const { openListeners } = this.settings;
    this.finder = new PrincipalFinder({ identity, justInTime: this.justInTime, openListeners });
    this.common = {
      things: identity.things,
      arnPrefix: account.arnPrefix,
      wallMs: () => clock.wallMs(),
      budget: { left: this.settings.cachedDecisions },
    };
    identity.onChange((change) => this.identityChanged(change));
  }

  /** Sources are asked in the order in which they were added, all before certificates and open listeners. */
  addSource(source: PrincipalSource): void {
    this.finder.add(source);
  }

  /**
   * Policies, facts or the validity of a principal changed: its connections are asked again, and end when it may be
   * used no longer.
   * @param target `Principal.target`, or the identifier of a principal without one.
   */
  principalChanged(target: string): void {
    for (const client of this.live.of(target)) this.clientChanged(client);
  }

  /** What is known of a thing changed: its attributes, its groups, the principals that it is attached to. */
  thingChanged(thingName: string, exclusivePrincipals: readonly string[]): void {
    this.live.find(thingName)?.forget();
    for (const principal of exclusivePrincipals) this.principalChanged(principal);
  }

  /** Something that many depend on changed. */
  everythingChanged(): void {
    for (const client of this.live.all()) client.forget();
  }

  /** May somebody do this in a request over HTTP? There is no client id, so only an exclusive thing is theirs. */
  authorizeRequest(principal: Principal, request: RequestedAccess): boolean {
    const client = { principal: principal.principalIdentifier, clientId: "" };
    const reason = principal.refusal?.();
    if (reason !== undefined) {
      const { action, resource } = request;
      this.denials.unproven(client, { action, resource, reason });
      return false;
    }
    const decision = decideRequest(principal, request, this.common);
    if (decision === true) return true;
    this.denials.decided(client, decision);
    return false;
  }

  /** Who acts on a client's connection; undefined for those that nobody asks for credentials. */
  principalOf(clientId: string): Principal | undefined {
    return this.live.find(clientId)?.principal;
  }

  /** For lifecycle events: who a connection belongs to, if that is known. */
  principalIdentifierOf(info: ConnectInfo): string | undefined {
    return this.names.get(info.connection) ?? info.peer?.certificate?.fingerprint256;
  }

  /** For lifecycle events: AWS names the thing where the principal is attached to it alone. */
  exclusiveThingOf(info: ConnectInfo): string | undefined {
    const client = this.entering.get(info.connection);
    if (client === undefined || client === OPEN) return undefined;
    return client.thing?.isExclusive === true ? client.thing.thing.name : undefined;
  }

  authorizeConnect(
    connect: ConnectPacket,
    info: ConnectInfo,
    decide: (decision: ConnectDecision) => void,
  ): ConnectDecision | "later" {
    const conclude = (identified: Identified): ConnectDecision => this.admit(identified, connect, info);
    const answer = this.finder.find(connect, info, (late) => decide(conclude(late)));
    return answer === "later" ? "later" : conclude(answer);
  }

  authorizePublish(clientId: string, { topic, retain, isWill }: MessageFields): boolean {
    // Wills were looked at together with their CONNECT.
    if (isWill === true) return true;
    return (
      this.decide(clientId, "iot:Publish", topic) &&
      (!retain || this.decide(clientId, "iot:RetainPublish", topic))
    );
  }

  authorizeSubscribe(clientId: string, { filter }: SubscriptionRequest): boolean {
    return this.decide(clientId, "iot:Subscribe", filter);
  }

  authorizeReceive(clientId: string, { topic }: ApplicationMessage): boolean {
    const client = this.live.find(clientId);
    // For those who are away messages are kept; they are asked about again when the client is back.
    if (client === undefined) return true;
    const decision = client.decide("iot:Receive", topic);
    return decision === true || this.denied(client, decision);
  }

  connected(info: ConnectedInfo): void {
    const client = this.entering.get(info.connection);
    if (client === OPEN) this.open.add(info.clientId);
    if (client === undefined || client === OPEN) return;
    // Between the decision and now other hooks may have taken their time.
    client.forget();
    this.live.add(client);
    this.endInTime(client);
    if (client.principal.refusal?.() !== undefined) this.endSoon(client, "AUTH_ERROR");
  }

  disconnected({ clientId }: DisconnectedInfo): void {
    this.open.delete(clientId);
    const client = this.live.find(clientId);
    if (client === undefined) return;
    this.live.remove(client);
    client.forget();
    this.expiries.get(client)?.cancel();
    this.expiries.delete(client);
  }

  private admit(identified: Identified, connect: ConnectPacket, info: ConnectInfo): ConnectDecision {
    if (identified === OPEN) {
      this.entering.set(info.connection, OPEN);
      return "allow";
    }
    if ("refuse" in identified) return this.turnAway(identified, connect, info);
    const { principal } = identified;
    const { principalIdentifier } = principal;
    this.names.set(info.connection, principalIdentifier);
    const explanation = principal.refusal?.();
    if (explanation !== undefined)
      return this.turnAway({ refuse: REASON.notAuthorized, explanation, principalIdentifier }, connect, info);
    const client = new ActingClient(principal, connect, info, this.common);
    this.entering.set(info.connection, client);
    const obstacle = connectObstacle(client, connect);
    if (obstacle === undefined) return "allow";
    this.denied(client, obstacle);
    return this.refusal(REASON.notAuthorized, connect);
  }

  /** Credentials are missing or worth nothing. */
  private turnAway(
    { refuse, explanation, principalIdentifier = "" }: Extract<Identification, { readonly refuse: number }>,
    connect: ConnectPacket,
    { clientId, connection }: ConnectInfo,
  ): ConnectDecision {
    if (principalIdentifier !== "") this.names.set(connection, principalIdentifier);
    const resource = `${this.common.arnPrefix}:client/${clientId}`;
    this.denials.unproven(
      { principal: principalIdentifier, clientId },
      { action: "iot:Connect", resource, reason: explanation },
    );
    return this.refusal(refuse, connect);
  }

  private refusal(refuse: number, { protocolVersion }: ConnectPacket): ConnectDecision {
    const { authFailure, authFailureMqtt5 } = this.settings;
    const manner = protocolVersion === 5 ? authFailureMqtt5 : authFailure;
    return { refuse, isSilent: manner === "drop" };
  }

  private decide(clientId: string, action: MessageAction, topic: string): boolean {
    const client = this.live.find(clientId);
    if (client === undefined) return this.open.has(clientId);
    const decision = client.decide(action, topic);
    return decision === true || this.denied(client, decision);
  }

  private denied({ principal, clientId }: ActingClient, decision: ExplainedDecision): false {
    this.denials.decided({ principal: principal.principalIdentifier, clientId }, decision);
    return false;
  }

  private identityChanged(change: IdentityChange): void {
    if (change.kind === "certificate") {
      if (change.change !== "created") this.principalChanged(change.certificateId);
    } else if (change.kind === "policy") {
      // New and deleted policies are attached to nothing.
      if (change.change === "updated") this.policyChanged(change.policyName);
    } else if (change.kind === "attachment") {
      if (groupOf(change.target) === undefined) this.principalChanged(change.target);
      else this.everythingChanged();
    }
  }

  private policyChanged(policyName: string): void {
    const targets = this.options.identity.targets.allTargetsOf(policyName);
    const isWidespread = targets.size > this.live.size || Array.from(targets).some(isGroup);
    if (isWidespread) this.everythingChanged();
    else for (const target of targets) this.principalChanged(target);
  }

  private clientChanged(client: ActingClient): void {
    client.forget();
    if (client.principal.refusal?.() !== undefined) this.endSoon(client, "AUTH_ERROR");
  }

  private endInTime(client: ActingClient): void {
    const { expiresAtUs, expiryReason = "CUSTOMAUTH_TTL_EXPIRATION" } = client.principal;
    if (expiresAtUs === undefined) return;
    const { clock } = this.options;
    const leftUs = Math.max(0, expiresAtUs - clock.nowUs());
    this.expiries.set(
      client,
      clock.after(leftUs, () => this.end(client, expiryReason)),
    );
  }

  /** Not at once: the change may come from inside the delivery of a message. */
  private endSoon(client: ActingClient, reason: AwsDisconnectReason): void {
    this.options.clock.after(0, () => this.end(client, reason));
  }

  private end(client: ActingClient, awsReason: AwsDisconnectReason): void {
    // By now the client id may have another connection.
    if (this.live.find(client.clientId) !== client) return;
    this.options.broker.disconnectClient(client.clientId, { reasonCode: REASON.notAuthorized, awsReason });
  }
}

const isGroup = (target: PolicyTarget): boolean => groupOf(target) !== undefined;

/** The CONNECT itself, and the will that comes with it (REF §2.4, §10.1). */
function connectObstacle(client: ActingClient, { will }: ConnectPacket): ExplainedDecision | undefined {
  const decisions = [client.decideConnect()];
  if (will !== undefined) decisions.push(client.decideWill("iot:Publish", will.topic));
  if (will?.retain === true) decisions.push(client.decideWill("iot:RetainPublish", will.topic));
  return decisions.find((decision) => decision !== true);
}
