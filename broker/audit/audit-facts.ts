import type { Account } from "../account.js";
import type { CaCertificate, Certificate, Identity, Policy } from "../identity/index.js";
import type { ConnectionHistory } from "./connection-history.js";

/** What audits look at. */
export interface AuditFacts {
  readonly account: Account;
  readonly identity: Identity;
  readonly connections: ConnectionHistory;
  /** True for certificates that their issuer has revoked, whatever the cloud says of them. */
  isRevokedByIssuer(certificateId: string): boolean;
}

const PAGE_SIZE = 250;

interface Page<T> {
  readonly items: readonly T[];
  readonly nextMarker: string | undefined;
}

/** All items of a list that comes in pages, oldest first; what comes and goes meanwhile may or may not be seen. */
function* allOf<T>(
  page: (request: { pageSize: number; ascendingOrder: boolean; marker?: string }) => Page<T>,
): Generator<T> {
  let marker: string | undefined;
  do {
    const { items, nextMarker } = page({
      pageSize: PAGE_SIZE,
      ascendingOrder: true,
      ...(marker !== undefined && { marker }),
    });
    yield* items;
    marker = nextMarker;
  } while (marker !== undefined);
}

export const allCertificates = ({ identity }: AuditFacts): Iterable<Certificate> =>
  allOf((request) => identity.certificates.list(request));

export const allAuthorities = ({ identity }: AuditFacts): Iterable<CaCertificate> =>
  allOf((request) => identity.authorities.list(request));

export const allPolicies = ({ identity }: AuditFacts): Iterable<Policy> =>
  allOf((request) => identity.policies.list(request));
