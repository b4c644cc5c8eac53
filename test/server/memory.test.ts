import { BrokerServer } from "fleetrig/broker";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

describe("a server that is short of memory", () => {
  it("tells it in its events, its health and its metrics, until it is over", async () => {
    const time = new VirtualTime();
    let share = 0.1;
    const server = new BrokerServer({ time, memory: () => share });
    const levels: string[] = [];
    server.on("memory", ({ level }) => levels.push(level));
    share = 0.9;
    time.advance(US_PER_S / 5);
    expect(server.health()).toMatchObject({ status: "unavailable", memory: "critical" });
    expect(await server.metrics()).toMatch(/^fleetrig_broker_memory_level 2$/m);
    share = 0.75;
    time.advance(US_PER_S / 5);
    expect(server.health().status).toBe("degraded");
    share = 0.1;
    time.advance(US_PER_S / 5);
    expect(server.health()).toMatchObject({ status: "ok", memory: "normal" });
    expect(levels).toEqual(["critical", "high", "normal"]);
    await server.stop();
    expect(time.heap.size).toBe(0);
  });
});
