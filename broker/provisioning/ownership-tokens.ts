import { createHash } from "node:crypto";
import { type Clock, isJsonObject } from "fleetrig/kernel";
import type { RecordBook, RecordTable } from "../records/index.js";
import { invalidToken } from "./device-refusal.js";
import { Deadlines, type Expiring } from "./deadlines.js";

/** A certificate that waits to be provisioned. */
interface Ownership extends Expiring {
  /** SHA-256 of the token, in hex: the token itself is with the device alone. */
  readonly tokenDigest: string;
  /** Who asked for the certificate; empty for nobody in particular. */
  readonly principal: string;
}

export interface OwnershipTokensOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  /** A text that nobody can guess. */
  readonly newToken: () => string;
  readonly lifetimeS: number;
  /** The certificate's time to be provisioned is up. */
  readonly expired: (certificateId: string) => void;
}

/**
 * The tokens that prove who asked for a certificate (REF §11.3): each is good once, for one certificate, for its
 * principal, until its time is up.
 */
export class OwnershipTokens {
  private readonly table: RecordTable<Ownership>;
  private readonly deadlines: Deadlines<Ownership>;
  private readonly certificates = new Map<string, string>();
  /** Tokens of provisionings under way. */
  private readonly held = new Set<string>();

  constructor(private readonly options: OwnershipTokensOptions) {
    const { clock, records } = options;
    this.table = records.table<Ownership>("ownership-tokens", {
      write: (row) => ({ ...row }),
      read: (value) =>
        isJsonObject(value) &&
        typeof value["tokenDigest"] === "string" &&
        typeof value["principal"] === "string" &&
        typeof value["expiresAtMs"] === "number"
          ? (value as unknown as Ownership)
          : undefined,
    });
    this.deadlines = new Deadlines(clock, this.table, (certificateId, row) => {
      this.certificates.delete(row.tokenDigest);
      options.expired(certificateId);
    });
    records.whenRestored(() => {
      for (const [certificateId, row] of this.table.entries())
        this.certificates.set(row.tokenDigest, certificateId);
      this.deadlines.rearm();
    });
  }

  issue(certificateId: string, principal: string | undefined): string {
    const { clock, newToken, lifetimeS } = this.options;
    const token = newToken();
    const tokenDigest = digestOf(token);
    this.certificates.set(tokenDigest, certificateId);
    this.deadlines.set(certificateId, {
      tokenDigest,
      principal: principal ?? "",
      expiresAtMs: clock.wallMs() + lifetimeS * 1000,
    });
    return token;
  }

  /**
   * The certificate that a token stands for. It is the caller's until `release`.
   * @throws {FleetrigError} PROVISIONING_TOKEN_INVALID
   */
  hold(token: string, principal: string | undefined): string {
    if (token === "") throw invalidToken("Certificate ownership token cannot be empty.");
    const certificateId = this.certificates.get(digestOf(token));
    const row = certificateId === undefined ? undefined : this.table.get(certificateId);
    if (certificateId === undefined || row === undefined || row.principal !== (principal ?? ""))
      throw invalidToken("The certificate ownership token is unknown, used or expired.");
    if (this.held.has(certificateId))
      throw invalidToken("The certificate ownership token is being used by another request.");
    this.held.add(certificateId);
    return certificateId;
  }

  /** @param isUsed The token is good no more. */
  release(certificateId: string, isUsed: boolean): void {
    this.held.delete(certificateId);
    const row = this.table.get(certificateId);
    if (!isUsed || row === undefined) return;
    this.certificates.delete(row.tokenDigest);
    this.table.delete(certificateId);
  }

  stop(): void {
    this.deadlines.stop();
  }
}

/** The digest is looked up in a map: comparing in constant time gains nothing where the token cannot be guessed. */
const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex");
