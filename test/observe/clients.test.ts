import { CLIENT_SORTS } from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { topOf } from "../../broker/observe/top-of.js";
import { WatchedServer } from "./watched-server.js";

const MIB = 1024 * 1024;

describe("topOf", () => {
  it("is the beginning of a sort, whatever the order and the count", () => {
    const items = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 });
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 60 }), (numbers, count) => {
        const sorted = [...numbers].sort((a, b) => b - a).slice(0, count);
        expect(topOf(numbers, count, (a, b) => a > b)).toEqual(sorted);
      }),
    );
  });
});

describe("clients", () => {
  it("shows what one connection did", () => {
    const watched = new WatchedServer();
    const client = watched.connect("c", { keepAliveS: 60 });
    watched.advanceS(5);
    client.subscribe(["t", "u"]);
    client.publish("t", "x", { qos: 0 });
    watched.advanceS(2);
    const { total, clients } = watched.server.clients();
    expect(total).toBe(1);
    expect(clients).toEqual([
      {
        clientId: "c",
        isConnected: true,
        remoteAddress: "test:c",
        protocolVersion: "5",
        keepAliveS: 60,
        connectedS: 7,
        silentS: 2,
        receivedMessages: 1,
        receivedBytes: 6,
        sentMessages: 1,
        sentBytes: 0,
        bufferedBytes: 0,
        subscriptions: 2,
        queuedMessages: 0,
        queuedBytes: 0,
        inflightMessages: 0,
        droppedMessages: 0,
      },
    ]);
  });

  it("lists those who are away with what waits for them", () => {
    const watched = new WatchedServer();
    const away = watched.connect("away", { cleanStart: false, sessionExpiryS: 600 });
    away.subscribe(["t"]);
    away.lose();
    watched.connect("publisher").publish("t", "x");
    const [first] = watched.server.clients({ sort: "queuedMessages", limit: 1 }).clients;
    expect(first).toMatchObject({
      clientId: "away",
      isConnected: false,
      queuedMessages: 1,
      remoteAddress: "",
    });
    expect(first!.queuedBytes).toBeGreaterThan(0);
  });

  it("pages through all of them once, in the order asked for", () => {
    const watched = new WatchedServer();
    for (let n = 0; n < 25; n += 1) {
      const client = watched.connect(`c${String((n * 7) % 25).padStart(2, "0")}`);
      for (let i = 0; i < n % 5; i += 1) client.publish("t", "x", { qos: 0 });
    }
    for (const sort of CLIENT_SORTS) {
      const pages = [0, 10, 20].flatMap(
        (offset) => watched.server.clients({ sort, limit: 10, offset }).clients,
      );
      const ids = pages.map(({ clientId }) => clientId);
      expect(new Set(ids).size).toBe(25);
      const key = (client: (typeof pages)[number]) => (sort === "clientId" ? 0 : client[sort]);
      const sorted = [...pages].sort((a, b) => key(b) - key(a) || (a.clientId < b.clientId ? -1 : 1));
      expect(ids).toEqual(sorted.map(({ clientId }) => clientId));
    }
  });

  it.each([
    [{ limit: 0 }, 1],
    [{ limit: -5 }, 1],
    [{ limit: 1e9 }, 1_000],
    [{ limit: 10, offset: 1_195 }, 5],
    [{ offset: 1e12 }, 0],
  ])("bounds the page of %o", (query, length) => {
    const watched = new WatchedServer();
    for (let n = 0; n < 1_200; n += 1) watched.connect(`c${n}`);
    expect(watched.server.clients(query).clients).toHaveLength(length);
  });
});

describe("slow subscribers", () => {
  it("are those for whom messages wait longest; everybody else is left out", () => {
    const watched = new WatchedServer();
    const [slower, slow, quick] = ["slower", "slow", "quick"].map((id) => watched.connect(id));
    quick!.autoAcknowledge = true;
    quick!.subscribe(["a", "b"]);
    slower!.subscribe(["a"]);
    slow!.subscribe(["b"]);
    const publisher = watched.connect("publisher");
    publisher.publish("a", "x");
    watched.advanceS(3);
    publisher.publish("b", "x");
    watched.advanceS(2);
    const found = watched.server.slowSubscribers();
    expect(found.map(({ clientId, oldestMessageS }) => [clientId, oldestMessageS])).toEqual([
      ["slower", 5],
      ["slow", 2],
    ]);
  });

  it("are those whose output does not drain, for as long as it does not", () => {
    const watched = new WatchedServer();
    const frozen = watched.connect("frozen");
    frozen.subscribe([{ filter: "t", qos: 0 }]);
    frozen.bufferedBytes = MIB;
    const publisher = watched.connect("publisher");
    publisher.publish("t", "x", { qos: 0 });
    watched.advanceS(4);
    expect(watched.server.slowSubscribers()).toMatchObject([
      { clientId: "frozen", undrainedS: 4, droppedMessages: 1 },
    ]);
    frozen.bufferedBytes = 0;
    publisher.publish("t", "x", { qos: 0 });
    expect(watched.server.slowSubscribers()).toEqual([]);
    expect(watched.server.slowSubscribers({ by: "droppedMessages" })).toMatchObject([{ clientId: "frozen" }]);
  });

  it("can be asked for by the memory they take, as many as wanted", () => {
    const watched = new WatchedServer();
    for (let n = 0; n < 20; n += 1) {
      const client = watched.connect(`c${n}`, { cleanStart: false, sessionExpiryS: 60 });
      client.subscribe([`t/${n}`]);
      client.lose();
    }
    const publisher = watched.connect("publisher");
    for (let n = 0; n < 20; n += 1) publisher.publish(`t/${n}`, "x".repeat(n * 100));
    const found = watched.server.slowSubscribers({ by: "queuedBytes", limit: 3 });
    expect(found.map(({ clientId }) => clientId)).toEqual(["c19", "c18", "c17"]);
  });
});
