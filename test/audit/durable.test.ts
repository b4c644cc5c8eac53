import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { Cloud } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";

const LOGGING = "LOGGING_DISABLED_CHECK";
const DAY_US = 86_400_000_000;

interface Running {
  readonly cloud: Cloud;
  readonly time: VirtualTime;
}

function start(journal: PaperJournal, seed = 1): Running {
  const time = new VirtualTime();
  return { time, cloud: new Cloud({ time, random: createRandomSource(seed), journal }) };
}

function restarted(journal: PaperJournal): Running {
  journal.commit();
  const next = start(new PaperJournal(), 2);
  journal.restoreInto(next.cloud.records);
  return next;
}

describe("audits and the index across a restart", () => {
  it("keep configuration, schedules, suppressions, actions, tasks and findings", () => {
    const journal = new PaperJournal();
    const { cloud, time } = start(journal);
    const { audits } = cloud;
    const key = { checkName: LOGGING, resourceIdentifier: { account: "000000000000" } };
    audits.configure({ auditCheckConfigurations: { [LOGGING]: { enabled: true } } });
    audits.scheduled.create({ scheduledAuditName: "daily", frequency: "DAILY", targetCheckNames: [LOGGING] });
    audits.mitigations.create({
      actionName: "log",
      roleArn: "arn:aws:iam::000000000000:role/r",
      actionParams: { enableIoTLoggingParams: { roleArnForLogging: "r", logLevel: "INFO" } },
    });
    const { taskId } = audits.startOnDemand([LOGGING]);
    time.advance(1_000_000);
    audits.suppressions.create({ ...key, suppressIndefinitely: true });
    const interrupted = audits.startOnDemand([LOGGING]).taskId;
    const findings = audits.findings.list({ taskId });
    const next = restarted(journal);
    const again = next.cloud.audits;
    expect(again.configurations.isEnabled(LOGGING)).toBe(true);
    expect(again.suppressions.isSuppressed(key)).toBe(true);
    expect(again.mitigations.get("log")).toEqual(audits.mitigations.get("log"));
    expect(again.tasks.get(taskId).taskStatus).toBe("COMPLETED");
    expect(again.tasks.get(interrupted).taskStatus).toBe("FAILED");
    expect(again.findings.list({ taskId })).toEqual(findings);
    expect(findings).toHaveLength(1);
    next.time.advance(DAY_US + 1_000_000);
    const endTimeMs = next.time.wallMs();
    const run = again.tasks.list({
      startTimeMs: endTimeMs - 86_400_000,
      endTimeMs,
      taskType: "SCHEDULED_AUDIT_TASK",
    });
    expect(run.map(({ taskStatus, scheduledAuditName }) => [taskStatus, scheduledAuditName])).toEqual([
      ["COMPLETED", "daily"],
    ]);
  });

  it("keep the indexing configuration and fleet metrics; things are indexed anew and dynamic groups stay full", () => {
    const journal = new PaperJournal();
    const { cloud, time } = start(journal);
    cloud.indexing.updateIndexingConfiguration({
      thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
    });
    cloud.registry.createThing({ thingName: "lamp" });
    time.advance(10_000);
    cloud.registry.dynamicGroups.create({ thingGroupName: "lamps", queryString: "thingName:lamp*" });
    cloud.fleetMetrics.create({
      metricName: "size",
      queryString: "*",
      aggregationType: { name: "Statistics", values: ["count"] },
      aggregationField: "registry.version",
      period: 60,
    });
    time.advance(10_000);
    const next = restarted(journal);
    const changes: string[] = [];
    next.cloud.registry.onChange(({ kind }) => changes.push(kind));
    expect(next.cloud.indexing.describeIndex("AWS_Things").indexStatus).toBe("BUILDING");
    next.time.advance(60_000_000);
    expect(next.cloud.indexing.searchIndex({ queryString: "thingGroupNames:lamps" }).things).toHaveLength(1);
    expect(next.cloud.registry.thingGroup("lamps")?.dynamic?.status).toBe("ACTIVE");
    expect(changes).not.toContain("membership");
    expect(next.cloud.fleetMetrics.readings()).toMatchObject([
      { metricName: "size", values: [["count", 1]] },
    ]);
  });
});
