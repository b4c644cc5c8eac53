import type {
  ConnectPacket,
  LinkPeer,
  ProtocolVersion,
  SubscriptionRequest,
  UserProperty,
} from "fleetrig/protocol";
import type { Routing } from "../message-bus.js";
import type { ApplicationMessage, MessageFields } from "../message.js";
import type { AwsDisconnectReason, ReasonDetails } from "./ending.js";

/**
 * A refusal: its reason code and what an MQTT 5 client is told besides. 0x9C and 0x9D with a Server Reference send
 * the client elsewhere (§4.11).
 */
export interface Refused extends ReasonDetails {
  readonly refuse: number;
  /** No CONNACK: the link is closed without a word, as AWS does with MQTT 3.1.1 clients (REF §1). Default false. */
  readonly isSilent?: boolean;
}

/** What becomes of a CONNECT. */
export type ConnectDecision = "allow" | Refused;

/** One packet of the client in an exchange of enhanced authentication (§4.12). */
export interface AuthenticationStep {
  readonly clientId: string;
  /** User name of CONNECT. */
  readonly username: string | undefined;
  /** Authentication Method, such as `SCRAM-SHA-256`. */
  readonly method: string;
  readonly data: Uint8Array | undefined;
  /** Of CONNECT or AUTH, whichever this is. */
  readonly userProperties: readonly UserProperty[] | undefined;
  /** 1 for CONNECT, or for the AUTH that asks to re-authenticate. */
  readonly step: number;
  readonly isReauthentication: boolean;
  /** The hook's own: what it leaves here is there again in the next step of the same exchange. */
  memory: unknown;
}

/** How the server goes on: one more AUTH, success (with data for CONNACK or AUTH), or no. */
export type AuthenticationOutcome =
  | { readonly challenge: Uint8Array }
  | { readonly isAuthenticated: true; readonly proof?: Uint8Array }
  | Refused
  /** Not this hook's method; when it is no hook's, the client hears 0x8C. */
  | "unsupported";

/** Who asks to connect, when (µs of the broker's clock) and from where. */
export interface ConnectInfo {
  /** As sent, or as assigned by the broker. */
  readonly clientId: string;
  readonly atUs: number;
  readonly remoteAddress: string;
  /** The same object in all calls about one connection, of which a client id may have several; nothing to look into. */
  readonly connection: object;
  /** The transport's side of the client: certificate, server name, port. Undefined for links in memory. */
  readonly peer?: LinkPeer;
}

/** A connection that was accepted, after its CONNACK was decided. */
export interface ConnectedInfo extends ConnectInfo {
  readonly protocolVersion: ProtocolVersion;
  readonly sessionPresent: boolean;
  readonly username?: string;
}

/** A connection that ended, and by whose doing. */
export interface DisconnectedInfo {
  readonly clientId: string;
  readonly atUs: number;
  readonly reason: AwsDisconnectReason;
  readonly clientInitiated: boolean;
}

/** A CONNECT that was refused, with the reason code of its CONNACK. */
export interface RefusedInfo extends ConnectInfo {
  readonly reasonCode: number;
}

/**
 * Where services and policies attach. All calls are synchronous; a hook that is absent allows everything.
 * Several sets are called in the order in which they were added; the first refusal (or `consumed`) decides.
 */
export interface BrokerHooks {
  /**
   * May answer `later` and call `decide` once it knows; the client waits, at most until the connect deadline.
   * A decision that comes after the client is gone is ignored.
   */
  authorizeConnect(
    connect: ConnectPacket,
    info: ConnectInfo,
    decide: (decision: ConnectDecision) => void,
  ): ConnectDecision | "later";
  /**
   * Enhanced authentication, before `authorizeConnect` and whenever the client renews it; `later` as there. Without
   * this hook, and under `aws` always, a client that asks for it is refused with 0x8C.
   */
  authenticate(
    step: AuthenticationStep,
    settle: (outcome: AuthenticationOutcome) => void,
  ): AuthenticationOutcome | "later";
  /** Also asked for a will (`isWill`), when its client connects. */
  authorizePublish(clientId: string, publish: MessageFields): boolean;
  /** @param userProperties Of the whole SUBSCRIBE. */
  authorizeSubscribe(
    clientId: string,
    request: SubscriptionRequest,
    userProperties?: readonly UserProperty[],
  ): boolean;
  /**
   * Asked per delivery, and again for what was stored while its client was away; a refusal drops the message for
   * that client and keeps the connection.
   */
  authorizeReceive(clientId: string, message: ApplicationMessage): boolean;
  /** Every accepted publish (clients', wills and the cloud's own), before delivery. */
  message(message: ApplicationMessage): Routing;
  /**
   * Would `message` do anything with a message on this topic? Lets services skip building what nobody reads;
   * a set that has `message` without this counts as listening to everything.
   */
  listensTo(topic: string): boolean;
  connected(info: ConnectedInfo): void;
  disconnected(info: DisconnectedInfo): void;
  refused(info: RefusedInfo): void;
  /** The filters that were granted. */
  subscribed(clientId: string, filters: readonly string[]): void;
  unsubscribed(clientId: string, filters: readonly string[]): void;
}

type HookLists = { readonly [Name in keyof BrokerHooks]: BrokerHooks[Name][] };

/** Several hook sets as one. */
export class HookChain implements BrokerHooks {
  private readonly lists: HookLists = {
    authorizeConnect: [],
    authenticate: [],
    authorizePublish: [],
    authorizeSubscribe: [],
    authorizeReceive: [],
    message: [],
    listensTo: [],
    connected: [],
    disconnected: [],
    refused: [],
    subscribed: [],
    unsubscribed: [],
  };

  /** False while nobody asks to be consulted per delivery. */
  get checksReceivers(): boolean {
    return this.lists.authorizeReceive.length > 0;
  }

  add(hooks: Partial<BrokerHooks>): void {
    const { lists } = this;
    for (const name of Object.keys(lists) as (keyof BrokerHooks)[]) {
      const hook = hooks[name];
      // Each list holds its own kind of hook; the compiler cannot follow that through a union of names.
      if (hook !== undefined) (lists[name] as unknown[]).push(hook.bind(hooks));
    }
    if (hooks.message !== undefined && hooks.listensTo === undefined) lists.listensTo.push(() => true);
  }

  authorizeConnect(
    connect: ConnectPacket,
    info: ConnectInfo,
    decide: (decision: ConnectDecision) => void,
  ): ConnectDecision | "later" {
    const questions = this.lists.authorizeConnect.map(
      (hook) => (reply: (decision: ConnectDecision) => void) => hook(connect, info, reply),
    );
    return firstAnswer(questions, "allow", decide);
  }

  authenticate(
    step: AuthenticationStep,
    settle: (outcome: AuthenticationOutcome) => void,
  ): AuthenticationOutcome | "later" {
    const questions = this.lists.authenticate.map(
      (hook) => (reply: (outcome: AuthenticationOutcome) => void) => hook(step, reply),
    );
    return firstAnswer(questions, "unsupported", settle);
  }

  authorizePublish(clientId: string, publish: MessageFields): boolean {
    for (const hook of this.lists.authorizePublish) if (!hook(clientId, publish)) return false;
    return true;
  }

  authorizeSubscribe(
    clientId: string,
    request: SubscriptionRequest,
    userProperties?: readonly UserProperty[],
  ): boolean {
    for (const hook of this.lists.authorizeSubscribe)
      if (!hook(clientId, request, userProperties)) return false;
    return true;
  }

  authorizeReceive(clientId: string, message: ApplicationMessage): boolean {
    for (const hook of this.lists.authorizeReceive) if (!hook(clientId, message)) return false;
    return true;
  }

  message(message: ApplicationMessage): Routing {
    for (const hook of this.lists.message) if (hook(message) === "consumed") return "consumed";
    return "broker";
  }

  listensTo(topic: string): boolean {
    for (const hook of this.lists.listensTo) if (hook(topic)) return true;
    return false;
  }

  connected(info: ConnectedInfo): void {
    for (const hook of this.lists.connected) hook(info);
  }

  disconnected(info: DisconnectedInfo): void {
    for (const hook of this.lists.disconnected) hook(info);
  }

  refused(info: RefusedInfo): void {
    for (const hook of this.lists.refused) hook(info);
  }

  subscribed(clientId: string, filters: readonly string[]): void {
    for (const hook of this.lists.subscribed) hook(clientId, filters);
  }

  unsubscribed(clientId: string, filters: readonly string[]): void {
    for (const hook of this.lists.unsubscribed) hook(clientId, filters);
  }
}

type Question<Answer> = (reply: (answer: Answer) => void) => Answer | "later";

/**
 * Asks one after the other until somebody says something else than `pass`; each may answer now or later.
 * @returns the answer, or `later` when `reply` will be called with it.
 */
function firstAnswer<Answer>(
  questions: readonly Question<Answer>[],
  pass: Answer,
  reply: (answer: Answer) => void,
): Answer | "later" {
  for (const [index, question] of questions.entries()) {
    let isOpen = true;
    const answer = question((late) => {
      if (!isOpen) return;
      isOpen = false;
      const next = late === pass ? firstAnswer(questions.slice(index + 1), pass, reply) : late;
      if (next !== "later") reply(next);
    });
    if (answer === "later") return "later";
    isOpen = false;
    if (answer !== pass) return answer;
  }
  return pass;
}
