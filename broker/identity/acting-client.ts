import type { ConnectPacket } from "fleetrig/protocol";
import type { ConnectInfo } from "../engine/index.js";
import {
  type AuthorizationFacts,
  authorizationContext,
  type CompiledPolicy,
  type ConnectAttribute,
  contextKeysFor,
  evaluatePolicies,
  isAllowed,
  type PolicyCertificate,
  type PolicyContext,
  type PolicyThing,
} from "../policy/index.js";
import { hostOf } from "../remote-address.js";
import { type ExplainedDecision, explained } from "./denials.js";
import type { Principal } from "./principal.js";
import type { ConnectionThing, IdentityThings } from "./things-port.js";

/** Actions that a connection is asked about for each of its messages; their decisions are kept. */
export type MessageAction = "iot:Publish" | "iot:RetainPublish" | "iot:Receive" | "iot:Subscribe";

/** What clients of one cloud have in common. */
export interface ActingClientOptions {
  readonly things: IdentityThings;
  /** `arn:aws:iot:us-east-1:000000000000`. */
  readonly arnPrefix: string;
  readonly wallMs: () => number;
  readonly budget: DecisionBudget;
}

/** How many more decisions all clients together may keep. */
interface DecisionBudget {
  left: number;
}

type Decision = true | ExplainedDecision;
type Policies = readonly CompiledPolicy[];

/** These have another value at every moment. */
const TIME_KEYS: readonly string[] = ["aws:CurrentTime", "aws:EpochTime"];

const RESOURCE_KIND: Readonly<Record<MessageAction, string>> = {
  "iot:Publish": "topic",
  "iot:RetainPublish": "topic",
  "iot:Receive": "topic",
  "iot:Subscribe": "topicfilter",
};

/** Of one client and action. */
const DECISIONS_MAX = 4096;

/** Decisions of one action. */
interface DecisionCache {
  readonly decisions: Map<string, Decision>;
  /** False where the decision depends on the time. */
  readonly isLasting: boolean;
}

/**
 * A principal on one connection: what it may do, by the policies that are in force and what is known of it. Policies
 * and thing are looked up when they are first needed, and again after `forget`.
 */
export class ActingClient {
  readonly clientId: string;
  private readonly facts: ClientFacts;
  private readonly context: PolicyContext;
  private policies: Policies | undefined;
  private boundary: Policies | undefined;
  private readonly caches = new Map<MessageAction, DecisionCache>();

  constructor(
    readonly principal: Principal,
    connect: ConnectPacket,
    info: ConnectInfo,
    private readonly options: ActingClientOptions,
  ) {
    this.clientId = info.clientId;
    this.facts = new ClientFacts(principal, connect, info, options);
    this.context = authorizationContext(this.facts);
  }

  /** The thing that the connection is associated with. */
  get thing(): ConnectionThing | undefined {
    return this.facts.connectionThing;
  }

  /** Something changed: the next question is answered anew. */
  forget(): void {
    this.policies = undefined;
    this.boundary = undefined;
    this.facts.forget();
    for (const { decisions } of this.caches.values()) this.discard(decisions);
    this.caches.clear();
  }

  /** May it do this with messages on that topic, or subscribe to that filter? */
  decide(action: MessageAction, topic: string): Decision {
    const cache = this.caches.get(action) ?? this.openCache(action);
    const known = cache.decisions.get(topic);
    if (known !== undefined) return known;
    const decision = this.evaluate(action, `${this.options.arnPrefix}:${RESOURCE_KIND[action]}/${topic}`);
    if (!cache.isLasting) return decision;
    this.keep(cache.decisions, topic, decision);
    return decision;
  }

  /** As {@link decide}, for a client that may not come in after all: nothing is kept. */
  decideWill(action: MessageAction, topic: string): Decision {
    return this.evaluate(action, `${this.options.arnPrefix}:${RESOURCE_KIND[action]}/${topic}`);
  }

  /** May it connect? Conditions on the CONNECT itself apply. */
  decideConnect(): Decision {
    this.facts.isConnecting = true;
    const decision = this.evaluate("iot:Connect", `${this.options.arnPrefix}:client/${this.clientId}`);
    this.facts.isConnecting = false;
    return decision;
  }

  private keep(decisions: Map<string, Decision>, topic: string, decision: Decision): void {
    const { budget } = this.options;
    if (budget.left <= 0 || decisions.size >= DECISIONS_MAX) this.discard(decisions);
    if (budget.left <= 0) return;
    budget.left -= 1;
    decisions.set(topic, decision);
  }

  private discard(decisions: Map<string, Decision>): void {
    this.options.budget.left += decisions.size;
    decisions.clear();
  }

  private evaluate(action: string, resource: string): Decision {
    const request = { action, resource, context: this.context };
    for (const policies of this.policySets()) {
      if (!isAllowed(policies, request)) return explained(evaluatePolicies(policies, request));
    }
    return true;
  }

  private policySets(): readonly Policies[] {
    this.policies ??= this.principal.policies(this.thing?.thing.name);
    if (this.principal.boundary === undefined) return [this.policies];
    this.boundary ??= this.principal.boundary();
    return [this.policies, this.boundary];
  }

  private openCache(action: MessageAction): DecisionCache {
    const keys = this.policySets().flatMap((policies) => contextKeysFor(policies, action));
    const cache = { decisions: new Map(), isLasting: !keys.some((key) => TIME_KEYS.includes(key)) };
    this.caches.set(action, cache);
    return cache;
  }
}

/** What is known of a client, looked up when a policy asks. */
class ClientFacts implements AuthorizationFacts {
  readonly clientId: string;
  readonly sourceIp: string;
  readonly domainName: string | undefined;
  readonly isSecureTransport: boolean;
  /** The following two are about the CONNECT, not about what comes after. */
  isConnecting = false;
  private readonly willTopic: string | undefined;
  private readonly attributes: readonly ConnectAttribute[];
  private known: KnownThing | undefined;

  constructor(
    private readonly principal: Principal,
    connect: ConnectPacket,
    info: ConnectInfo,
    private readonly options: ActingClientOptions,
  ) {
    this.clientId = info.clientId;
    this.sourceIp = hostOf(info.remoteAddress);
    this.domainName = info.peer?.serverName;
    this.isSecureTransport = info.peer?.transport === "tls" || info.peer?.transport === "wss";
    this.willTopic = connect.will?.topic;
    // AWS: persistent is what a session outlives its connection by.
    const isPersistent = !connect.cleanStart || (connect.sessionExpiryS ?? 0) > 0;
    this.attributes = [
      ...(isPersistent ? (["PersistentConnect"] as const) : []),
      ...(connect.will === undefined ? [] : (["LastWill"] as const)),
    ];
  }

  get connectionThing(): ConnectionThing | undefined {
    this.known ??= this.findThing();
    return this.known.thing;
  }

  get thing(): PolicyThing | undefined {
    this.known ??= this.findThing();
    return this.known.policyThing;
  }

  get certificate(): PolicyCertificate | undefined {
    return this.principal.facts?.certificate;
  }

  get others(): AuthorizationFacts["others"] {
    return this.principal.facts?.others;
  }

  get lastWillTopic(): string | undefined {
    return this.isConnecting ? this.willTopic : undefined;
  }

  get connectAttributes(): readonly ConnectAttribute[] | undefined {
    return this.isConnecting ? this.attributes : undefined;
  }

  get nowMs(): number {
    return this.options.wallMs();
  }

  forget(): void {
    this.known = undefined;
  }

  private findThing(): KnownThing {
    const { target } = this.principal;
    const thing =
      target === undefined ? undefined : this.options.things.thingOfConnection(target, this.clientId);
    return { thing, policyThing: thing && policyThingOf(thing) };
  }
}

interface KnownThing {
  readonly thing: ConnectionThing | undefined;
  readonly policyThing: PolicyThing | undefined;
}

export const policyThingOf = ({ thing, isExclusive }: ConnectionThing): PolicyThing => ({
  thingName: thing.name,
  thingTypeName: thing.typeName,
  attributes: new Map(Object.entries(thing.attributes)),
  isAttached: true,
  isExclusivelyAttached: isExclusive,
});
