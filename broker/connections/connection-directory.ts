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

/** One client's last coming or going. */
interface LastChange {
  readonly atUs: number;
  readonly remoteAddress: string;
  readonly localPort: number | undefined;
  /** Undefined while connected. */
  readonly reason: string | undefined;
}

/** AWS: how long a lost connection can be asked about. */
const MEMORY_US = 30 * 60 * US_PER_S;

/** Who is connected since when, and who was until lately. */
export class ConnectionDirectory implements Pick<BrokerHooks, "connected" | "disconnected"> {
  /** Those that went stand in the order of their going, after those that never did. */
  private readonly changes = new Map<string, LastChange>();
  private readonly gone = new Set<string>();

  constructor(private readonly options: ConnectionDirectoryOptions) {}

  connected({ clientId, atUs, remoteAddress, peer }: ConnectedInfo): void {
    this.gone.delete(clientId);
    this.changes.set(clientId, { atUs, remoteAddress, localPort: peer?.localPort, reason: undefined });
  }

  disconnected({ clientId, atUs, reason }: DisconnectedInfo): void {
    const { remoteAddress = "", localPort } = this.changes.get(clientId) ?? {};
    this.changes.set(clientId, { atUs, remoteAddress, localPort, reason });
    this.gone.delete(clientId);
    this.gone.add(clientId);
    this.forget();
  }

  /** Undefined for a client that has no session and was not here lately. */
  reading(clientId: string): ConnectionReading | undefined {
    this.forget();
    const session = this.options.broker.session(clientId);
    const change = this.changes.get(clientId);
    if (session === undefined && change === undefined) return undefined;
    const connection = session?.connection;
    const sinceMs = change === undefined ? undefined : this.toWallMs(change.atUs);
    const expiry = session === undefined ? {} : { sessionExpiryS: session.expiryS };
    if (connection === undefined)
      return {
        clientId,
        isConnected: false,
        sinceMs,
        ...expiry,
        ...(change?.reason !== undefined && { disconnectReason: change.reason }),
      };
    return {
      clientId,
      isConnected: true,
      sinceMs,
      ...expiry,
      keepAliveS: connection.keepAliveS,
      ...(change !== undefined && { remoteAddress: change.remoteAddress }),
      ...(change?.localPort !== undefined && { localPort: change.localPort }),
    };
  }

  private forget(): void {
    const limitUs = this.options.clock.nowUs() - MEMORY_US;
    for (const clientId of this.gone) {
      if (this.changes.get(clientId)!.atUs > limitUs) return;
      this.gone.delete(clientId);
      this.changes.delete(clientId);
    }
  }

  private toWallMs(atUs: number): number {
    const { clock } = this.options;
    return Math.round(clock.wallMs() - (clock.nowUs() - atUs) / 1000);
  }
}
