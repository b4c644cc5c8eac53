import { AUDIT_CHECKS } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "./api-client.js";
import { connectClient } from "./memory-client.js";

/** The body of an answer. */
type Json = Awaited<ReturnType<ApiWorld["ok"]>>;

const ALL = Array.from(AUDIT_CHECKS.keys());
const DAY_US = 86_400_000_000;
const BROAD_POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
});

async function startAudits(checks: readonly string[] = ALL): Promise<ApiWorld> {
  const world = startApi();
  const auditCheckConfigurations = Object.fromEntries(checks.map((name) => [name, { enabled: true }]));
  await world.ok("PATCH", "/audit/configuration", { auditCheckConfigurations });
  return world;
}

async function audit(world: ApiWorld, targetCheckNames: readonly string[] = ALL): Promise<Json> {
  const { taskId } = await world.ok("POST", "/audit/tasks", { targetCheckNames });
  world.time.advance(5_000_000);
  return { taskId, ...(await world.ok("GET", `/audit/tasks/${taskId}`)) };
}

const newCertificate = (world: ApiWorld): Promise<Json> =>
  world.ok("POST", "/keys-and-certificate?setAsActive=true");

describe("audits over the API", () => {
  it("are not configured at first: every check is there, and none is enabled", async () => {
    const world = startApi();
    const { auditCheckConfigurations } = await world.ok("GET", "/audit/configuration");
    expect(Object.keys(auditCheckConfigurations)).toEqual(ALL);
    expect(Object.values(auditCheckConfigurations)).toEqual(ALL.map(() => ({ enabled: false })));
    expect(
      await world.refused("POST", "/audit/tasks", { targetCheckNames: ["LOGGING_DISABLED_CHECK"] }),
    ).toMatchObject({ name: "InvalidRequestException", status: 400 });
    expect((await world.refused("DELETE", "/audit/configuration")).name).toBe("ResourceNotFoundException");
  });

  it("perform every check and tell what does not comply", async () => {
    const world = await startAudits();
    await newCertificate(world);
    await world.ok("POST", "/policies/broad", { policyDocument: BROAD_POLICY });
    const task = await audit(world);
    expect(task).toMatchObject({ taskStatus: "COMPLETED", taskType: "ON_DEMAND_AUDIT_TASK" });
    expect(task.taskStatistics).toEqual({
      totalChecks: ALL.length,
      inProgressChecks: 0,
      waitingForDataCollectionChecks: 0,
      compliantChecks: ALL.length - 2,
      nonCompliantChecks: 2,
      failedChecks: 0,
      canceledChecks: 0,
    });
    expect(task.auditDetails["DEVICE_CERTIFICATE_EXPIRING_CHECK"]).toEqual({
      checkRunStatus: "COMPLETED_COMPLIANT",
      checkCompliant: true,
      totalResourcesCount: 1,
      nonCompliantResourcesCount: 0,
      suppressedNonCompliantResourcesCount: 0,
    });
    const { findings } = await world.ok("POST", "/audit/findings", { taskId: task.taskId });
    expect(findings).toEqual([
      {
        findingId: expect.any(String),
        taskId: task.taskId,
        checkName: "IOT_POLICY_OVERLY_PERMISSIVE_CHECK",
        taskStartTime: expect.any(Number),
        findingTime: expect.any(Number),
        severity: "CRITICAL",
        nonCompliantResource: {
          resourceType: "IOT_POLICY",
          resourceIdentifier: { policyVersionIdentifier: { policyName: "broad", policyVersionId: "1" } },
          additionalInfo: {},
        },
        relatedResources: [],
        reasonForNonCompliance: expect.any(String),
        reasonForNonComplianceCode: "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS",
        isSuppressed: false,
      },
      expect.objectContaining({
        checkName: "LOGGING_DISABLED_CHECK",
        nonCompliantResource: {
          resourceType: "ACCOUNT_SETTINGS",
          resourceIdentifier: { account: "000000000000" },
          additionalInfo: {},
        },
      }),
    ]);
    const [{ findingId }] = findings;
    expect((await world.ok("GET", `/audit/findings/${findingId}`)).finding).toEqual(findings[0]);
    expect((await world.refused("GET", "/audit/findings/none")).name).toBe("ResourceNotFoundException");
    await world.ok("POST", "/v2LoggingOptions", {
      roleArn: "arn:aws:iam::000000000000:role/r",
      defaultLogLevel: "INFO",
    });
    const again = await audit(world, ["LOGGING_DISABLED_CHECK"]);
    expect(again.taskStatistics).toMatchObject({ compliantChecks: 1, nonCompliantChecks: 0 });
  });

  it("list findings by audit or by time, in pages", async () => {
    const world = await startAudits();
    for (const name of ["a", "b", "c"])
      await world.ok("POST", `/policies/${name}`, { policyDocument: BROAD_POLICY });
    const { taskId } = await audit(world, ["IOT_POLICY_OVERLY_PERMISSIVE_CHECK"]);
    const first = await world.ok("POST", "/audit/findings", { taskId, maxResults: 2 });
    const second = await world.ok("POST", "/audit/findings", {
      taskId,
      maxResults: 2,
      nextToken: first.nextToken,
    });
    expect([first.findings.length, second.findings.length, second.nextToken]).toEqual([2, 1, undefined]);
    const nowS = world.time.wallMs() / 1000;
    const between = { startTime: nowS - 60, endTime: nowS };
    expect((await world.ok("POST", "/audit/findings", between)).findings).toHaveLength(3);
    const policyVersionIdentifier = { policyName: "b", policyVersionId: "1" };
    const ofOne = { ...between, resourceIdentifier: { policyVersionIdentifier } };
    expect((await world.ok("POST", "/audit/findings", ofOne)).findings).toHaveLength(1);
    for (const wrong of [{}, { taskId, ...between }, { startTime: nowS }])
      expect((await world.refused("POST", "/audit/findings", wrong)).name).toBe("InvalidRequestException");
  });

  it("do not count what is suppressed, until the suppression ends", async () => {
    const check = "LOGGING_DISABLED_CHECK";
    const world = await startAudits([check]);
    const key = { checkName: check, resourceIdentifier: { account: "000000000000" } };
    const expirationDate = world.time.wallMs() / 1000 + 3600;
    await world.ok("POST", "/audit/suppressions/create", {
      ...key,
      expirationDate,
      clientRequestToken: "t1",
    });
    expect(
      (
        await world.refused("POST", "/audit/suppressions/create", {
          ...key,
          suppressIndefinitely: true,
          clientRequestToken: "t2",
        })
      ).name,
    ).toBe("ResourceAlreadyExistsException");
    expect(await world.ok("POST", "/audit/suppressions/describe", key)).toEqual({ ...key, expirationDate });
    const suppressed = await audit(world, [check]);
    expect(suppressed.auditDetails[check]).toMatchObject({
      checkRunStatus: "COMPLETED_COMPLIANT",
      nonCompliantResourcesCount: 1,
      suppressedNonCompliantResourcesCount: 1,
    });
    const listed = await world.ok("POST", "/audit/findings", {
      taskId: suppressed.taskId,
      listSuppressedFindings: true,
    });
    expect(listed.findings).toHaveLength(1);
    world.time.advance(3_600_000_000);
    expect((await audit(world, [check])).auditDetails[check].checkRunStatus).toBe("COMPLETED_NON_COMPLIANT");
    expect((await world.ok("POST", "/audit/suppressions/list", {})).suppressions).toEqual([]);
    expect((await world.refused("POST", "/audit/suppressions/describe", key)).name).toBe(
      "ResourceNotFoundException",
    );
    await world.ok("POST", "/audit/suppressions/create", {
      ...key,
      suppressIndefinitely: true,
      clientRequestToken: "t3",
    });
    await world.ok("PATCH", "/audit/suppressions/update", { ...key, description: "known" });
    expect((await world.ok("POST", "/audit/suppressions/list", { checkName: check })).suppressions).toEqual([
      { ...key, suppressIndefinitely: true, description: "known" },
    ]);
    await world.ok("POST", "/audit/suppressions/delete", key);
    expect((await world.ok("POST", "/audit/suppressions/list", {})).suppressions).toEqual([]);
  });

  it("take place by the calendar, once a day or as told", async () => {
    const world = await startAudits(["LOGGING_DISABLED_CHECK"]);
    const targetCheckNames = ["LOGGING_DISABLED_CHECK"];
    const { scheduledAuditArn } = await world.ok("POST", "/audit/scheduledaudits/nightly", {
      frequency: "DAILY",
      targetCheckNames,
    });
    expect(scheduledAuditArn).toBe("arn:aws:iot:us-east-1:000000000000:scheduledaudit/nightly");
    const tasks = async (): Promise<readonly Json[]> => {
      const nowS = world.time.wallMs() / 1000;
      return (await world.ok("GET", `/audit/tasks?startTime=${nowS - 80 * 86_400}&endTime=${nowS}`)).tasks;
    };
    world.time.advance(25 * 3_600_000_000);
    expect(await tasks()).toEqual([
      { taskId: expect.any(String), taskStatus: "COMPLETED", taskType: "SCHEDULED_AUDIT_TASK" },
    ]);
    expect(await world.ok("GET", `/audit/tasks/${(await tasks())[0].taskId}`)).toMatchObject({
      scheduledAuditName: "nightly",
    });
    expect(world.events.filter(({ type }) => type === "audit.ended")).toEqual([
      expect.objectContaining({
        scheduledAuditName: "nightly",
        status: "COMPLETED",
        nonCompliantChecks: ["LOGGING_DISABLED_CHECK"],
      }),
    ]);
    await world.ok("PATCH", "/audit/scheduledaudits/nightly", { frequency: "MONTHLY", dayOfMonth: "LAST" });
    expect(await world.ok("GET", "/audit/scheduledaudits/nightly")).toEqual({
      scheduledAuditName: "nightly",
      scheduledAuditArn,
      frequency: "MONTHLY",
      dayOfMonth: "LAST",
      targetCheckNames,
    });
    world.time.advance(60 * DAY_US);
    expect(await tasks()).toHaveLength(3);
    expect((await world.ok("GET", "/audit/scheduledaudits")).scheduledAudits).toHaveLength(1);
    const disable = { auditCheckConfigurations: { LOGGING_DISABLED_CHECK: { enabled: false } } };
    expect((await world.refused("PATCH", "/audit/configuration", disable)).name).toBe(
      "InvalidRequestException",
    );
    expect((await world.refused("DELETE", "/audit/configuration")).name).toBe("InvalidRequestException");
    await world.ok("DELETE", "/audit/configuration?deleteScheduledAudits=true");
    expect((await world.refused("GET", "/audit/scheduledaudits/nightly")).name).toBe(
      "ResourceNotFoundException",
    );
    world.time.advance(40 * DAY_US);
    expect(await tasks()).toHaveLength(2);
  });

  it("can be canceled while they are in progress", async () => {
    const world = await startAudits();
    const { taskId } = await world.ok("POST", "/audit/tasks", { targetCheckNames: ALL });
    expect((await world.ok("GET", `/audit/tasks/${taskId}`)).taskStatus).toBe("IN_PROGRESS");
    await world.ok("PUT", `/audit/tasks/${taskId}/cancel`);
    world.time.advance(5_000_000);
    expect(await world.ok("GET", `/audit/tasks/${taskId}`)).toMatchObject({
      taskStatus: "CANCELED",
      taskStatistics: { canceledChecks: ALL.length },
    });
    expect((await world.refused("PUT", `/audit/tasks/${taskId}/cancel`)).name).toBe(
      "InvalidRequestException",
    );
  });

  it("see clients that take each other's names", async () => {
    const world = await startAudits(["CONFLICTING_CLIENT_IDS_CHECK"]);
    const checks = ["CONFLICTING_CLIENT_IDS_CHECK"];
    connectClient(world, "twin");
    expect((await audit(world, checks)).taskStatistics.compliantChecks).toBe(1);
    connectClient(world, "twin");
    const { taskId } = await audit(world, checks);
    const { findings } = await world.ok("POST", "/audit/findings", { taskId });
    expect(findings).toEqual([
      expect.objectContaining({
        severity: "HIGH",
        reasonForNonComplianceCode: "DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS",
        nonCompliantResource: expect.objectContaining({ resourceIdentifier: { clientId: "twin" } }),
      }),
    ]);
  });

  it("see certificates that several clients use at once", async () => {
    const check = "DEVICE_CERTIFICATE_SHARED_CHECK";
    const world = await startAudits([check]);
    const { certificateId } = await newCertificate(world);
    const peer = { transport: "tls", certificate: { fingerprint256: certificateId } } as never;
    connectClient(world, "one", { peer }).lose();
    connectClient(world, "two", { peer });
    expect((await audit(world, [check])).taskStatistics.compliantChecks).toBe(1);
    connectClient(world, "three", { peer });
    const { taskId } = await audit(world, [check]);
    const { findings } = await world.ok("POST", "/audit/findings", { taskId });
    expect(findings).toMatchObject([
      {
        reasonForNonComplianceCode: "CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES",
        nonCompliantResource: { resourceIdentifier: { deviceCertificateId: certificateId } },
        relatedResources: [
          { resourceType: "CLIENT_ID", resourceIdentifier: { clientId: "two" } },
          { resourceType: "CLIENT_ID", resourceIdentifier: { clientId: "three" } },
        ],
      },
    ]);
    const [{ findingId }] = findings;
    const related = await world.ok("GET", `/audit/relatedResources?findingId=${findingId}&maxResults=1`);
    expect(related).toMatchObject({ relatedResources: [{}], nextToken: expect.any(String) });
    world.time.advance(32 * DAY_US);
    expect((await audit(world, [check])).taskStatistics.compliantChecks).toBe(1);
  });

  it("see certificates that expire, are old, or were revoked by their issuer", async () => {
    const checks = [
      "DEVICE_CERTIFICATE_EXPIRING_CHECK",
      "DEVICE_CERTIFICATE_AGE_CHECK",
      "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK",
    ];
    const world = await startAudits(checks);
    const { certificateId } = await newCertificate(world);
    const codes = async (): Promise<readonly string[]> => {
      const { taskId } = await audit(world, checks);
      const { findings } = await world.ok("POST", "/audit/findings", { taskId });
      return findings.map((finding: Json) => finding.reasonForNonComplianceCode);
    };
    expect(await codes()).toEqual([]);
    world.cloud.audits.noteRevokedByIssuer(certificateId);
    expect(await codes()).toEqual(["CERTIFICATE_REVOKED_BY_ISSUER"]);
    await world.ok("PATCH", "/audit/configuration", {
      auditCheckConfigurations: {
        DEVICE_CERTIFICATE_AGE_CHECK: { enabled: true, configuration: { CERT_AGE_THRESHOLD_IN_DAYS: "30" } },
      },
    });
    world.time.advance(31 * DAY_US);
    expect(await codes()).toEqual(["CERTIFICATE_PAST_AGE_THRESHOLD", "CERTIFICATE_REVOKED_BY_ISSUER"]);
    await world.ok("PUT", `/certificates/${certificateId}?newStatus=REVOKED`);
    expect(await codes()).toEqual([]);
    for (const days of ["29", "3653", "x"]) {
      const configuration = { CERT_AGE_THRESHOLD_IN_DAYS: days };
      const change = {
        auditCheckConfigurations: { DEVICE_CERTIFICATE_AGE_CHECK: { enabled: true, configuration } },
      };
      expect((await world.refused("PATCH", "/audit/configuration", change)).name).toBe(
        "InvalidRequestException",
      );
    }
  });
});
