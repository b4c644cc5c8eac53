import { createBroker } from "fleetrig/broker";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { LoadAverage } from "../../broker/observe/load-average.js";
import { runProgram } from "./programs.js";
import { WatchedServer } from "./watched-server.js";

const shown = (client: { readonly delivered: readonly string[] }): Record<string, string> =>
  Object.fromEntries(client.delivered.map((line) => line.split("=", 2) as [string, string]));

describe("$SYS topics", () => {
  it("reach a new subscriber at once, marked as retained, and others when they change", () => {
    const watched = new WatchedServer({ sysIntervalS: 10 });
    const early = watched.connect("early");
    early.subscribe([{ filter: "$SYS/broker/clients/#", qos: 1 }]);
    expect(early.publishes.length).toBeGreaterThan(3);
    expect(early.publishes.every(({ retain, qos }) => retain && qos === 0)).toBe(true);
    early.clear();
    watched.advanceS(10);
    expect(shown(early)).toMatchObject({ "$SYS/broker/clients/connected": "1" });
    expect(early.publishes.every(({ retain }) => !retain)).toBe(true);
    early.clear();
    watched.advanceS(30);
    expect(early.publishes).toEqual([]);
  });

  it("have the names that mosquitto gives them, and say how durable the broker is", () => {
    const watched = new WatchedServer({ sysIntervalS: 1 });
    const client = watched.connect("client");
    client.publish("a", "x", { retain: true });
    watched.advanceS(60);
    client.subscribe(["$SYS/#"]);
    const topics = shown(client);
    expect(topics).toMatchObject({
      "$SYS/broker/version": expect.stringMatching(/^fleetrig version \d/) as string,
      "$SYS/broker/uptime": "60 seconds",
      "$SYS/broker/clients/total": "1",
      "$SYS/broker/clients/maximum": "1",
      "$SYS/broker/messages/received": "2",
      "$SYS/broker/publish/messages/received": "1",
      "$SYS/broker/retained messages/count": "1",
      "$SYS/broker/subscriptions/count": "0",
      "$SYS/broker/store/messages/count": "1",
      "$SYS/broker/durability": "memory",
    });
    for (const load of ["messages/received", "bytes/sent", "connections", "sockets", "publish/dropped"])
      for (const minutes of [1, 5, 15])
        expect(topics[`$SYS/broker/load/${load}/${minutes}min`]).toMatch(/^\d+\.\d\d$/);
  });

  it("are in no counter of messages, in no queue and not among the retained", () => {
    const watched = new WatchedServer({ sysIntervalS: 1 });
    const away = watched.connect("away", { cleanStart: false, sessionExpiryS: 600 });
    away.subscribe(["$SYS/#"]);
    away.lose();
    watched.advanceS(30);
    expect(watched.server.statistics()).toMatchObject({ received: 0, retained: 0, queuedMessages: 0 });
  });

  it.each([4, 5] as const)("cannot be published to by clients (version %i)", (protocolVersion) => {
    const watched = new WatchedServer({ sysIntervalS: 10 });
    const reader = watched.connect("reader");
    reader.subscribe(["$SYS/broker/version"]);
    reader.clear();
    const forger = watched.connect("forger", { protocolVersion });
    forger.publish("$SYS/broker/version", "mine", { retain: true });
    expect(reader.publishes).toEqual([]);
    reader.subscribe(["$SYS/broker/version"]);
    expect(shown(reader)["$SYS/broker/version"]).toMatch(/^fleetrig/);
    const [answer] = forger.packets("puback");
    expect(answer).toMatchObject({ reasonCode: protocolVersion === 5 ? 0x87 : 0 });
  });

  it.each([{ profile: "aws" as const, sysIntervalS: 1 }, { sysIntervalS: 0 }])(
    "are silent with %o",
    (options) => {
      const watched = new WatchedServer(options);
      const client = watched.connect("client", { keepAliveS: 600 });
      client.subscribe(["$SYS/#"]);
      watched.advanceS(20);
      expect(client.publishes).toEqual([]);
    },
  );

  it("are read by mosquitto_sub", async () => {
    const server = await createBroker({ listen: ["mqtt://127.0.0.1:0"], sysIntervalS: 1 });
    const port = String(server.endpoints[0]!.port);
    const { stdout } = await runProgram("mosquitto_sub", [
      "-p",
      port,
      "-t",
      "$SYS/broker/clients/#",
      "-v",
      "-C",
      "9",
    ]);
    expect(stdout).toContain("$SYS/broker/clients/connected 0\n");
    expect(stdout).toContain("$SYS/broker/clients/connected 1\n");
    await server.stop();
  });
});

describe("LoadAverage", () => {
  it("comes to the rate of a steady counter, whatever the intervals", () => {
    const time = new VirtualTime();
    const load = new LoadAverage(time.lane(0));
    let count = 0;
    for (let n = 0; n < 3_000; n += 1) {
      const seconds = 1 + (n % 13);
      time.advance(seconds * US_PER_S);
      count += 2 * seconds;
      load.sample(count);
    }
    for (const perMinute of load.perMinute) expect(perMinute).toBeCloseTo(120, 1);
  });

  it("falls by e after its span once nothing happens", () => {
    const time = new VirtualTime();
    const load = new LoadAverage(time.lane(0));
    time.advance(60 * US_PER_S);
    load.sample(600);
    const [one] = load.perMinute;
    expect(one).toBeCloseTo(600 * (1 - Math.exp(-1)), 6);
    time.advance(60 * US_PER_S);
    load.sample(600);
    expect(load.perMinute[0]).toBeCloseTo(one! / Math.E, 6);
  });
});
