import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { BrokerHooks, ConnectedInfo, DisconnectedInfo, MqttBroker } from "../engine/index.js";

/** What the connection API and the fleet index know of a client (AWS: GetConnection). Times are milliseconds since 1970. */
export interface ConnectionReading {
  readonly clientId: string;
  readonly isConnected: boolean;
  /** Since it connected or was lost; undefined when that is too long ago. */
  readonly sinceMs: number | undefined;
  /** `host:port`, while it is connected. */
  readonly remoteAddress?: string;
  readonly localPort?: number;
  readonly keepAliveS?: number;
  /** How long its session outlives the connection; 0 for a clean one, Infinity for ever. */
  readonly sessionExpiryS?: number;
  /** Why it is not connected. */
  readonly disconnectReason?: string;
}

export interface ConnectionDirectoryOptions {
  readonly clock: Clock;
  readonly broker: MqttBroker;
}

/** When a client went, and why. */
interface Departure {
  readonly atUs: number;
  readonly reason: string;
}

/** AWS: how long a lost connection can be asked about. */
const MEMORY_US = 30 * 60 * US_PER_S;

/** Who is connected since when, and who was until lately. Of those who are, their connections know everything. */
export class ConnectionDirectory implements Pick<BrokerHooks, "connected" | "disconnected"> {
  /** In the order of their going. */
  private readonly departures = new Map<string, Departure>();

  constructor(private readonly options: ConnectionDirectoryOptions) {}

  connected({ clientId }: ConnectedInfo): void {
    this.departures.delete(clientId);
  }

  disconnected({ clientId, atUs, reason }: DisconnectedInfo): void {
    this.departures.delete(clientId);
    this.departures.set(clientId, { atUs, reason });
    this.forget();
  }

  /** Undefined for a client that has no session and was not here lately. */
  reading(clientId: string): ConnectionReading | undefined {
    this.forget();
    const session = this.options.broker.session(clientId);
    const departure = this.departures.get(clientId);
    if (session === undefined && departure === undefined) return undefined;
    const connection = session?.connection;
    const expiry = session === undefined ? {} : { sessionExpiryS: session.expiryS };
    if (connection === undefined)
      return {
        clientId,
        isConnected: false,
        sinceMs: departure === undefined ? undefined : this.toWallMs(departure.atUs),
        ...expiry,
        ...(departure !== undefined && { disconnectReason: departure.reason }),
      };
    const { connectedAtUs, keepAliveS, link } = connection;
    const { remoteAddress, peer } = link;
    return {
      clientId,
      isConnected: true,
      sinceMs: this.toWallMs(connectedAtUs),
      ...expiry,
      keepAliveS,
      remoteAddress,
      ...(peer?.localPort !== undefined && { localPort: peer.localPort }),
    };
  }

  private forget(): void {
    const limitUs = this.options.clock.nowUs() - MEMORY_US;
    for (const [clientId, { atUs }] of this.departures) {
      if (atUs > limitUs) return;
      this.departures.delete(clientId);
    }
  }

  private toWallMs(atUs: number): number {
    const { clock } = this.options;
    return Math.round(clock.wallMs() - (clock.nowUs() - atUs) / 1000);
  }
}
