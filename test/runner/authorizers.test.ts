import { describe, expect, it } from "vitest";
import { metric, runText } from "../determinism/run-text.js";

const text = (clock: "virtual" | "real") => `
version: 1
name: authorizers
clock: ${clock}
cloud: { account: "123456789012" }
authorizers: [{ name: by-password, function: "./provisioning-hooks.ts#byPassword" }]
fleet:
  - group: known
    model: builtin:temperature-sensor
    count: 4
    thingName: "k-{index}"
    identity: { authorizer: { name: by-password, username: "{thingName}", password: "secret-of-{thingName}" } }
    telemetry: [{ name: t, every: 500ms, topic: "t/{thingName}", qos: 1, payload: { seq: "{seq}" } }]
  - group: strangers
    model: builtin:temperature-sensor
    count: 2
    thingName: "s-{index}"
    identity: { authorizer: { name: by-password, password: "guess" } }
stages: [{ name: steady, duration: 4s }]
`;

describe("custom authorizers in a scenario", () => {
  it.each(["virtual", "real"] as const)("decide on user name and password in %s time", async (clock) => {
    const record = await runText(text(clock), { folder: "test/runner" });
    expect(record.failure).toBeNull();
    expect(metric(record, "connections.online", { group: "known" })).toBe(1);
    expect(metric(record, "access.denied", { group: "known" })).toBe(0);
    expect(metric(record, "delivery.received", { group: "known" })).toBeGreaterThan(20);
    expect(metric(record, "connections.online", { group: "strangers" })).toBe(0);
    expect(metric(record, "access.denied", { group: "strangers" })).toBeGreaterThan(1);
  });
});
