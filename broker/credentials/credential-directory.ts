import { EXIT, FleetrigError } from "fleetrig/kernel";

/** A key that requests can be signed with. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials: has to come with every request. */
  readonly sessionToken?: string;
  /** Milliseconds since 1970; undefined for credentials that do not expire. */
  readonly expiresAtMs?: number;
  /** Of the user or role. */
  readonly arn: string;
}

/** Credentials that an operator configures. */
export interface CredentialOptions {
  /** 3 to 128 letters, digits, `_` and `-`. */
  readonly accessKeyId: string;
  /** At least 8 characters. */
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Name of the user in ARNs. Default: the access key id. */
  readonly userName?: string;
}

/** Temporary credentials that are remembered; the oldest go first. */
const MAX_ISSUED = 100_000;

/** All keys that signatures are checked with: those of the configuration, and those handed out to devices. */
export class CredentialDirectory {
  private readonly configured = new Map<string, Credential>();
  private readonly issued = new Map<string, Credential>();

  /** @throws FleetrigError `CREDENTIALS_INVALID`. */
  constructor(credentials: readonly CredentialOptions[], accountId: string) {
    for (const { accessKeyId, secretAccessKey, sessionToken, userName = accessKeyId } of credentials) {
      if (!/^[\w-]{3,128}$/.test(accessKeyId))
        throw invalid("An access key id has 3 to 128 letters and digits.");
      if (secretAccessKey.length < 8)
        throw invalid(`The secret of ${accessKeyId} has less than 8 characters.`);
      this.configured.set(accessKeyId, {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken !== undefined && { sessionToken }),
        arn: `arn:aws:iam::${accountId}:user/${userName}`,
      });
    }
  }

  /** Do requests have to be signed? */
  get areRequired(): boolean {
    return this.configured.size > 0;
  }

  find(accessKeyId: string): Credential | undefined {
    return this.configured.get(accessKeyId) ?? this.issued.get(accessKeyId);
  }

  issue(credential: Credential, nowMs: number): void {
    for (const [key, { expiresAtMs = 0 }] of this.issued) {
      // In the order in which they were issued: most that have expired stand in front.
      if (expiresAtMs > nowMs && this.issued.size < MAX_ISSUED) break;
      this.issued.delete(key);
    }
    this.issued.set(credential.accessKeyId, credential);
  }
}

const invalid = (message: string): FleetrigError =>
  new FleetrigError("CREDENTIALS_INVALID", message, {
    hint: "Use the keys that the AWS CLI is configured with, or make up some of that kind.",
    exitCode: EXIT.usage,
  });
