import type { Clock } from "fleetrig/kernel";
import type { BrokerHooks, ConnectedInfo, DisconnectedInfo } from "../engine/index.js";
import { MS_PER_DAY } from "./audit-check.js";

/** A certificate that several clients used at the same time. */
export interface SharedCertificate {
  readonly certificateId: string;
  /** The last two clients that met. */
  readonly clientIds: readonly string[];
  /** Wall-clock milliseconds of the last time. */
  readonly atMs: number;
  /** When that was the first time. */
  readonly sinceMs: number;
}

/** A client that lost its connection to another one of the same name. */
export interface ConflictingClient {
  readonly clientId: string;
  readonly certificateIds: readonly string[];
  readonly atMs: number;
  readonly times: number;
}

export interface ConnectionHistoryOptions {
  readonly clock: Clock;
  /** The registered certificate that a client shows, if it shows one. */
  readonly certificateOf: (info: ConnectedInfo) => string | undefined;
}

/** AWS: how far on-demand audits look back. */
export const HISTORY_MS = 31 * MS_PER_DAY;
/** Certificates and clients remembered; with more of them the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

/** What audits must know of connections that are over: who shared a certificate, and who a name. */
export class ConnectionHistory implements Pick<BrokerHooks, "connected" | "disconnected"> {
  private readonly certificates = new Map<string, string>();
  private readonly clients = new Map<string, Set<string>>();
  private readonly shared = new Map<string, SharedCertificate>();
  private readonly conflicts = new Map<string, ConflictingClient>();

  constructor(private readonly options: ConnectionHistoryOptions) {}

  connected(info: ConnectedInfo): void {
    const certificateId = this.options.certificateOf(info);
    if (certificateId === undefined) return;
    const { clientId } = info;
    const clients = this.clients.get(certificateId) ?? new Set();
    const other = Array.from(clients).find((name) => name !== clientId);
    this.clients.set(certificateId, clients.add(clientId));
    this.certificates.set(clientId, certificateId);
    if (other !== undefined) this.noteSharing(certificateId, [other, clientId]);
  }

  disconnected({ clientId, reason }: DisconnectedInfo): void {
    const certificateId = this.certificates.get(clientId);
    if (reason === "DUPLICATE_CLIENTID") this.noteConflict(clientId, certificateId);
    if (certificateId === undefined) return;
    this.certificates.delete(clientId);
    const clients = this.clients.get(certificateId);
    clients?.delete(clientId);
    if (clients?.size === 0) this.clients.delete(certificateId);
  }

  /** The most recent first. */
  sharedSince(sinceMs: number): readonly SharedCertificate[] {
    return since(this.shared, sinceMs);
  }

  /** The most recent first. */
  conflictsSince(sinceMs: number): readonly ConflictingClient[] {
    return since(this.conflicts, sinceMs);
  }

  private noteSharing(certificateId: string, clientIds: readonly string[]): void {
    const atMs = this.options.clock.wallMs();
    const { sinceMs = atMs } = this.shared.get(certificateId) ?? {};
    remember(this.shared, certificateId, { certificateId, clientIds, atMs, sinceMs });
  }

  private noteConflict(clientId: string, certificateId: string | undefined): void {
    const atMs = this.options.clock.wallMs();
    const { times = 0, certificateIds = [] } = this.conflicts.get(clientId) ?? {};
    const known = certificateId === undefined || certificateIds.includes(certificateId);
    remember(this.conflicts, clientId, {
      clientId,
      certificateIds: known ? certificateIds : [...certificateIds, certificateId].slice(-10),
      atMs,
      times: times + 1,
    });
  }
}

const since = <T extends { readonly atMs: number }>(
  events: ReadonlyMap<string, T>,
  sinceMs: number,
): readonly T[] =>
  Array.from(events.values())
    .filter(({ atMs }) => atMs >= sinceMs)
    .reverse();

/** Maps keep the order of insertion, so the oldest comes first. */
function remember<T>(events: Map<string, T>, key: string, event: T): void {
  events.delete(key);
  events.set(key, event);
  if (events.size > MAX_REMEMBERED) events.delete(events.keys().next().value!);
}
