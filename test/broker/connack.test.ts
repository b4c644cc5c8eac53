import { REASON, wireBytes } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

describe("CONNACK", () => {
  it("gives response information when it is asked for and configured (§3.2.2.3.14)", () => {
    const features = { responseTopicPrefix: "reply/" };
    const asks = { requestResponseInformation: true };
    const bench = new Bench({ profile: "oasis", features });
    expect(bench.connect("asking", asks).connack.responseInformation).toBe("reply/asking");
    expect(bench.connect("silent").connack.responseInformation).toBeUndefined();
    expect(bench.connect("wild#", asks).connack.responseInformation).toBeUndefined();
    expect(new Bench().connect("asking", asks).connack.responseInformation).toBeUndefined();
    const assigned = bench.connect("", asks).connack;
    expect(assigned.responseInformation).toBe(`reply/${assigned.assignedClientId}`);
  });

  it("explains a refusal even to a client that wants no problem information [MQTT-3.1.2-29]", () => {
    const client = new Bench().connect("x".repeat(129), { requestProblemInformation: false });
    expect(client.connack.reasonString).toMatch(/client identifier/);
  });

  it("has no reason string for a client before MQTT 5", () => {
    const client = new Bench().connect("x".repeat(129), { protocolVersion: 4 });
    expect(client.inbox).toEqual([
      { type: "connack", sessionPresent: false, reasonCode: REASON.clientIdentifierNotValid },
    ]);
  });

  it("stays within the client's Maximum Packet Size [MQTT-3.2.2-19] [MQTT-3.2.2-20]", () => {
    const refusal = {
      refuse: REASON.notAuthorized,
      reasonString: "r".repeat(30),
      userProperties: [["name", "v".repeat(30)]] as const,
    };
    const bench = new Bench({ hooks: { authorizeConnect: () => refusal } });
    for (const maximumPacketBytes of [200, 60, 20, 5]) {
      const { connack } = bench.connect("client", { maximumPacketBytes });
      expect(wireBytes(connack, 5)).toBeLessThanOrEqual(maximumPacketBytes);
      expect(connack.userProperties !== undefined).toBe(maximumPacketBytes > 60);
      expect(connack.reasonString !== undefined).toBe(maximumPacketBytes > 20);
    }
    expect(bench.connect("client", { maximumPacketBytes: 4 }).inbox).toEqual([]);
  });

  it("leaves out what a client with small packets can do without; smaller still, it cannot be served", () => {
    const bench = new Bench({ profile: "oasis" });
    const small = bench.connect("small", { maximumPacketBytes: 20 });
    expect(small.connack).toMatchObject({ reasonCode: 0, receiveMaximum: 1024 });
    expect(wireBytes(small.connack, 5)).toBeLessThanOrEqual(20);
    const tiny = bench.connect("tiny", { maximumPacketBytes: 8 });
    expect(tiny.connack).toEqual({
      type: "connack",
      sessionPresent: false,
      reasonCode: REASON.packetTooLarge,
    });
    expect(bench.broker.statistics().sessions).toBe(1);
  });

  it("is 0x84, or return code 1, for a version that is none [MQTT-3.1.2-2]", () => {
    for (const protocolVersion of [2, 6, 99, 0x84]) {
      const client = new Bench({ profile: "oasis" }).connect("client", { protocolVersion });
      expect(client.connack.reasonCode).toBe(REASON.unsupportedProtocolVersion);
      expect(client.state).toBe("closed");
    }
  });

  it.each([
    { clientId: "", cleanStart: true, reasonCode: REASON.clientIdentifierNotValid },
    { clientId: "c".repeat(23), cleanStart: true, reasonCode: 0 },
    { clientId: "c".repeat(24), cleanStart: true, reasonCode: REASON.clientIdentifierNotValid },
  ])("takes client ids of MQTT 3.1 from 1 to 23 characters: $clientId", ({ reasonCode, ...connect }) => {
    const client = new Bench({ profile: "oasis" }).dial();
    client.connect(connect.clientId, { protocolVersion: 3, cleanStart: connect.cleanStart });
    expect(client.connack.reasonCode).toBe(reasonCode);
    expect(client.state).toBe(reasonCode === 0 ? "open" : "closed");
  });
});

describe("what a client is told besides", () => {
  it("is nothing but codes when it wants no problem information [MQTT-3.1.2-29]", () => {
    const bench = new Bench();
    for (const [requestProblemInformation, isExplained] of [
      [true, true],
      [false, false],
    ] as const) {
      const client = bench.connect("client", { requestProblemInformation });
      client.subscribe(["$SYS/x"]);
      expect(client.suback.reasonCodes).toEqual([REASON.topicFilterInvalid]);
      expect(client.suback.reasonString !== undefined).toBe(isExplained);
      bench.broker.publish({ topic: "t", payload: "x", qos: 0 });
    }
    expect(bench.eventsOf("broker.subscription-refused")).toMatchObject([
      { clientId: "client", filter: "$SYS/x", reason: "topicFilterInvalid" },
      { clientId: "client", filter: "$SYS/x", reason: "topicFilterInvalid" },
    ]);
  });

  it("passes the user properties of SUBSCRIBE to the hook", () => {
    const seen: unknown[] = [];
    const bench = new Bench({
      hooks: { authorizeSubscribe: (_, __, userProperties) => seen.push(userProperties) > 0 },
    });
    bench.connect("client").subscribe(["a", "b"], { userProperties: [["why", "because"]] });
    expect(seen).toEqual([[["why", "because"]], [["why", "because"]]]);
  });
});
