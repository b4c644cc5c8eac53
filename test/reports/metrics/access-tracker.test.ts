import { describe, expect, it } from "vitest";
import { MS, observedRun, S } from "./observed-run.js";

const denied = (clientId: string, action = "iot:Publish") =>
  ({
    type: "access.denied",
    principal: "p",
    clientId,
    action,
    resource: "r",
    outcome: "implicitDeny",
    statement: undefined,
    reason: "none",
  }) as const;

const enforced = { controlPlane: { access: true, provisioning: true }, fleet: { a: 2, b: 2 } };

describe("access.denied", () => {
  it("counts by action, group and stage", () => {
    const { emit, read } = observedRun(enforced);
    emit(0, { type: "stage.started", stage: "one", measured: true });
    emit(MS, denied("a0"));
    emit(MS, denied("b0", "iot:Connect"));
    emit(S, { type: "stage.ended", stage: "one", timedOut: false });
    emit(S, { type: "stage.started", stage: "two", measured: true });
    emit(2 * S, denied("a1"));
    expect(read("access.denied")).toBe(3);
    expect(read("access.denied{group=a}")).toBe(2);
    expect(read("access.denied{action=iot:Connect}")).toBe(1);
    expect(read("access.denied{stage=two,action=iot:Publish,group=a}")).toBe(1);
    expect(read("access.denied{stage=two,group=b}")).toBe(0);
  });

  it("has no data where nothing is enforced: that is no zero", () => {
    const { read } = observedRun();
    expect(read("access.denied")).toMatch(/nothing is enforced/);
    expect(read("provisioning.failed")).toMatch(/no group of this run provisions itself/);
  });
});

describe("provisioning metrics", () => {
  it("tell the time of those who made it, and the reasons of those who did not", () => {
    const { emit, read } = observedRun(enforced);
    emit(S, { type: "device.provisioned", thing: "a0", tookUs: 200 * MS });
    emit(S, { type: "device.provisioned", thing: "a1", tookUs: 400 * MS });
    emit(S, { type: "device.unprovisioned", thing: "b0", reason: "ACCESS_DENIED" });
    emit(S, {
      type: "provisioning.rejected",
      clientId: "b0",
      template: "t",
      errorCode: "ACCESS_DENIED",
      reason: "Access denied.",
    });
    expect(read("provisioning.time count")).toBe(2);
    expect(read("provisioning.time{group=b} count")).toBe(0);
    expect(read("provisioning.failed{reason=ACCESS_DENIED}")).toBe(1);
    expect(read("provisioning.failed{group=a}")).toBe(0);
    expect(read("provisioning.rejected{group=b}")).toBe(1);
  });
});

describe("what is read from the cloud", () => {
  it("is asked for when somebody looks, and names one query where there are several", () => {
    const { observation, read } = observedRun();
    expect(read("meter.messages")).toMatch(/nobody meters/);
    let messages = 1;
    observation.cloud.attach({
      meters: () => ({
        connection_minutes: 1.5,
        messages,
        rules_triggered: 0,
        rule_actions: 0,
        shadow_operations: 0,
        registry_operations: 0,
        job_executions: 0,
        index_queries: 0,
      }),
      costUsd: () => 0.25,
      matches: () =>
        new Map([
          ["hot", 3],
          ["cold", 4],
        ]),
    });
    messages = 7;
    expect(read("meter.messages")).toBe(7);
    expect(read("meter.connection_minutes")).toBe(1.5);
    expect(read("cost.usd")).toBe(0.25);
    expect(read("index.matches{query=cold}")).toBe(4);
    expect(read("index.matches")).toMatch(/name one/);
    expect(read("index.matches{query=warm}")).toMatch(/no query "warm"/);
  });
});
