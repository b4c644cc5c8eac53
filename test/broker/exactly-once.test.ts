import { type AcknowledgePacket, type ConnectPacket, type PublishPacket, REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

const persistent = { cleanStart: false, sessionExpiryS: 3_600 };

/** A broker that knows QoS 2, and a client of it. */
function start(
  options: Partial<ConnectPacket> = {},
  benchOptions: ConstructorParameters<typeof Bench>[0] = {},
): { bench: Bench; client: TestClient } {
  const bench = new Bench({ profile: "oasis", ...benchOptions });
  return { bench, client: bench.connect("client", { ...persistent, ...options }) };
}

/** Type, identifier and reason code of every acknowledgement that came. */
const answers = (client: TestClient): [string, number, number][] =>
  client.inbox
    .filter((packet): packet is AcknowledgePacket => /^pub(ack|rec|rel|comp)$/.test(packet.type))
    .map(({ type, packetId, reasonCode }) => [type, packetId, reasonCode]);

const say = (client: TestClient, type: AcknowledgePacket["type"], packetId: number, reasonCode = 0): void =>
  client.say({ type, packetId, reasonCode });

const twice = { qos: 2, packetId: 7 } as const;

describe("a QoS 2 publish from a client", () => {
  it("is routed once, whatever is repeated [MQTT-4.3.3-8, 4.3.3-10, 4.3.3-11]", () => {
    const { bench, client } = start();
    const reader = bench.connect("reader");
    reader.subscribe(["t"]);
    client.publish("t", "1", twice);
    client.publish("t", "1", { ...twice, dup: true });
    say(client, "pubrel", 7);
    expect(reader.delivered).toEqual(["t=1"]);
    expect(answers(client)).toEqual([
      ["pubrec", 7, 0],
      ["pubrec", 7, 0],
      ["pubcomp", 7, 0],
    ]);
  });

  it("is another one under the same identifier after PUBCOMP [MQTT-4.3.3-12]", () => {
    const { bench, client } = start();
    const reader = bench.connect("reader");
    reader.subscribe(["t"]);
    for (const payload of ["1", "2"]) {
      client.publish("t", payload, twice);
      say(client, "pubrel", 7);
    }
    expect(reader.delivered).toEqual(["t=1", "t=2"]);
  });

  it("stays known when the connection is lost, and is forgotten with the session", () => {
    const { bench, client } = start();
    const reader = bench.connect("reader");
    reader.subscribe(["t"]);
    client.publish("t", "1", twice);
    client.lose();
    const again = bench.connect("client", persistent);
    again.publish("t", "1", { ...twice, dup: true });
    expect(reader.delivered).toEqual(["t=1"]);
    const fresh = bench.connect("client", { ...persistent, cleanStart: true });
    fresh.publish("t", "2", twice);
    expect(reader.delivered).toEqual(["t=1", "t=2"]);
  });

  it("is told that nobody listens, in MQTT 5 only", () => {
    for (const [protocolVersion, reasonCode] of [
      [4, REASON.success],
      [5, REASON.noMatchingSubscribers],
    ] as const) {
      const { client } = start({ protocolVersion });
      client.publish("t", "1", twice);
      expect(answers(client)).toEqual([["pubrec", 7, reasonCode]]);
    }
  });

  it.each([
    [
      "denied",
      { hooks: { authorizePublish: (_: string, { qos }: { qos: number }) => qos === 0 } },
      REASON.notAuthorized,
    ],
    ["above the rate", { limits: { publishRatePerConnection: 1 } }, REASON.quotaExceeded],
  ])(
    "that is %s is refused in PUBREC, and its identifier is free at once [MQTT-4.3.3-9]",
    (_, options, code) => {
      const { bench, client } = start({}, options);
      client.publish("elsewhere", "0", { qos: 0 });
      client.publish("t", "1", twice);
      client.publish("t", "2", { ...twice, dup: true });
      say(client, "pubrel", 7);
      expect(answers(client)).toEqual([
        ["pubrec", 7, code],
        ["pubrec", 7, code],
        ["pubcomp", 7, REASON.packetIdentifierNotFound],
      ]);
      expect(bench.broker.statistics().dropped).toBeGreaterThanOrEqual(2);
    },
  );

  it("that is denied is taken from a 3.1.1 client, which could not be told [MQTT-3.3.5-2]", () => {
    const { client } = start({ protocolVersion: 4 }, { hooks: { authorizePublish: () => false } });
    client.publish("t", "1", twice);
    say(client, "pubrel", 7);
    expect(answers(client)).toEqual([
      ["pubrec", 7, 0],
      ["pubcomp", 7, 0],
    ]);
  });

  it("shares its identifiers with QoS 1 [MQTT-2.2.1-3]", () => {
    const { bench, client } = start();
    client.publish("t", "1", twice);
    client.publish("t", "2", { qos: 1, packetId: 7 });
    expect(answers(client).at(-1)).toEqual(["puback", 7, REASON.packetIdentifierInUse]);
    expect(bench.broker.statistics().received).toBe(1);
    const old = bench.connect("old", { protocolVersion: 4 });
    old.publish("t", "1", twice);
    old.publish("t", "2", { qos: 1, packetId: 7 });
    expect(old.state).toBe("closed");
  });

  it("keeps its QoS when it is retained, and when it is a will", () => {
    const { bench, client } = start();
    const mortal = bench.connect("mortal", {
      will: { topic: "w", payload: Buffer.from("w"), qos: 2, retain: true },
    });
    client.publish("r", "r", { ...twice, retain: true });
    mortal.lose();
    client.subscribe([{ filter: "+", qos: 2 }]);
    expect(client.publishes.map(({ topic, qos, retain }) => ({ topic, qos, retain }))).toEqual([
      { topic: "r", qos: 2, retain: true },
      { topic: "w", qos: 2, retain: true },
    ]);
  });
});

describe("PUBREL for an identifier that is not known", () => {
  it.each([
    [4, REASON.success],
    [5, REASON.packetIdentifierNotFound],
  ] as const)(
    "is answered all the same (protocol level %i) [MQTT-4.3.3-11]",
    (protocolVersion, reasonCode) => {
      const { client } = start({ protocolVersion });
      say(client, "pubrel", 9);
      expect(answers(client)).toEqual([["pubcomp", 9, reasonCode]]);
    },
  );
});

describe("the QoS of a delivery", () => {
  it.each([0, 1, 2] as const)("is the lower of QoS %i and what was granted [MQTT-3.8.4-8]", (published) => {
    const { bench } = start();
    for (const granted of [0, 1, 2] as const) {
      const reader = bench.connect(`reader ${granted}`);
      reader.subscribe([{ filter: "t", qos: granted }]);
    }
    const overlapping = bench.connect("overlapping");
    overlapping.subscribe([
      { filter: "t", qos: 1 },
      { filter: "+", qos: 2 },
      { filter: "#", qos: 0 },
    ]);
    expect(overlapping.suback.reasonCodes).toEqual([1, 2, 0]);
    bench.broker.publish({ topic: "t", payload: "x", qos: published });
    expect(overlapping.publishes.map(({ qos }) => qos)).toEqual([published]);
    expect(bench.broker.sendDirect("overlapping", { topic: "d", payload: "x", qos: published })).toBe(true);
    expect(overlapping.publishes.map(({ qos }) => qos)).toEqual([published, published]);
  });
});

describe("a QoS 2 delivery", () => {
  /** A subscriber that has been sent `count` messages. */
  function deliver(
    count: number,
    options: Partial<ConnectPacket> = {},
  ): { bench: Bench; client: TestClient } {
    const started = start(options);
    started.client.subscribe([{ filter: "t", qos: 2 }]);
    for (let i = 0; i < count; i += 1)
      started.bench.broker.publish({ topic: "t", payload: String(i), qos: 2 });
    return started;
  }
  const idsOf = (client: TestClient): number[] => client.publishes.map(({ packetId }) => packetId!);

  it("goes from PUBLISH over PUBREL to its end [MQTT-4.3.3-4]", () => {
    const { bench, client } = deliver(1);
    expect(client.publishes).toMatchObject([{ qos: 2, dup: false, packetId: 1 }]);
    say(client, "pubrec", 1);
    say(client, "pubcomp", 1);
    expect(answers(client)).toEqual([["pubrel", 1, 0]]);
    client.lose();
    expect(bench.connect("client", persistent).inbox.map(({ type }) => type)).toEqual(["connack"]);
  });

  it("is released again when PUBREC is repeated", () => {
    const { client } = deliver(1);
    say(client, "pubrec", 1);
    say(client, "pubrec", 1);
    expect(answers(client)).toEqual([
      ["pubrel", 1, 0],
      ["pubrel", 1, 0],
    ]);
  });

  it("ends with a failed PUBREC, and its place in the window is free", () => {
    const { client } = deliver(2, { receiveMaximum: 1 });
    say(client, "pubrec", 1, REASON.quotaExceeded);
    expect(answers(client)).toEqual([]);
    expect(client.delivered).toEqual(["t=0", "t=1"]);
    say(client, "pubcomp", 1);
    expect(client.state).toBe("open");
  });

  it("keeps its place in the window until PUBCOMP [MQTT-3.3.4-9]", () => {
    const { client } = deliver(3, { receiveMaximum: 2 });
    expect(client.delivered).toEqual(["t=0", "t=1"]);
    say(client, "pubrec", 1);
    expect(client.delivered).toEqual(["t=0", "t=1"]);
    say(client, "pubcomp", 1);
    expect(client.delivered).toEqual(["t=0", "t=1", "t=2"]);
  });

  it("is resumed where it was, in the original order [MQTT-4.4.0-1, 4.6.0-1]", () => {
    const { bench, client } = deliver(4);
    say(client, "pubrec", 1);
    say(client, "pubrec", 3);
    client.lose();
    bench.broker.publish({ topic: "t", payload: "later", qos: 2 });
    const again = bench.connect("client", persistent);
    expect(
      again.inbox.slice(1).map((packet) => {
        const { type, packetId, dup } = packet as PublishPacket;
        return [type, packetId, dup];
      }),
    ).toEqual([
      ["pubrel", 1, undefined],
      ["publish", 2, true],
      ["pubrel", 3, undefined],
      ["publish", 4, true],
      ["publish", 5, false],
    ]);
  });

  it("is dropped at a reconnect with a smaller Maximum Packet Size [MQTT-3.1.2-25]", () => {
    const { bench, client } = start();
    client.subscribe([{ filter: "t", qos: 2 }]);
    for (let i = 0; i < 2; i += 1) bench.broker.publish({ topic: "t", payload: "x".repeat(100), qos: 2 });
    say(client, "pubrec", 1);
    client.lose();
    const again = bench.connect("client", { ...persistent, maximumPacketBytes: 100 });
    expect(again.inbox.map(({ type }) => type)).toEqual(["connack", "pubrel"]);
    expect(bench.eventsOf("broker.dropped")).toMatchObject([{ reason: "packet-too-large" }]);
    expect(idsOf(again)).toEqual([]);
  });

  it.each([
    ["PUBACK", 2, "puback"],
    ["PUBCOMP before PUBREC", 2, "pubcomp"],
    ["PUBREC for QoS 1", 1, "pubrec"],
    ["PUBCOMP for QoS 1", 1, "pubcomp"],
  ] as const)("takes no %s", (_, qos, type) => {
    const { bench, client } = start();
    client.subscribe([{ filter: "t", qos }]);
    bench.broker.publish({ topic: "t", payload: "x", qos });
    say(client, type, 1);
    expect(client.disconnectCode).toBe(REASON.protocolError);
  });

  it("takes no PUBACK between PUBREC and PUBCOMP, and no failed PUBREC either", () => {
    for (const [type, reasonCode] of [
      ["puback", 0],
      ["pubrec", REASON.unspecifiedError],
    ] as const) {
      const { client } = deliver(1);
      say(client, "pubrec", 1);
      say(client, type, 1, reasonCode);
      expect(client.disconnectCode).toBe(REASON.protocolError);
    }
  });

  it.each([
    ["puback", 5, []],
    ["pubcomp", 5, []],
    ["pubrec", 5, [["pubrel", 9, REASON.packetIdentifierNotFound]]],
    ["pubrec", 4, [["pubrel", 9, REASON.success]]],
  ] as const)(
    "%s for an unknown identifier is no error (protocol level %i)",
    (type, protocolVersion, expected) => {
      const { client } = start({ protocolVersion });
      say(client, type, 9);
      expect(answers(client)).toEqual(expected);
      expect(client.state).toBe("open");
    },
  );

  it("does not expire once it was sent [MQTT-4.3.3-7]", () => {
    const { bench, client } = start();
    client.subscribe([{ filter: "t", qos: 2 }]);
    bench.connect("publisher").publish("t", "x", { qos: 2, messageExpiryS: 1 });
    client.lose();
    bench.advanceS(5);
    expect(bench.connect("client", persistent).publishes).toMatchObject([{ dup: true, messageExpiryS: 0 }]);
  });
});

describe("QoS 2 under the AWS profile", () => {
  it.each(["pubrec", "pubrel", "pubcomp"] as const)("%s is a protocol error", (type) => {
    const { client } = start({}, { profile: "aws" });
    say(client, type, 1);
    expect(client.disconnectCode).toBe(REASON.protocolError);
    expect(client.connack.maximumQos).toBe(1);
  });

  it("direct messages of the cloud go out as QoS 1", () => {
    const { bench, client } = start({}, { profile: "aws" });
    bench.broker.sendDirect("client", { topic: "d", payload: "x", qos: 2 });
    expect(client.publishes).toMatchObject([{ qos: 1 }]);
  });
});
