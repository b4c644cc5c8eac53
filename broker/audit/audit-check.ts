/*
 * A *check* looks at resources of one kind; a *finding* says that one resource does not comply, and why
 * (REF §14). Names and codes are AWS's.
 */
import type { AuditFacts } from "./audit-facts.js";

/** AWS: how bad it is. */
export type FindingSeverity = "CRITICAL" | "HIGH" | "MEDIUM" | "LOW";

/** AWS: what a finding is about. */
type ResourceType =
  | "DEVICE_CERTIFICATE"
  | "CA_CERTIFICATE"
  | "IOT_POLICY"
  | "CLIENT_ID"
  | "ACCOUNT_SETTINGS"
  | "COGNITO_IDENTITY_POOL"
  | "ROLE_ALIAS"
  | "IAM_ROLE"
  | "ISSUER_CERTIFICATE";

/** AWS: names a resource; one of the members, except for policies. */
export interface ResourceIdentifier {
  readonly deviceCertificateId?: string;
  readonly caCertificateId?: string;
  readonly clientId?: string;
  readonly account?: string;
  readonly policyVersionIdentifier?: { readonly policyName?: string; readonly policyVersionId?: string };
  readonly cognitoIdentityPoolId?: string;
  readonly iamRoleArn?: string;
  readonly roleAliasArn?: string;
  readonly deviceCertificateArn?: string;
  readonly issuerCertificateIdentifier?: Readonly<Record<string, string>>;
}

/** AWS: a resource and what is worth knowing of it. */
export interface AuditedResource {
  readonly resourceType: ResourceType;
  readonly resourceIdentifier: ResourceIdentifier;
  readonly additionalInfo?: Readonly<Record<string, string>>;
}

/** Why a resource does not comply. */
export interface NonCompliance {
  readonly reasonCode: string;
  /** One sentence. */
  readonly reason: string;
  readonly related?: readonly AuditedResource[];
  readonly additionalInfo?: Readonly<Record<string, string>>;
}

/** One resource that was looked at; without reasons it complies. */
export interface Inspected {
  readonly resource: AuditedResource;
  readonly reasons: readonly NonCompliance[];
}

/** What a run of a check may take into account. */
export interface CheckScope {
  readonly facts: AuditFacts;
  readonly nowMs: number;
  /** Checks of what has happened look back to here. */
  readonly sinceMs: number;
  /** AWS: configuration of the check, by ConfigName. */
  readonly configuration: Readonly<Record<string, string>>;
}

/** A setting of a check in days. */
interface DaysSetting {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

/** A kind of audit. */
export interface AuditCheck {
  readonly severity: FindingSeverity;
  readonly setting?: DaysSetting;
  /** Looks at resources one by one, as they are asked for. Undefined: there is nothing of that kind here. */
  readonly inspect?: (scope: CheckScope) => Iterable<Inspected>;
}

export const MS_PER_DAY = 86_400_000;
