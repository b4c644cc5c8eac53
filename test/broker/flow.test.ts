import { type ConnectPacket, type Packet, REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";
import { RecordingJournal } from "./recording-journal.js";

const persistent = { cleanStart: false, sessionExpiryS: 3_600 };

const say = (client: TestClient, type: "puback" | "pubrec" | "pubrel" | "pubcomp", packetId: number): void =>
  client.say({ type, packetId, reasonCode: 0 });

/** Types and identifiers of what came after CONNACK and SUBACK. */
const flowOf = ({ inbox }: TestClient): string[] =>
  inbox
    .filter(({ type }) => type.startsWith("pub"))
    .map((packet) => `${packet.type} ${(packet as Packet & { packetId?: number }).packetId}`);

describe("Receive Maximum of the broker", () => {
  const limits = { receiveMaximum: 3 };

  it("counts QoS 2 publishes until PUBCOMP; one more ends the connection with 0x93 [MQTT-3.3.4-7]", () => {
    const bench = new Bench({ profile: "oasis", limits });
    const client = bench.connect("client");
    for (let packetId = 1; packetId <= 3; packetId += 1) client.publish("t", "x", { qos: 2, packetId });
    client.publish("t", "x", { qos: 2, packetId: 3, dup: true });
    say(client, "pubrel", 1);
    client.publish("t", "x", { qos: 2, packetId: 1 });
    expect(client.state).toBe("open");
    client.publish("t", "x", { qos: 1, packetId: 4 });
    expect(client.disconnectCode).toBe(REASON.receiveMaximumExceeded);
  });

  it("does not count what was refused, nor QoS 0 and 1 that was answered", () => {
    const bench = new Bench({
      profile: "oasis",
      limits,
      hooks: { authorizePublish: (_, { topic }) => topic === "t" },
    });
    const client = bench.connect("client");
    for (let round = 0; round < 10; round += 1) {
      client.publish("denied", "x", { qos: 2 });
      client.publish("t", "x", { qos: 1 });
      client.publish("t", "x", { qos: 0 });
    }
    expect(client.state).toBe("open");
  });

  it("counts QoS 1 publishes until their PUBACK has really gone out", () => {
    const journal = new RecordingJournal();
    const bench = new Bench({ profile: "oasis", limits, journal });
    const reader = bench.connect("reader", persistent);
    reader.subscribe(["t"]);
    const client = bench.connect("client");
    for (let i = 0; i < 3; i += 1) client.publish("t", "x", { qos: 1 });
    expect(flowOf(client)).toEqual([]);
    journal.commit();
    expect(flowOf(client)).toEqual(["puback 1", "puback 2", "puback 3"]);
    for (let i = 0; i < 4; i += 1) client.publish("t", "x", { qos: 1 });
    expect(client.disconnectCode).toBe(REASON.receiveMaximumExceeded);
  });

  it("is not known to 3.1.1 clients", () => {
    const bench = new Bench({ profile: "oasis", limits });
    const client = bench.connect("client", { protocolVersion: 4 });
    for (let packetId = 1; packetId <= 10; packetId += 1) client.publish("t", "x", { qos: 2, packetId });
    expect(client.state).toBe("open");
    expect(client.packets("pubrec")).toHaveLength(10);
  });
});

describe("packet identifiers", () => {
  it("are never given to two messages, however long one of them hangs [MQTT-2.2.1-4]", () => {
    const bench = new Bench({ profile: "oasis" });
    const client = bench.connect("client", { receiveMaximum: 4 });
    client.subscribe([{ filter: "t", qos: 2 }]);
    const publish = (): number => {
      client.clear();
      bench.broker.publish({ topic: "t", payload: "x", qos: 2 });
      return client.publishes[0]!.packetId!;
    };
    const [stuck, released] = [publish(), publish()];
    say(client, "pubrec", released);
    const seen = new Set<number>();
    for (let i = 0; i < 65_535 - 2; i += 1) {
      const packetId = publish();
      seen.add(packetId);
      say(client, "pubrec", packetId);
      say(client, "pubcomp", packetId);
    }
    expect(seen.size).toBe(65_535 - 2);
    expect([publish(), publish()]).toEqual([3, 4]);
    say(client, "pubcomp", released);
    say(client, "pubrec", stuck);
    say(client, "pubcomp", stuck);
    expect(client.state).toBe("open");
  });
});

describe("a journal that fails", () => {
  it.each([4, 5] as const)(
    "ends the connection instead of a promise that cannot be kept [3.1.1: MQTT-4.8.0-2] (version %i)",
    (protocolVersion) => {
      const journal = new RecordingJournal();
      const bench = new Bench({ profile: "oasis", journal });
      bench.connect("reader", persistent).subscribe(["t"]);
      const client = bench.connect("client", { protocolVersion });
      client.publish("t", "x", { qos: 1 });
      journal.fail();
      expect(flowOf(client)).toEqual([]);
      expect(client.state).toBe("closed");
    },
  );
});

describe("what the journal is told", () => {
  function start(connect: Partial<ConnectPacket> = {}, qos: 1 | 2 = 2) {
    const journal = new RecordingJournal();
    const bench = new Bench({ profile: "oasis", journal });
    const client = bench.connect("client", { ...persistent, ...connect });
    client.subscribe([{ filter: "t", qos }]);
    journal.commit();
    const publish = (payload = "x"): void => bench.broker.publish({ topic: "t", payload, qos: 2 });
    return { journal, bench, client, publish };
  }

  it("is every step of a QoS 2 message; what promises a state waits for the commit", () => {
    const { journal, client, publish } = start();
    publish();
    expect(flowOf(client)).toEqual([]);
    journal.commit();
    expect(flowOf(client)).toEqual(["publish 1"]);
    say(client, "pubrec", 1);
    expect(flowOf(client)).toEqual(["publish 1"]);
    journal.commit();
    expect(flowOf(client)).toEqual(["publish 1", "pubrel 1"]);
    say(client, "pubcomp", 1);
    expect(journal.reports).toEqual(["queued 1", "flow now", "removed 1", "flow now", "flow soon"]);
    expect(journal.isSettled).toBe(true);
  });

  it("is the life of a QoS 1 message, which goes out at once", () => {
    const { journal, client, publish } = start({}, 1);
    publish();
    expect(flowOf(client)).toEqual(["publish 1"]);
    say(client, "puback", 1);
    expect(journal.reports).toEqual(["queued 1", "flow soon", "removed 1", "flow soon"]);
  });

  it("is nothing about sessions that end with their connection", () => {
    const { journal, client, publish } = start({ sessionExpiryS: 0 });
    publish();
    say(client, "pubrec", 1);
    say(client, "pubcomp", 1);
    client.publish("elsewhere", "x", { qos: 2, packetId: 5 });
    expect(flowOf(client)).toEqual(["publish 1", "pubrel 1", "pubrec 5"]);
    expect(journal.reports).toEqual([]);
  });

  it("is a message once, whether it waits in the queue or not, and its end, whatever that is", () => {
    const { journal, bench, client, publish } = start({ receiveMaximum: 1 });
    publish("0");
    publish("1");
    expect(journal.reports).toEqual(["queued 1", "flow now", "queued 2"]);
    client.lose();
    bench.connect("publisher").publish("t", "2", { qos: 2, messageExpiryS: 1 });
    bench.broker.publish({ topic: "t", payload: "no matter", qos: 0 });
    bench.advanceS(2);
    journal.reports.length = 0;
    const again = bench.connect("client", persistent);
    journal.commit();
    expect(again.delivered).toEqual(["t=0", "t=1"]);
    expect(journal.reports).toEqual(["flow now", "removed 3"]);
  });

  it("is the identifier of a client's QoS 2 publish, before PUBREC and before PUBCOMP", () => {
    const { journal, client } = start();
    client.publish("elsewhere", "x", { qos: 2, packetId: 5 });
    expect(flowOf(client)).toEqual([]);
    journal.commit();
    expect([...journal.disk.get("client")!.flow.received]).toEqual([5]);
    say(client, "pubrel", 5);
    expect(flowOf(client)).toEqual(["pubrec 5"]);
    journal.commit();
    expect(flowOf(client)).toEqual(["pubrec 5", "pubcomp 5"]);
    expect([...journal.disk.get("client")!.flow.received]).toEqual([]);
  });

  it("that it cannot write ends the connections that wait for it", () => {
    const { journal, client, publish } = start();
    publish();
    journal.fail();
    expect(client.state).toBe("closed");
    expect(flowOf(client)).toEqual([]);
  });

  it("that waits for a link which is gone is sent on the next one only, for the first time", () => {
    const { journal, bench, client, publish } = start();
    publish();
    client.lose();
    const again = bench.connect("client", persistent);
    journal.commit();
    expect(flowOf(client)).toEqual([]);
    expect(again.publishes).toMatchObject([{ packetId: 1, dup: false }]);
  });

  it("brings a session back: what is in flight, what waits, what was received, and how numbering goes on", () => {
    const { journal, bench, client, publish } = start({ receiveMaximum: 3 });
    for (const payload of ["0", "1", "2", "3"]) publish(payload);
    journal.commit();
    say(client, "pubrec", 1);
    client.publish("elsewhere", "x", { qos: 2, packetId: 5 });
    journal.commit();
    expect(journal.disk.get("client")!.flow).toEqual({
      lastPacketId: 3,
      inflight: [
        { packetId: 1, sequence: 0, phase: "released" },
        { packetId: 2, sequence: 2, phase: "sent" },
        { packetId: 3, sequence: 3, phase: "sent" },
      ],
      received: [5],
    });
    const later = new Bench({ profile: "oasis" });
    later.connect("client", persistent).lose();
    const [session] = later.broker.sessions();
    session!.restore(journal.disk.get("client")!);
    expect(later.broker.statistics()).toMatchObject({ queuedMessages: 1 });
    const again = later.connect("client", persistent);
    expect(flowOf(again)).toEqual(["pubrel 1", "publish 2", "publish 3", "publish 4"]);
    expect(again.publishes.map(({ dup }) => dup)).toEqual([true, true, false]);
    again.publish("elsewhere", "x", { qos: 2, packetId: 5, dup: true });
    expect(later.broker.statistics().received).toBe(0);
    expect(bench.broker.statistics().received).toBe(5);
  });
});
