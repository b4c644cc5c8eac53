import { describe, expect, it } from "vitest";
import { metric, runText } from "../determinism/run-text.js";
import { certified, claiming, controlPlaneText } from "./control-plane-text.js";

describe("the control plane on real sockets", { timeout: 60_000 }, () => {
  it("has certificates of its own authority, mutual TLS, provisioning, rotation and revocation, from the same file", async () => {
    const record = await runText(
      controlPlaneText({
        clock: "real",
        quotas: ", createKeysRate: 100/s, registerThingRate: 100/s",
        fleet: claiming("c", 10) + certified("g", 5) + certified("mute", 2, "silent"),
        stages: `
  - name: provision
    until: connections.online == 17
    timeout: 20s
  - name: change
    duration: 6s
    actions:
      - { at: 1s, rotateCertificates: { select: { group: g }, deactivateAfter: 2s } }
      - { at: 4s, updateCertificate: { select: { group: c, count: 3 }, newStatus: REVOKED } }`,
        expect: ["connections.online == 14", "access.denied{action=iot:Connect,group=c} >= 3"],
      }),
    );
    expect(record.failure).toBeNull();
    expect(record.expectations.map(({ expr, measured, verdict }) => [expr, measured, verdict])).toEqual(
      record.expectations.map(({ expr, measured }) => [expr, measured, "pass"]),
    );
    expect(record.metrics.find(({ name }) => name === "provisioning.time")?.summary?.count).toBe(10);
    expect(metric(record, "provisioning.failed")).toBe(0);
    expect(metric(record, "access.denied", { group: "g" })).toBe(0);
    expect(metric(record, "access.denied", { group: "mute" })).toBeGreaterThan(0);
    expect(metric(record, "connections.online", { group: "g" })).toBe(1);
  });
});
