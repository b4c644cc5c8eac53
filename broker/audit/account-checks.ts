import { formatWallTime } from "fleetrig/kernel";
import type { AuditCheck, CheckScope, Inspected, NonCompliance } from "./audit-check.js";
import { allCertificates } from "./audit-facts.js";
import type { ConflictingClient, SharedCertificate } from "./connection-history.js";

function* sharedCertificates({ facts, sinceMs }: CheckScope): Iterable<Inspected> {
  const shared = new Map(facts.connections.sharedSince(sinceMs).map((each) => [each.certificateId, each]));
  for (const { certificateId, status } of allCertificates(facts)) {
    const sharing = shared.get(certificateId);
    yield {
      resource: {
        resourceType: "DEVICE_CERTIFICATE",
        resourceIdentifier: { deviceCertificateId: certificateId },
        additionalInfo: { STATUS: status },
      },
      reasons: sharing === undefined ? [] : [sharingOf(sharing)],
    };
  }
}

const sharingOf = ({ clientIds, atMs }: SharedCertificate): NonCompliance => ({
  reasonCode: "CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES",
  reason: "Several clients were connected with this certificate at the same time.",
  related: clientIds.map((clientId) => ({
    resourceType: "CLIENT_ID",
    resourceIdentifier: { clientId },
    additionalInfo: { CONNECTED_TOGETHER_AT: formatWallTime(atMs) },
  })),
});

function* conflictingClients({ facts, sinceMs }: CheckScope): Iterable<Inspected> {
  for (const conflict of facts.connections.conflictsSince(sinceMs)) {
    yield {
      resource: { resourceType: "CLIENT_ID", resourceIdentifier: { clientId: conflict.clientId } },
      reasons: [conflictOf(conflict)],
    };
  }
}

const conflictOf = ({ certificateIds, atMs, times }: ConflictingClient): NonCompliance => ({
  reasonCode: "DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS",
  reason: "Another connection with the same client id ended the connection of this client.",
  additionalInfo: { LAST_DISCONNECT_TIME: formatWallTime(atMs), DISCONNECTS: String(times) },
  related: certificateIds.map((deviceCertificateId) => ({
    resourceType: "DEVICE_CERTIFICATE",
    resourceIdentifier: { deviceCertificateId },
  })),
});

function* logging({ facts }: CheckScope): Iterable<Inspected> {
  const reason = {
    reasonCode: "LOGGING_DISABLED",
    reason: "AWS IoT logs are not enabled.",
  };
  yield {
    resource: {
      resourceType: "ACCOUNT_SETTINGS",
      resourceIdentifier: { account: facts.account.accountId },
    },
    reasons: facts.identity.logging.isEnabled ? [] : [reason],
  };
}

/** Checks of connections and of the account. */
export const ACCOUNT_CHECKS = {
  DEVICE_CERTIFICATE_SHARED_CHECK: { severity: "CRITICAL", inspect: sharedCertificates },
  CONFLICTING_CLIENT_IDS_CHECK: { severity: "HIGH", inspect: conflictingClients },
  LOGGING_DISABLED_CHECK: { severity: "LOW", inspect: logging },
} as const satisfies Record<string, AuditCheck>;
