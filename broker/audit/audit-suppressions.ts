import { canonicalJson, type Clock, type JsonObject } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import type { ResourceIdentifier } from "./audit-check.js";
import { assertCheck, invalid } from "./audit-configuration.js";
import { plainCodec } from "./plain-codec.js";

/** Which findings a suppression is about. */
export interface SuppressionKey {
  readonly checkName: string;
  readonly resourceIdentifier: ResourceIdentifier;
}

/** AWS: findings about this resource are known and do not count, until some time or for good. */
export interface AuditSuppression extends SuppressionKey {
  /** Wall-clock milliseconds. */
  readonly expirationDateMs?: number;
  readonly suppressIndefinitely?: boolean;
  readonly description?: string;
}

/** AWS: CreateAuditSuppression. */
export interface CreateAuditSuppressionRequest extends AuditSuppression {
  readonly clientRequestToken?: string;
}

interface Stored extends AuditSuppression {
  readonly clientRequestToken?: string;
}

const MAX_SUPPRESSIONS = 10_000;

/** Suppressed findings of an account. */
export class AuditSuppressions {
  private readonly table: RecordTable<Stored>;

  constructor(
    private readonly clock: Clock,
    records: RecordBook,
  ) {
    this.table = records.table("audit-suppression", plainCodec<Stored>());
  }

  create(request: CreateAuditSuppressionRequest): void {
    this.assertValid(request);
    const { clientRequestToken } = request;
    const isTokenUsed = Array.from(this.table.values()).some(
      (other) => clientRequestToken !== undefined && other.clientRequestToken === clientRequestToken,
    );
    if (isTokenUsed || this.find(request) !== undefined) {
      throw cloudError("ResourceAlreadyExistsException", "This audit suppression exists already.", {
        hint: "Use UpdateAuditSuppression to change it.",
      });
    }
    if (this.table.size >= MAX_SUPPRESSIONS) {
      throw cloudError(
        "LimitExceededException",
        `There are ${MAX_SUPPRESSIONS} audit suppressions already.`,
        {
          hint: "Delete one.",
        },
      );
    }
    this.table.set(keyOf(request), request);
  }

  /** What is left out stays; an end and no end replace each other. */
  update(request: AuditSuppression): void {
    const { expirationDateMs, suppressIndefinitely, ...before } = this.get(request);
    const hasEnd = request.expirationDateMs !== undefined || request.suppressIndefinitely === true;
    const after = {
      ...before,
      ...(!hasEnd && expirationDateMs !== undefined && { expirationDateMs }),
      ...(!hasEnd && suppressIndefinitely !== undefined && { suppressIndefinitely }),
      ...request,
    };
    this.assertValid(after);
    this.table.set(keyOf(request), after);
  }

  /** AWS: deleting what does not exist succeeds. */
  delete(key: SuppressionKey): void {
    this.table.delete(keyOf(key));
  }

  get(key: SuppressionKey): AuditSuppression {
    const found = this.find(key);
    if (found !== undefined) return found;
    throw cloudError("ResourceNotFoundException", "There is no such audit suppression.", {
      hint: "Name the check and the resource exactly as when it was created.",
    });
  }

  isSuppressed(key: SuppressionKey): boolean {
    return this.find(key) !== undefined;
  }

  /** Those that end come first, in the order of their ends. */
  list(filter: Partial<SuppressionKey>): readonly AuditSuppression[] {
    const wanted = filter.resourceIdentifier && identifierText(filter.resourceIdentifier);
    return Array.from(this.table.values())
      .filter((each) => this.isInForce(each))
      .filter(({ checkName }) => filter.checkName === undefined || checkName === filter.checkName)
      .filter(
        ({ resourceIdentifier }) => wanted === undefined || identifierText(resourceIdentifier) === wanted,
      )
      .sort((a, b) => endOf(a) - endOf(b) || (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  private find(key: SuppressionKey): AuditSuppression | undefined {
    const found = this.table.get(keyOf(key));
    return found !== undefined && this.isInForce(found) ? found : undefined;
  }

  private isInForce({ expirationDateMs }: AuditSuppression): boolean {
    return expirationDateMs === undefined || expirationDateMs > this.clock.wallMs();
  }

  private assertValid(suppression: AuditSuppression): void {
    const { checkName, resourceIdentifier, expirationDateMs, suppressIndefinitely } = suppression;
    assertCheck(checkName);
    if (Object.keys(resourceIdentifier).length !== 1) {
      throw invalid("A suppression is about one resource.", "Give resourceIdentifier exactly one member.");
    }
    if ((expirationDateMs === undefined) === (suppressIndefinitely !== true)) {
      throw invalid(
        "It must be said how long to suppress.",
        "Give expirationDate or suppressIndefinitely, not both.",
      );
    }
    if (!this.isInForce(suppression)) throw invalid("expirationDate is over.", "Give a time to come.");
  }
}

const endOf = ({ expirationDateMs }: AuditSuppression): number => expirationDateMs ?? Number.MAX_SAFE_INTEGER;

/** The same text for the same resource: the order of members and the case of certificate ids do not matter. */
export const identifierText = (identifier: ResourceIdentifier): string =>
  canonicalJson({
    ...(identifier as JsonObject),
    ...(identifier.deviceCertificateId !== undefined && {
      deviceCertificateId: identifier.deviceCertificateId.toLowerCase(),
    }),
    ...(identifier.caCertificateId !== undefined && {
      caCertificateId: identifier.caCertificateId.toLowerCase(),
    }),
  });

const keyOf = ({ checkName, resourceIdentifier }: SuppressionKey): string =>
  `${checkName}/${identifierText(resourceIdentifier)}`;
