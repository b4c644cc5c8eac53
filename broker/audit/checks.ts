import { ACCOUNT_CHECKS } from "./account-checks.js";
import type { AuditCheck } from "./audit-check.js";
import { CERTIFICATE_CHECKS } from "./certificate-checks.js";
import { POLICY_CHECKS } from "./policy-checks.js";

/** There are no Cognito pools, no IAM roles and no chains of intermediates here: these checks find nothing to look at. */
const WITHOUT_RESOURCES = {
  AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: { severity: "CRITICAL" },
  UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: { severity: "CRITICAL" },
  IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: { severity: "CRITICAL" },
  IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK: { severity: "MEDIUM" },
  INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: { severity: "CRITICAL" },
} as const satisfies Record<string, AuditCheck>;

/** Every check that AWS has, by its name (REF §14). */
export const AUDIT_CHECKS: ReadonlyMap<string, AuditCheck> = new Map<string, AuditCheck>(
  Object.entries({
    ...CERTIFICATE_CHECKS,
    ...POLICY_CHECKS,
    ...ACCOUNT_CHECKS,
    ...WITHOUT_RESOURCES,
  }).sort(([a], [b]) => (a < b ? -1 : 1)),
);
