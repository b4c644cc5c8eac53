import { describe, expect, it } from "vitest";
import type { World } from "../../scenarios/runner/world.js";
import { metric, runText } from "../determinism/run-text.js";
import { certified, claiming, controlPlaneText } from "./control-plane-text.js";

const steady = (actions = "", duration = "20s"): string => `
  - name: steady
    duration: ${duration}
    actions: [${actions}]`;

/** Runs the text and keeps the world it ran in, which virtual time leaves as it is. */
async function runIn(text: string, folder = "test/runner") {
  let world: World | undefined;
  const record = await runText(text, { folder, prepared: (prepared) => (world = prepared) });
  expect(record.failure).toBeNull();
  return { record, cloud: world!.cloud!, identities: world!.identities! };
}

describe("policies in a scenario", () => {
  it("let certified devices do what they allow, and deny the rest with the action's name", async () => {
    const { record } = await runIn(
      controlPlaneText({ fleet: certified("good", 5) + certified("mute", 3, "silent"), stages: steady() }),
    );
    expect(metric(record, "access.denied", { group: "good" })).toBe(0);
    expect(metric(record, "access.denied", { group: "mute" })).toBeGreaterThan(0);
    expect(metric(record, "delivery.received", { group: "good" })).toBe(100);
    expect(metric(record, "delivery.received", { group: "mute" })).toBe(0);
    expect(metric(record, "connections.online", { group: "good" })).toBe(1);
  });

  it("change nothing in a scenario without them: nothing is enforced and nothing counted as denied", async () => {
    const record = await runText(`
version: 1
name: open
fleet: [{ group: g, model: builtin:temperature-sensor, count: 2 }]
stages: [{ name: s, duration: 5s }]
expect: [access.denied == 0]
`);
    expect(record.expectations[0]).toMatchObject({ verdict: "fail", value: null });
    expect(metric(record, "access.denied")).toBeUndefined();
  });

  it("are attached and detached in the run", async () => {
    const { record } = await runIn(
      controlPlaneText({
        fleet: certified("g", 2, "silent"),
        stages:
          steady("{ at: 10s, attachPolicy: { policyName: device } }", "10500ms") +
          `
  - name: allowed
    duration: 10s
  - name: detached
    duration: 10s
    actions: [{ at: 0s, detachPolicy: { policyName: device, select: { things: [g-0] } } }]
  - name: grouped
    duration: 10s
    actions: [{ at: 0s, attachPolicy: { policyName: device, thingGroup: site } }]`,
      }),
    );
    const denied = (stage: string) => metric(record, "access.denied", { stage });
    expect(denied("steady")).toBeGreaterThan(0);
    expect(denied("allowed")).toBe(0);
    expect(denied("detached")).toBeGreaterThan(0);
    // Through the parent of the group that the thing is in, from the first message after it.
    expect(denied("grouped")).toBeLessThanOrEqual(1);
  });
});

describe("the registry of a scenario", () => {
  it("has types, attributes as texts, and groups with their hierarchy", async () => {
    const { cloud } = await runIn(controlPlaneText({ fleet: certified("g", 4), stages: steady() }));
    expect(cloud.registry.describeThing("g-3")).toMatchObject({
      thingTypeName: "sensor",
      attributes: { floor: "1" },
    });
    expect(cloud.registry.listThingGroupsForThing("g-3")).toEqual(
      expect.arrayContaining(["g", "floor", "found"]),
    );
    expect(cloud.registry.describeThingGroup("floor").rootToParentThingGroups).toEqual(["site"]);
    expect(cloud.account.accountId).toBe("123456789012");
  });

  it("answers named queries without being billed for them", async () => {
    const { record } = await runIn(controlPlaneText({ fleet: certified("g", 4), stages: steady() }));
    expect(metric(record, "index.matches", { query: "sensors" })).toBe(4);
    expect(metric(record, "index.matches", { query: "up" })).toBe(4);
    expect(metric(record, "meter.index_queries")).toBe(0);
    expect(record.cost).toMatchObject({
      region: "us-east-1",
      asOf: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
    expect(metric(record, "cost.usd")).toBe(record.cost?.totalUsd);
  });
});

describe("provisioning by claim", () => {
  it("gives every device its own certificate, makes it a thing of its groups, and lets it live", async () => {
    const { record, cloud, identities } = await runIn(
      controlPlaneText({ fleet: claiming("c", 8), stages: steady() }),
    );
    expect(record.metrics.find(({ name }) => name === "provisioning.time")?.summary?.count).toBe(8);
    expect(metric(record, "access.denied")).toBe(0);
    expect(new Set(Array.from({ length: 8 }, (_, i) => identities.certificateIdOf(`c-${i}`))).size).toBe(8);
    expect(cloud.registry.membersOf("group:c")).toHaveLength(8);
    expect(cloud.registry.membersOf("group:floor")).toHaveLength(8);
    expect(metric(record, "delivery.lost")).toBe(0);
    expect(metric(record, "delivery.received")).toBeGreaterThanOrEqual(8 * 18);
    expect(metric(record, "connections.dropped")).toBe(0);
  });

  it("is the same in every run of a seed, and another one with another seed", async () => {
    const text = controlPlaneText({ fleet: claiming("c", 5) + certified("g", 2), stages: steady() });
    const [first, again, other] = [
      await runText(text, { seed: 7 }),
      await runText(text, { seed: 7 }),
      await runText(text, { seed: 8 }),
    ];
    expect(again.fingerprint).toBe(first.fingerprint);
    expect(other.fingerprint).not.toBe(first.fingerprint);
  });

  it("is throttled by the account's quota, and tried again until everybody is through", async () => {
    const { record } = await runIn(
      controlPlaneText({
        fleet: claiming("c", 12),
        stages: steady("", "60s"),
        quotas: ", createKeysRate: 1/s",
      }),
    );
    const time = record.metrics.find(({ name }) => name === "provisioning.time")?.summary;
    expect(time?.count).toBe(12);
    // One per second and a first one at once.
    expect(time?.max).toBeGreaterThan(10_000);
    expect(metric(record, "provisioning.failed")).toBe(0);
    expect(metric(record, "connections.online")).toBe(1);
  });

  it("is refused by a hook for good", async () => {
    const { record } = await runIn(
      controlPlaneText({
        fleet: claiming("c", 6),
        stages: steady(),
        template: 'hook: "./provisioning-hooks.ts#evenOnly"',
        expect: ["provisioning.failed{reason=ACCESS_DENIED} == 3"],
      }),
    );
    expect(record.verdict).toBe("passed");
    expect(metric(record, "connections.online")).toBe(0.5);
  });

  it("fails where the template names the thing otherwise: the device would be somebody else", async () => {
    const { record } = await runIn(
      controlPlaneText({
        fleet: claiming("c", 2),
        stages: steady(),
        thingName: '{ "Fn::Join": ["", ["x-", { Ref: Name }]] }',
        expect: ["provisioning.failed{reason=ThingNameDiffers} == 2"],
      }),
    );
    expect(record.verdict).toBe("passed");
  });

  it("survives the loss of the connection in the middle", async () => {
    const outage = "{ at: 17ms, disconnect: { select: { group: c }, mode: ungraceful, hold: 2s } }";
    const { record } = await runIn(
      controlPlaneText({ fleet: claiming("c", 6), stages: steady(outage, "30s") }),
    );
    expect(metric(record, "provisioning.failed")).toBe(0);
    expect(metric(record, "connections.online")).toBe(1);
  });

  it("makes things that a continuous job finds by a dynamic group", async () => {
    const job =
      '{ at: 0s, createJob: { jobId: fw, targets: { thingGroup: found }, targetSelection: CONTINUOUS, document: { operation: ota, version: "2" } } }';
    const { record } = await runIn(
      controlPlaneText({
        fleet: claiming("c", 4, "builtin:ota-device"),
        stages: steady(job, "10m"),
        expect: ["job.succeeded{job=fw} == 4"],
      }),
    );
    expect(record.verdict).toBe("passed");
  });
});

describe("certificates in a run", () => {
  it("that are revoked end their sessions within a second and let nobody in again", async () => {
    const { record } = await runIn(
      controlPlaneText({
        fleet: certified("g", 10),
        stages: steady(
          "{ at: 10s, updateCertificate: { select: { group: g, count: 4 }, newStatus: REVOKED } }, { at: 11s, checkpoint: later }",
        ),
        expect: ["access.denied{action=iot:Connect} > 4"],
      }),
    );
    expect(record.verdict).toBe("passed");
    expect(metric(record, "connections.online")).toBe(0.6);
  });

  it("are rotated without a lost message; the ones before are deactivated later", async () => {
    const { record, cloud, identities } = await runIn(
      controlPlaneText({
        fleet: certified("g", 10),
        stages: steady("{ at: 5s, rotateCertificates: { over: 2s, deactivateAfter: 5s } }"),
      }),
    );
    expect(metric(record, "connections.online")).toBe(1);
    expect(metric(record, "connections.dropped")).toBe(0);
    expect(metric(record, "delivery.lost")).toBe(0);
    expect(metric(record, "access.denied")).toBe(0);
    const statuses = cloud.identity.certificates.list({ pageSize: 100 }).items.map(({ status }) => status);
    expect(statuses.filter((status) => status === "ACTIVE")).toHaveLength(10);
    expect(statuses.filter((status) => status === "INACTIVE")).toHaveLength(10);
    const current = cloud.identity.certificates.find(identities.certificateIdOf("g-0")!);
    expect(current?.status).toBe("ACTIVE");
  });

  it("cannot be changed before a device has one: the run fails and says so", async () => {
    const record = await runText(
      controlPlaneText({
        fleet: claiming("c", 2),
        stages: steady("{ at: 0s, updateCertificate: { newStatus: REVOKED } }"),
      }),
    );
    expect(record.failure).toMatchObject({ code: "RUN_NO_CERTIFICATE" });
  });
});
