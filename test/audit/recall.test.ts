import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { Cloud, createVirtualIssuer } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { connectClient } from "../api/memory-client.js";

const DAY_MS = 86_400_000;
const DAY_US = DAY_MS * 1000;
const DEVICES = 1_000;
const PLANTED = 12;
const GOOD = {
  Effect: "Allow",
  Action: "iot:Publish",
  Resource: "arn:aws:iot:us-east-1:000000000000:topic/a",
};
const BROAD = { Effect: "Allow", Action: "iot:*", Resource: "*" };
const FUTILE = {
  Effect: "Deny",
  Action: "iot:Subscribe",
  Resource: "arn:aws:iot:us-east-1:000000000000:topicfilter/a/+/secret",
};

const CHECKS = [
  "DEVICE_CERTIFICATE_AGE_CHECK",
  "DEVICE_CERTIFICATE_EXPIRING_CHECK",
  "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK",
  "DEVICE_CERTIFICATE_SHARED_CHECK",
  "DEVICE_CERTIFICATE_KEY_QUALITY_CHECK",
  "CONFLICTING_CLIENT_IDS_CHECK",
  "IOT_POLICY_OVERLY_PERMISSIVE_CHECK",
  "IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK",
];

describe("audits of a fleet with planted faults", () => {
  it("find all of them and nothing else", () => {
    const time = new VirtualTime();
    const random = createRandomSource(1);
    const issuer = createVirtualIssuer(random.stream("planted"));
    const cloud = new Cloud({ time, random, issuer });
    const { audits, identity } = cloud;
    const issue = (notAfterMs?: number): string => {
      const certificate = issuer.createKeysAndCertificate(notAfterMs === undefined ? {} : { notAfterMs });
      return identity.certificates.addIssued(certificate, "ACTIVE").certificateId;
    };
    const connect = (clientId: string, certificateId: string): void => {
      const certificate = { fingerprint256: certificateId };
      connectClient({ cloud }, clientId, { peer: { transport: "tls", certificate } as never });
    };
    const planted = new Map<string, string[]>(CHECKS.map((check) => [check, []]));
    const plant = (check: string, name: string): void => void planted.get(check)!.push(name);
    for (let count = 0; count < PLANTED; count += 1) plant("DEVICE_CERTIFICATE_AGE_CHECK", issue());
    time.advance(40 * DAY_US);
    for (let ordinal = 0; ordinal < DEVICES; ordinal += 1) {
      const fault = ordinal < 6 * PLANTED ? Math.floor(ordinal / PLANTED) : -1;
      const certificateId = issue(fault === 0 ? time.wallMs() + 10 * DAY_MS : undefined);
      if (fault === 0) plant("DEVICE_CERTIFICATE_EXPIRING_CHECK", certificateId);
      if (fault === 1) {
        audits.noteRevokedByIssuer(certificateId);
        plant("REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK", certificateId);
      }
      connect(`device-${ordinal}`, certificateId);
      if (fault === 2) {
        connect(`clone-${ordinal}`, certificateId);
        plant("DEVICE_CERTIFICATE_SHARED_CHECK", certificateId);
      }
      if (fault === 3) {
        connect(`device-${ordinal}`, certificateId);
        plant("CONFLICTING_CLIENT_IDS_CHECK", `device-${ordinal}`);
      }
      const statements = fault === 4 ? [BROAD] : fault === 5 ? [GOOD, FUTILE] : [GOOD];
      if (fault === 4) plant("IOT_POLICY_OVERLY_PERMISSIVE_CHECK", `policy-${ordinal}`);
      if (fault === 5) plant("IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK", `policy-${ordinal}`);
      identity.policies.create(
        `policy-${ordinal}`,
        JSON.stringify({ Version: "2012-10-17", Statement: statements }),
      );
    }
    const enabled = (check: string): object => ({
      enabled: true,
      ...(check === "DEVICE_CERTIFICATE_AGE_CHECK" && {
        configuration: { CERT_AGE_THRESHOLD_IN_DAYS: "30" },
      }),
    });
    audits.configure({
      auditCheckConfigurations: Object.fromEntries(CHECKS.map((check) => [check, enabled(check)])),
    });
    const { taskId } = audits.startOnDemand(CHECKS);
    time.advance(5_000_000);
    expect(audits.tasks.get(taskId).taskStatus).toBe("COMPLETED");
    const found = new Map<string, string[]>(CHECKS.map((check) => [check, []]));
    for (const { checkName, nonCompliantResource } of audits.findings.list({ taskId })) {
      const { deviceCertificateId, clientId, policyVersionIdentifier } =
        nonCompliantResource.resourceIdentifier;
      found.get(checkName)!.push(deviceCertificateId ?? clientId ?? policyVersionIdentifier!.policyName!);
    }
    for (const check of CHECKS)
      expect([check, found.get(check)!.toSorted()]).toEqual([check, planted.get(check)!.toSorted()]);
  });
});
