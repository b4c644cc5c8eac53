import { costOf, type MeterReading, PRICES_US_EAST_1 } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const NOTHING: MeterReading = {
  connectionMinutes: 0,
  messages: 0,
  rulesTriggered: 0,
  ruleActions: 0,
  shadowOperations: 0,
  registryOperations: 0,
  jobExecutions: 0,
  indexQueries: 0,
};

describe("metering", () => {
  it("counts what AWS counts: connecting, subscribing, each copy, each acknowledgement, in units of 5 KiB", () => {
    const world = startApi();
    const { metering } = world.cloud;
    const sender = connectClient(world, "sender");
    expect(metering.reading().messages).toBe(1);
    const receivers = ["r1", "r2"].map((id) => connectClient(world, id));
    for (const receiver of receivers) receiver.subscribe("a/b");
    expect(metering.reading().messages).toBe(5);
    sender.publish("a/b", "x".repeat(5 * 1024 - 3), 0);
    // In once, out twice, and each receiver's PUBACK would count: QoS 0 has none.
    expect(metering.reading().messages).toBe(8);
    sender.publish("a/b", "x".repeat(5 * 1024), 1);
    // Two units in, two units for each of two copies, two PUBACKs.
    expect(metering.reading().messages).toBe(16);
  });

  it("counts minutes of connection, those that go on too", () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    const other = connectClient(world, "c2");
    world.time.advance(30_000_000);
    client.lose();
    world.time.advance(30_000_000);
    expect(world.cloud.metering.reading().connectionMinutes).toBe(1.5);
    other.lose();
    world.time.advance(30_000_000);
    expect(world.cloud.metering.reading().connectionMinutes).toBe(1.5);
  });

  it("counts shadow operations by the kilobyte, rules and their actions", async () => {
    const world = startApi();
    await world.ok("POST", "/things/t1/shadow", { state: { desired: { a: "x".repeat(1500) } } });
    await world.ok("GET", "/things/t1/shadow");
    const action = { republish: { roleArn: "arn:aws:iam::1:role/r", topic: "out" } };
    await world.ok("POST", "/rules/r", { sql: "SELECT * FROM 'in'", actions: [action, action] });
    connectClient(world, "c1").publish("in", {}, 0);
    expect(world.cloud.metering.reading()).toMatchObject({
      shadowOperations: 3,
      rulesTriggered: 1,
      ruleActions: 2,
    });
  });

  it("prices the building of 5,000 sensors that report every 30 s for 30 days [REF §17]", () => {
    const publishes = 5_000 * (86_400 / 30) * 30;
    const cost = costOf(
      {
        ...NOTHING,
        messages: publishes,
        connectionMinutes: 5_000 * 60 * 24 * 30,
        shadowOperations: publishes,
        rulesTriggered: publishes,
        ruleActions: 2 * publishes,
      },
      PRICES_US_EAST_1,
    );
    expect(publishes).toBe(432_000_000);
    expect(cost.lines).toMatchObject({ messages: 432, connectionMinutes: 17.28, shadowOperations: 540 });
    expect(cost.lines.rulesTriggered! + cost.lines.ruleActions!).toBeCloseTo(194.4, 6);
    expect(cost.total).toBeCloseTo(1_183.68, 6);
  });

  it("prices 1,000 devices that report every minute for 30 days [REF §17]", () => {
    expect(
      costOf({ ...NOTHING, messages: 1_000 * 60 * 24 * 30 }, PRICES_US_EAST_1).lines.messages,
    ).toBeCloseTo(43.2, 6);
  });

  it("says what it counted and has no price for", () => {
    expect(costOf({ ...NOTHING, jobExecutions: 1 }, PRICES_US_EAST_1)).toMatchObject({
      total: 0,
      unpriced: ["jobExecutions"],
    });
  });
});
