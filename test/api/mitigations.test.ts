import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "./api-client.js";

/** The body of an answer. */
type Json = Awaited<ReturnType<ApiWorld["ok"]>>;

const ROLE = "arn:aws:iam::000000000000:role/mitigation";
const POLICY = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK";
const REVOKED = "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK";
const LOGGING = "LOGGING_DISABLED_CHECK";
const CHECKS = [POLICY, REVOKED, LOGGING];

/** A cloud with one finding of each of the checks, and actions about them. */
async function startMitigations(): Promise<ApiWorld & { auditTaskId: string; certificateId: string }> {
  const world = startApi();
  const { ok, time, cloud } = world;
  const auditCheckConfigurations = Object.fromEntries(CHECKS.map((name) => [name, { enabled: true }]));
  await ok("PATCH", "/audit/configuration", { auditCheckConfigurations });
  const policyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
  });
  await ok("POST", "/policies/broad", { policyDocument });
  const { certificateId, certificateArn } = await ok("POST", "/keys-and-certificate?setAsActive=true");
  await ok("POST", "/things/lamp", {});
  await ok("PUT", "/things/lamp/principals", undefined, { headers: { "x-amzn-principal": certificateArn } });
  await ok("POST", "/thing-groups/quarantine", {});
  cloud.audits.noteRevokedByIssuer(certificateId);
  const { taskId } = await ok("POST", "/audit/tasks", { targetCheckNames: CHECKS });
  time.advance(1_000_000);
  const create = (name: string, actionParams: object): Promise<Json> =>
    ok("POST", `/mitigationactions/actions/${name}`, { roleArn: ROLE, actionParams });
  await create("blank", { replaceDefaultPolicyVersionParams: { templateName: "BLANK_POLICY" } });
  await create("deactivate", { updateDeviceCertificateParams: { action: "DEACTIVATE" } });
  await create("isolate", { addThingsToThingGroupParams: { thingGroupNames: ["quarantine"] } });
  await create("log", { enableIoTLoggingParams: { roleArnForLogging: ROLE, logLevel: "WARN" } });
  await create("tell", { publishFindingToSnsParams: { topicArn: "arn:aws:sns:us-east-1:000000000000:t" } });
  return { ...world, auditTaskId: taskId, certificateId };
}

const MAPPING = { [POLICY]: ["blank"], [REVOKED]: ["deactivate", "isolate"], [LOGGING]: ["log"] };

describe("mitigation actions over the API", () => {
  it("are described, changed, listed by kind and deleted", async () => {
    const { ok, refused } = await startMitigations();
    expect(await ok("GET", "/mitigationactions/actions/log")).toMatchObject({
      actionName: "log",
      actionType: "ENABLE_IOT_LOGGING",
      actionArn: "arn:aws:iot:us-east-1:000000000000:mitigationaction/log",
      roleArn: ROLE,
      actionParams: { enableIoTLoggingParams: { roleArnForLogging: ROLE, logLevel: "WARN" } },
    });
    await ok("PATCH", "/mitigationactions/actions/log", {
      actionParams: { enableIoTLoggingParams: { roleArnForLogging: ROLE, logLevel: "INFO" } },
    });
    const { actionIdentifiers } = await ok("GET", "/mitigationactions/actions?actionType=ENABLE_IOT_LOGGING");
    expect(actionIdentifiers.map(({ actionName }: Json) => actionName)).toEqual(["log"]);
    const nothing = { roleArn: ROLE, actionParams: {} };
    expect((await refused("POST", "/mitigationactions/actions/none", nothing)).name).toBe(
      "InvalidRequestException",
    );
    const again = { roleArn: ROLE, actionParams: { publishFindingToSnsParams: { topicArn: "t" } } };
    expect((await refused("POST", "/mitigationactions/actions/log", again)).name).toBe(
      "ResourceAlreadyExistsException",
    );
    await ok("DELETE", "/mitigationactions/actions/log");
    expect((await refused("GET", "/mitigationactions/actions/log")).name).toBe("ResourceNotFoundException");
  });

  it("are applied to the findings of an audit", async () => {
    const { ok, time, auditTaskId, certificateId, cloud } = await startMitigations();
    await ok("POST", "/audit/mitigationactions/tasks/fix", {
      target: { auditTaskId },
      auditCheckToActionsMapping: MAPPING,
      clientRequestToken: "t",
    });
    time.advance(1_000_000);
    const task = await ok("GET", "/audit/mitigationactions/tasks/fix");
    const one = {
      totalFindingsCount: 1,
      failedFindingsCount: 0,
      succeededFindingsCount: 1,
      skippedFindingsCount: 0,
      canceledFindingsCount: 0,
    };
    expect(task).toMatchObject({
      taskStatus: "COMPLETED",
      taskStatistics: { [POLICY]: one, [REVOKED]: one, [LOGGING]: one },
      target: { auditTaskId },
      auditCheckToActionsMapping: MAPPING,
    });
    expect(task.actionsDefinition.map(({ name }: Json) => name)).toEqual([
      "blank",
      "deactivate",
      "isolate",
      "log",
    ]);
    expect(cloud.identity.certificates.get(certificateId).status).toBe("INACTIVE");
    expect(cloud.registry.listThingGroupsForThing("lamp")).toEqual(["quarantine"]);
    expect(cloud.identity.policies.get("broad").defaultVersionId).toBe("2");
    expect(cloud.identity.logging.isEnabled).toBe(true);
    const { taskId } = await ok("POST", "/audit/tasks", { targetCheckNames: CHECKS });
    time.advance(1_000_000);
    expect((await ok("GET", `/audit/tasks/${taskId}`)).taskStatistics).toMatchObject({ compliantChecks: 3 });
  });

  it("tell what failed, and why", async () => {
    const { ok, time, auditTaskId } = await startMitigations();
    await ok("DELETE", "/thing-groups/quarantine");
    await ok("POST", "/audit/mitigationactions/tasks/fix", {
      target: { auditTaskId, auditCheckToReasonCodeFilter: { [REVOKED]: ["CERTIFICATE_REVOKED_BY_ISSUER"] } },
      auditCheckToActionsMapping: { ...MAPPING, [REVOKED]: ["isolate", "tell", "deactivate"] },
      clientRequestToken: "t",
    });
    time.advance(1_000_000);
    const { taskStatus, taskStatistics } = await ok("GET", "/audit/mitigationactions/tasks/fix");
    expect(taskStatus).toBe("FAILED");
    expect(taskStatistics).toMatchObject({ [REVOKED]: { totalFindingsCount: 1, failedFindingsCount: 1 } });
    const { findings } = await ok("POST", "/audit/findings", { taskId: auditTaskId, checkName: REVOKED });
    const [{ findingId }] = findings;
    const path = `/audit/mitigationactions/executions?taskId=fix&findingId=${findingId}`;
    const { actionsExecutions } = await ok("GET", path);
    expect(
      actionsExecutions.map(({ actionName, status, errorCode }: Json) => [actionName, status, errorCode]),
    ).toEqual([
      ["isolate", "FAILED", "ResourceNotFoundException"],
      ["tell", "FAILED", "NotImplementedException"],
      ["deactivate", "COMPLETED", undefined],
    ]);
    expect((await ok("GET", `${path}&actionStatus=COMPLETED`)).actionsExecutions).toHaveLength(1);
  });

  it("fit the check, exist, and are started once", async () => {
    const { ok, refused, time, auditTaskId } = await startMitigations();
    const start = (body: object): Promise<{ name: string }> =>
      refused("POST", "/audit/mitigationactions/tasks/fix", {
        target: { auditTaskId },
        auditCheckToActionsMapping: MAPPING,
        clientRequestToken: "t",
        ...body,
      });
    for (const wrong of [
      { auditCheckToActionsMapping: { [POLICY]: ["deactivate"] } },
      { auditCheckToActionsMapping: { [POLICY]: ["unknown"] } },
      { auditCheckToActionsMapping: { NO_CHECK: ["tell"] } },
      { target: {} },
      { target: { auditTaskId, findingIds: ["f"] } },
    ])
      expect((await start(wrong)).name).toBe("InvalidRequestException");
    await ok("POST", "/audit/mitigationactions/tasks/first", {
      target: { auditTaskId },
      auditCheckToActionsMapping: MAPPING,
      clientRequestToken: "t",
    });
    expect((await start({})).name).toBe("TaskAlreadyExistsException");
    await ok("PUT", "/audit/mitigationactions/tasks/first/cancel");
    time.advance(1_000_000);
    expect(await ok("GET", "/audit/mitigationactions/tasks/first")).toMatchObject({
      taskStatus: "CANCELED",
      taskStatistics: { [LOGGING]: { canceledFindingsCount: 1 } },
    });
    expect((await refused("PUT", "/audit/mitigationactions/tasks/first/cancel")).name).toBe(
      "InvalidRequestException",
    );
    const nowS = time.wallMs() / 1000;
    const { tasks } = await ok(
      "GET",
      `/audit/mitigationactions/tasks?startTime=${nowS - 60}&endTime=${nowS}`,
    );
    expect(tasks).toEqual([{ taskId: "first", startTime: expect.any(Number), taskStatus: "CANCELED" }]);
  });
});
