import { formatWallTime } from "fleetrig/kernel";
import type { CaCertificate, Certificate } from "../identity/index.js";
import {
  type AuditCheck,
  type AuditedResource,
  type CheckScope,
  type Inspected,
  MS_PER_DAY,
  type NonCompliance,
} from "./audit-check.js";
import { allAuthorities, allCertificates } from "./audit-facts.js";
import { hasPredictablePrimes, modulusOf } from "./weak-key.js";

const EXPIRATION_DAYS = { name: "CERT_EXPIRATION_THRESHOLD_IN_DAYS", least: 30, most: 3652 };
const AGE_DAYS = { name: "CERT_AGE_THRESHOLD_IN_DAYS", least: 30, most: 3652 };
const DEFAULT_EXPIRATION_DAYS = 30;
const DEFAULT_AGE_DAYS = 365;

type Row = Certificate | CaCertificate;
type Judge<R> = (row: R, scope: CheckScope) => NonCompliance | undefined;

const deviceResource = ({ certificateId, status }: Certificate): AuditedResource => ({
  resourceType: "DEVICE_CERTIFICATE",
  resourceIdentifier: { deviceCertificateId: certificateId },
  additionalInfo: { STATUS: status },
});

const authorityResource = ({ certificateId, status }: CaCertificate): AuditedResource => ({
  resourceType: "CA_CERTIFICATE",
  resourceIdentifier: { caCertificateId: certificateId },
  additionalInfo: { STATUS: status },
});

/** AWS: certificates that can be used, or soon will be. */
const isInUse = ({ status }: Row): boolean => status === "ACTIVE" || status === "PENDING_TRANSFER";

const ofDevices = (judge: Judge<Certificate>) =>
  function* (scope: CheckScope): Iterable<Inspected> {
    for (const row of allCertificates(scope.facts)) {
      if (!isInUse(row)) continue;
      yield inspected(deviceResource(row), judge(row, scope));
    }
  };

const ofAuthorities = (judge: Judge<CaCertificate>) =>
  function* (scope: CheckScope): Iterable<Inspected> {
    for (const row of allAuthorities(scope.facts)) {
      if (!isInUse(row)) continue;
      yield inspected(authorityResource(row), judge(row, scope));
    }
  };

const inspected = (resource: AuditedResource, reason: NonCompliance | undefined): Inspected => ({
  resource,
  reasons: reason === undefined ? [] : [reason],
});

const daysOf = ({ configuration }: CheckScope, name: string, standard: number): number =>
  Number(configuration[name] ?? standard);

function expiring(row: Row, scope: CheckScope): NonCompliance | undefined {
  const { validToMs } = row;
  const additionalInfo = { EXPIRATION_TIME: formatWallTime(validToMs) };
  if (validToMs <= scope.nowMs) {
    return {
      reasonCode: "CERTIFICATE_PAST_EXPIRATION",
      reason: `Certificate has expired at ${formatWallTime(validToMs)}.`,
      additionalInfo,
    };
  }
  const days = daysOf(scope, EXPIRATION_DAYS.name, DEFAULT_EXPIRATION_DAYS);
  if (validToMs > scope.nowMs + days * MS_PER_DAY) return undefined;
  return {
    reasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
    reason: `Certificate expires within ${days} days, at ${formatWallTime(validToMs)}.`,
    additionalInfo,
  };
}

function old(row: Certificate, scope: CheckScope): NonCompliance | undefined {
  const days = daysOf(scope, AGE_DAYS.name, DEFAULT_AGE_DAYS);
  if (scope.nowMs - row.createdAtMs < days * MS_PER_DAY) return undefined;
  return {
    reasonCode: "CERTIFICATE_PAST_AGE_THRESHOLD",
    reason: `Certificate has been here for ${days} days or longer.`,
    additionalInfo: { CREATION_TIME: formatWallTime(row.createdAtMs) },
  };
}

function weak(publicKey: {
  readonly keyType: string;
  readonly publicKeyDer: Uint8Array;
}): NonCompliance | undefined {
  const modulus = publicKey.keyType.startsWith("rsa") ? modulusOf(publicKey.publicKeyDer) : undefined;
  if (modulus === undefined || !hasPredictablePrimes(modulus)) return undefined;
  return {
    reasonCode: "CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361",
    reason: "The RSA key was made by a library whose primes can be guessed.",
  };
}

function revoked(row: Row, { facts }: CheckScope): NonCompliance | undefined {
  if (!facts.isRevokedByIssuer(row.certificateId)) return undefined;
  return {
    reasonCode: "CERTIFICATE_REVOKED_BY_ISSUER",
    reason: `The issuer has revoked the certificate, which is ${row.status} here.`,
  };
}

/** Checks of certificates of devices and of authorities. */
export const CERTIFICATE_CHECKS = {
  CA_CERTIFICATE_EXPIRING_CHECK: { severity: "MEDIUM", inspect: ofAuthorities(expiring) },
  CA_CERTIFICATE_KEY_QUALITY_CHECK: {
    severity: "CRITICAL",
    inspect: ofAuthorities((row, { facts }) => weak(facts.identity.authorities.read(row))),
  },
  REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: { severity: "CRITICAL", inspect: ofAuthorities(revoked) },
  DEVICE_CERTIFICATE_EXPIRING_CHECK: {
    severity: "MEDIUM",
    setting: EXPIRATION_DAYS,
    inspect: ofDevices(expiring),
  },
  DEVICE_CERTIFICATE_KEY_QUALITY_CHECK: {
    severity: "CRITICAL",
    inspect: ofDevices((row, { facts }) => weak(facts.identity.certificates.read(row))),
  },
  REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: { severity: "MEDIUM", inspect: ofDevices(revoked) },
  DEVICE_CERTIFICATE_AGE_CHECK: { severity: "LOW", setting: AGE_DAYS, inspect: ofDevices(old) },
} as const satisfies Record<string, AuditCheck>;
