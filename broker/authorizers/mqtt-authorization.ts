import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import { type ConnectPacket, REASON } from "fleetrig/protocol";
import type { BrokerHooks, ConnectedInfo, ConnectInfo, DisconnectedInfo } from "../engine/index.js";
import type { Identification, PrincipalSource } from "../identity/index.js";
import { AuthorizerPrincipal } from "./authorizer-principal.js";
import type { Authorization } from "./authorizer-response.js";
import type { Authorizer } from "./authorizer-store.js";
import type { CustomAuthorization, Verdict } from "./custom-authorization.js";
import { type Presented, presentedBy, PresentedValues } from "./presented-credentials.js";

export interface MqttAuthorizationOptions {
  readonly clock: Clock;
  readonly custom: CustomAuthorization;
  /** Policies of this principal are others now, or it may not be used any more. */
  readonly changed: (principalIdentifier: string) => void;
}

/** A connection that an authorizer let in. */
interface AuthorizedConnection {
  readonly authorizerName: string;
  readonly presented: Presented;
  readonly principal: AuthorizerPrincipal;
  refreshAfterS: number;
  timer: Timer | undefined;
}

/** The protocol name of TLS that means custom authentication (REF §1). */
const CUSTOM_ALPN = "mqtt";

/**
 * Custom authorizers on MQTT connections (REF §12): asked at CONNECT, and again and again for new policies while the
 * connection lasts.
 */
export class MqttAuthorization implements PrincipalSource, Partial<BrokerHooks> {
  private readonly entering = new WeakMap<object, AuthorizedConnection>();
  private readonly live = new Map<string, AuthorizedConnection>();

  constructor(private readonly options: MqttAuthorizationOptions) {}

  identify(
    connect: ConnectPacket,
    info: ConnectInfo,
    settle: (identification: Identification | "none") => void,
  ): Identification | "none" | "later" {
    const { custom } = this.options;
    const presented = presentedAtConnect(connect, info);
    const values = new PresentedValues(presented);
    if (!isForAuthorizers(info, values)) return "none";
    const authorizer = custom.chosenBy(values, presented.serverName);
    if (authorizer === undefined) return "none";
    if (typeof authorizer === "string") return refused(authorizer);
    let answer: Identification | undefined;
    let isLate = false;
    custom.ask(authorizer, presented, (verdict) => {
      answer = this.identification(verdict, { authorizer, presented, info });
      if (isLate) settle(answer);
    });
    isLate = true;
    return answer ?? "later";
  }

  connected({ clientId, connection }: ConnectedInfo): void {
    const authorized = this.entering.get(connection);
    if (authorized === undefined) return;
    this.live.set(clientId, authorized);
    this.refreshLater(clientId, authorized);
  }

  disconnected({ clientId }: DisconnectedInfo): void {
    this.live.get(clientId)?.timer?.cancel();
    this.live.delete(clientId);
  }

  private identification(verdict: Verdict, client: Arrival): Identification {
    if (!verdict.ok) return refused(verdict.explanation);
    const { authorization } = verdict;
    const { authorizer, presented, info } = client;
    const expiresAtUs = this.options.clock.nowUs() + authorization.disconnectAfterS * US_PER_S;
    const principal = new AuthorizerPrincipal(authorization, expiresAtUs);
    this.entering.set(info.connection, {
      authorizerName: authorizer.authorizerName,
      presented,
      principal,
      refreshAfterS: authorization.refreshAfterS,
      timer: undefined,
    });
    return { principal };
  }

  private refreshLater(clientId: string, connection: AuthorizedConnection): void {
    const delayUs = connection.refreshAfterS * US_PER_S;
    connection.timer = this.options.clock.after(delayUs, () => this.refresh(clientId, connection));
  }

  /** The same question again, without a new CONNECT. */
  private refresh(clientId: string, connection: AuthorizedConnection): void {
    const { custom } = this.options;
    const authorizer = custom.store.find(connection.authorizerName);
    if (authorizer?.status !== "ACTIVE")
      return this.revoke(connection, `Authorizer ${connection.authorizerName} is not active any more.`);
    custom.ask(authorizer, connection.presented, (verdict) => {
      if (this.live.get(clientId) !== connection) return;
      if (verdict.ok) this.renew(connection, verdict.authorization);
      // A function that is out of order is not a reason to end what it allowed; one that says no is.
      else if (verdict.failure !== "hook") return this.revoke(connection, verdict.explanation);
      this.refreshLater(clientId, connection);
    });
  }

  private renew(connection: AuthorizedConnection, authorization: Authorization): void {
    connection.refreshAfterS = authorization.refreshAfterS;
    connection.principal.renew(authorization);
    this.options.changed(connection.principal.principalIdentifier);
  }

  private revoke({ principal }: AuthorizedConnection, explanation: string): void {
    principal.revoke(explanation);
    this.options.changed(principal.principalIdentifier);
  }
}

interface Arrival {
  readonly authorizer: Authorizer;
  readonly presented: Presented;
  readonly info: ConnectInfo;
}

const refused = (explanation: string): Identification => ({ refuse: REASON.notAuthorized, explanation });

function presentedAtConnect(connect: ConnectPacket, { clientId, peer }: ConnectInfo): Presented {
  const { username, password } = connect;
  // A copy: the bytes are part of what was read from the socket, and are asked about again for hours.
  const own = password === undefined ? undefined : new Uint8Array(password);
  return presentedBy(peer, { mqtt: { username, password: own, clientId } });
}

/**
 * Certificates and signatures speak for themselves. Who names an authorizer means it, and so do clients that say so in
 * the handshake or come as an unsigned WebSocket: for them there may be a default.
 */
function isForAuthorizers({ peer }: ConnectInfo, values: PresentedValues): boolean {
  if (peer?.credentials !== undefined) return false;
  if (peer?.alpn === CUSTOM_ALPN) return true;
  if (peer?.certificate !== undefined && peer.upgrade === undefined) return false;
  return values.authorizerName !== undefined || peer?.upgrade !== undefined;
}
