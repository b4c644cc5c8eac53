import { expect, it } from "vitest";
import type { AwsCli, Json } from "./aws-cli.js";

const POLICY = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK";
const KEYS = "CA_CERTIFICATE_KEY_QUALITY_CHECK";
const ROLE = "arn:aws:iam::000000000000:role/mitigation";
const BROAD = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }] };

export function auditsChapter(aws: AwsCli): void {
  const KEY = { policyVersionIdentifier: { policyName: "Broad", policyVersionId: "1" } };
  let taskId = "";
  let findingId = "";

  /** Audits take their time. */
  async function ended(id: string): Promise<Json> {
    for (let tries = 0; tries < 50; tries += 1) {
      const task = await aws`iot describe-audit-task --task-id ${id}`;
      if (task.taskStatus !== "IN_PROGRESS") return task;
    }
    throw new Error(`audit ${id} does not end`);
  }

  it("audits on demand what is enabled", async () => {
    expect(await aws.refused`iot start-on-demand-audit-task --target-check-names ${POLICY}`).toMatchObject({
      name: "InvalidRequestException",
    });
    await aws`iot update-account-audit-configuration --audit-check-configurations ${{
      [POLICY]: { enabled: true },
      [KEYS]: { enabled: true },
    }}`;
    const { auditCheckConfigurations } = await aws`iot describe-account-audit-configuration`;
    expect(auditCheckConfigurations[POLICY]).toEqual({ enabled: true });
    expect(auditCheckConfigurations.LOGGING_DISABLED_CHECK).toEqual({ enabled: false });
    await aws`iot create-policy --policy-name Broad --policy-document ${BROAD}`;
    ({ taskId } = await aws`iot start-on-demand-audit-task --target-check-names ${POLICY} ${KEYS}`);
    const task = await ended(taskId);
    expect(task).toMatchObject({ taskStatus: "COMPLETED", taskType: "ON_DEMAND_AUDIT_TASK" });
    expect(task.auditDetails[POLICY].checkRunStatus).toBe("COMPLETED_NON_COMPLIANT");
    expect(task.auditDetails[KEYS].checkRunStatus).toBe("COMPLETED_COMPLIANT");
    const startedS = Math.floor(Date.parse(task.taskStartTime) / 1000);
    const { tasks } =
      await aws`iot list-audit-tasks --start-time ${startedS - 60} --end-time ${startedS + 60}`;
    expect(tasks).toContainEqual({ taskId, taskStatus: "COMPLETED", taskType: "ON_DEMAND_AUDIT_TASK" });
    expect(await aws.refused`iot cancel-audit-task --task-id ${taskId}`).toMatchObject({
      name: "InvalidRequestException",
    });
  });

  it("tells findings, and suppresses them", async () => {
    const { findings } = await aws`iot list-audit-findings --task-id ${taskId} --resource-identifier ${KEY}`;
    const [finding] = findings;
    ({ findingId } = finding);
    expect(finding).toMatchObject({
      severity: "CRITICAL",
      reasonForNonComplianceCode: "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS",
      nonCompliantResource: { resourceType: "IOT_POLICY", resourceIdentifier: KEY },
      isSuppressed: false,
    });
    const described = await aws`iot describe-audit-finding --finding-id ${finding.findingId}`;
    expect(described.finding).toEqual(finding);
    await aws`iot create-audit-suppression --check-name ${POLICY} --resource-identifier ${KEY} --suppress-indefinitely`;
    await aws`iot update-audit-suppression --check-name ${POLICY} --resource-identifier ${KEY} --description known`;
    expect(
      await aws`iot describe-audit-suppression --check-name ${POLICY} --resource-identifier ${KEY}`,
    ).toMatchObject({ suppressIndefinitely: true, description: "known" });
    expect((await aws`iot list-audit-suppressions`).suppressions).toHaveLength(1);
    const { taskId: again } = await aws`iot start-on-demand-audit-task --target-check-names ${POLICY}`;
    await ended(again);
    const suppressed = await aws`iot list-audit-findings --task-id ${again} --list-suppressed-findings`;
    expect(suppressed.findings).toMatchObject([{ isSuppressed: true }]);
    await aws`iot delete-audit-suppression --check-name ${POLICY} --resource-identifier ${KEY}`;
  });

  it("audits by the calendar", async () => {
    const { scheduledAuditArn } =
      await aws`iot create-scheduled-audit --frequency WEEKLY --day-of-week MON --target-check-names ${POLICY} --scheduled-audit-name weekly`;
    expect(scheduledAuditArn).toMatch(/:scheduledaudit\/weekly$/);
    await aws`iot update-scheduled-audit --scheduled-audit-name weekly --frequency MONTHLY --day-of-month LAST`;
    expect(await aws`iot describe-scheduled-audit --scheduled-audit-name weekly`).toMatchObject({
      frequency: "MONTHLY",
      dayOfMonth: "LAST",
      targetCheckNames: [POLICY],
    });
    expect((await aws`iot list-scheduled-audits`).scheduledAudits).toHaveLength(1);
    await aws`iot delete-scheduled-audit --scheduled-audit-name weekly`;
  });

  it("mitigates what was found", async () => {
    await aws`iot create-mitigation-action --action-name blank --role-arn ${ROLE} --action-params ${{
      replaceDefaultPolicyVersionParams: { templateName: "BLANK_POLICY" },
    }}`;
    expect(await aws`iot describe-mitigation-action --action-name blank`).toMatchObject({
      actionType: "REPLACE_DEFAULT_POLICY_VERSION",
    });
    expect((await aws`iot list-mitigation-actions`).actionIdentifiers).toHaveLength(1);
    await aws`iot start-audit-mitigation-actions-task --task-id fix --target ${{ findingIds: [findingId] }} --audit-check-to-actions-mapping ${{ [POLICY]: ["blank"] }}`;
    let task: Json;
    do task = await aws`iot describe-audit-mitigation-actions-task --task-id fix`;
    while (task.taskStatus === "IN_PROGRESS");
    expect(task.taskStatus).toBe("COMPLETED");
    expect((await aws`iot get-policy --policy-name Broad`).defaultVersionId).toBe("2");
    await aws`iot delete-mitigation-action --action-name blank`;
    await aws`iot delete-account-audit-configuration`;
  });
}
