import { createHash } from "node:crypto";
import { type Clock, type JsonObject, type RandomSource, US_PER_S } from "fleetrig/kernel";
import { REASON } from "fleetrig/protocol";
import type {
  BrokerHooks,
  ConnectedInfo,
  ConnectInfo,
  DisconnectedInfo,
  RefusedInfo,
} from "../engine/index.js";
import type { MessageBus } from "../message-bus.js";
import { eventsTopic } from "fleetrig/protocol";
import { uuidV4 } from "../uuid.js";
import { hostOf } from "../remote-address.js";

/** Callbacks to hang into the broker's hooks. */
export type Presence = Pick<
  BrokerHooks,
  "connected" | "disconnected" | "refused" | "subscribed" | "unsubscribed"
>;

/** What presence works with. */
export interface PresenceOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly bus: MessageBus;
  /** After how long offline a client's versionNumber starts over, in seconds. AWS: about an hour. */
  readonly versionRetentionS?: number;
  /**
   * The name of the credential that a client connects with, where somebody knows. Otherwise its username, or what a
   * certificate of this client would be called.
   */
  readonly principalOf?: (client: ConnectInfo) => string | undefined;
  /** AWS: the thing that a client's principal is attached to exclusively; events name it. */
  readonly thingOf?: (client: ConnectInfo) => string | undefined;
}

/**
 * Lifecycle events (REF §4): who comes, goes and subscribes, published on `$aws/events/presence/…` and
 * `$aws/events/subscriptions/…`. Always on; a body is built only when somebody would get it.
 */
export function createPresence(options: PresenceOptions): Presence {
  return new LifecycleEvents(options);
}

/** One client id, from its first connection until it was offline for the retention. */
interface ClientRecord {
  /** Same for the connected and the disconnected event of one connection, then one more. */
  versionNumber: number;
  connectedAtUs: number;
  disconnectedAtUs: number;
  principal: string | undefined;
  thingName: string | undefined;
}

const DEFAULT_VERSION_RETENTION_S = 3600;
const AUTHORIZATION_FAILURES: ReadonlySet<number> = new Set([
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
  REASON.banned,
]);

/** Such client ids cannot be a level of a topic, so AWS sends nothing about them. */
const hasEvents = (clientId: string): boolean => !clientId.includes("#") && !clientId.includes("+");

class LifecycleEvents implements Presence {
  private readonly clients = new Map<string, ClientRecord>();
  /** Client ids in the order of their disconnecting: the first to be forgotten comes first. */
  private readonly offline = new Set<string>();
  private readonly retentionUs: number;

  constructor(private readonly options: PresenceOptions) {
    this.retentionUs = (options.versionRetentionS ?? DEFAULT_VERSION_RETENTION_S) * US_PER_S;
  }

  connected(info: ConnectedInfo): void {
    if (!hasEvents(info.clientId)) return;
    this.forgetLongOffline(info.atUs);
    const client: ClientRecord = {
      versionNumber: (this.clients.get(info.clientId)?.versionNumber ?? -1) + 1,
      connectedAtUs: info.atUs,
      disconnectedAtUs: Number.POSITIVE_INFINITY,
      principal: this.options.principalOf?.(info) ?? info.username,
      thingName: this.options.thingOf?.(info),
    };
    this.clients.set(info.clientId, client);
    this.offline.delete(info.clientId);
    this.publish("presence", "connected", info.clientId, () => ({
      ipAddress: hostOf(info.remoteAddress),
      versionNumber: client.versionNumber,
    }));
  }

  disconnected(info: DisconnectedInfo): void {
    const client = this.clients.get(info.clientId);
    if (client === undefined) return;
    client.disconnectedAtUs = info.atUs;
    this.offline.add(info.clientId);
    this.publish("presence", "disconnected", info.clientId, () => ({
      clientInitiatedDisconnect: info.clientInitiated,
      disconnectReason: info.reason,
      versionNumber: client.versionNumber,
    }));
  }

  refused(info: RefusedInfo): void {
    if (!hasEvents(info.clientId) || info.clientId === "") return;
    if (!AUTHORIZATION_FAILURES.has(info.reasonCode)) return;
    this.publish("presence", "connect_failed", info.clientId, () => ({
      principalIdentifier: this.options.principalOf?.(info) ?? certificateName(info.clientId),
      ipAddress: hostOf(info.remoteAddress),
      connectFailureReason: "AUTHORIZATION_FAILED",
    }));
  }

  subscribed(clientId: string, filters: readonly string[]): void {
    if (filters.length > 0 && this.clients.has(clientId)) {
      this.publish("subscriptions", "subscribed", clientId, () => ({ topics: filters }));
    }
  }

  unsubscribed(clientId: string, filters: readonly string[]): void {
    if (filters.length > 0 && this.clients.has(clientId)) {
      this.publish("subscriptions", "unsubscribed", clientId, () => ({ topics: filters }));
    }
  }

  private publish(category: string, eventType: string, clientId: string, detail: () => JsonObject): void {
    const { bus, clock } = this.options;
    const client = this.clients.get(clientId);
    const topic = eventsTopic(category, eventType, clientId);
    if (bus.hasSubscribers?.(topic) === false) return;
    const body: JsonObject = {
      clientId,
      timestamp: clock.wallMs(),
      eventType,
      sessionIdentifier: this.sessionIdentifier(clientId),
      principalIdentifier: client?.principal ?? certificateName(clientId),
      ...(client?.thingName !== undefined && { thingName: client.thingName }),
      ...detail(),
    };
    bus.publish({ topic, payload: JSON.stringify(body), qos: 1 });
  }

  /** Derived from the connection rather than stored, because most connections are never reported. */
  private sessionIdentifier(clientId: string): string {
    const client = this.clients.get(clientId);
    const connection =
      client === undefined
        ? `refused/${this.options.clock.nowUs()}`
        : `${client.versionNumber}/${client.connectedAtUs}`;
    return uuidV4(this.options.random.stream(`presence/${clientId}/${connection}`));
  }

  private forgetLongOffline(nowUs: number): void {
    for (const clientId of this.offline) {
      if (nowUs - this.clients.get(clientId)!.disconnectedAtUs < this.retentionUs) return;
      this.offline.delete(clientId);
      this.clients.delete(clientId);
    }
  }
}

/** Shaped like an AWS certificateId: 64 hexadecimal digits. */
const certificateName = (clientId: string): string => createHash("sha256").update(clientId).digest("hex");
