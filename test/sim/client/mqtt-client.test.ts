import { describe, expect, it } from "vitest";
import { ClientBench, SECOND } from "./client-bench.js";

describe("MqttClient", () => {
  it("introduces itself in MQTT 5 with session expiry and receive maximum, in 3.1.1 without", () => {
    const [modern, classic] = [new ClientBench(), new ClientBench({ mqtt: { protocolVersion: 4 } })];
    modern.open();
    classic.open();
    expect(modern.sent).toEqual([
      {
        type: "connect",
        protocolVersion: 5,
        clientId: "thing-0",
        cleanStart: false,
        keepAliveS: 30,
        sessionExpiryS: 3_600,
        receiveMaximum: 100,
      },
    ]);
    expect(classic.sent).toEqual([
      { type: "connect", protocolVersion: 4, clientId: "thing-0", cleanStart: false, keepAliveS: 30 },
    ]);
  });

  it("gives its trace as a user property in MQTT 5 only", () => {
    for (const protocolVersion of [4, 5] as const) {
      const bench = new ClientBench({ mqtt: { protocolVersion } }).connect();
      bench.publish(0);
      const expected = protocolVersion === 5 ? [["fleetrig", "test.0.0.0"]] : undefined;
      expect(bench.last("publish").userProperties).toEqual(expected);
    }
  });

  it("reports a CONNACK with a failure by the name of its reason and ends the link", () => {
    const bench = new ClientBench();
    bench.open();
    bench.receive({ type: "connack", sessionPresent: false, reasonCode: 0x87 });
    expect(bench.calls).toEqual(["refused notAuthorized"]);
    expect(bench.linkEnd).toBe("destroyed");
  });

  it("takes anything before CONNACK as a protocol error", () => {
    const bench = new ClientBench();
    bench.open();
    bench.receive({ type: "pingresp" });
    expect(bench.calls).toEqual(["lost protocol-error"]);
  });

  it("adopts the client identifier that the server assigned [MQTT-3.2.2-16]", () => {
    const bench = new ClientBench();
    bench.open();
    bench.receive({ type: "connack", sessionPresent: false, reasonCode: 0, assignedClientId: "auto-1" });
    bench.lose();
    bench.open();
    expect(bench.last("connect").clientId).toBe("auto-1");
  });

  it("acknowledges QoS 1 after its owner has seen it, and passes the DUP flag on", () => {
    const bench = new ClientBench().connect();
    const message = { type: "publish", topic: "t", payload: new Uint8Array(), retain: false } as const;
    bench.receive({ ...message, qos: 1, dup: true, packetId: 7 });
    bench.receive({ ...message, qos: 0, dup: false });
    expect(bench.calls).toEqual(["connected", "message t dup", "message t"]);
    expect(bench.sentOf("puback")).toEqual([{ type: "puback", packetId: 7, reasonCode: 0 }]);
  });

  it("names the reason of the server's DISCONNECT", () => {
    const bench = new ClientBench().connect();
    bench.receive({ type: "disconnect", reasonCode: 0x8e });
    expect(bench.calls.at(-1)).toBe("lost sessionTakenOver");
    expect(bench.linkEnd).toBe("destroyed");
  });

  it("ignores what a link still delivers after it was given up", () => {
    const bench = new ClientBench().connect();
    const old = bench.receiver;
    bench.client.abort();
    bench.open();
    old.received({ type: "connack", sessionPresent: true, reasonCode: 0 }, 4);
    old.closed("reset");
    expect(bench.calls).toEqual(["connected"]);
    expect(bench.client.isConnected).toBe(false);
  });
});

describe("MqttClient sending QoS 1", () => {
  it("hands out packet identifiers in turn and keeps within the server's receive maximum", () => {
    const bench = new ClientBench().connect({ receiveMaximum: 2 });
    for (let i = 0; i < 4; i += 1) bench.publish(1);
    expect(bench.sentOf("publish").map(({ packetId }) => packetId)).toEqual([1, 2]);
    bench.receive({ type: "puback", packetId: 2, reasonCode: 0 });
    expect(bench.sentOf("publish").map(({ packetId }) => packetId)).toEqual([1, 2, 3]);
    expect(bench.probe.steps).toEqual(["sent 0", "sent 1", "acked 1", "sent 2"]);
  });

  it("ignores an acknowledgement that nobody waits for", () => {
    const bench = new ClientBench().connect();
    bench.publish(1);
    bench.receive({ type: "puback", packetId: 9, reasonCode: 0 });
    expect(bench.client.unacknowledged).toBe(1);
  });

  it("repeats with DUP, old identifiers and old order in a session that is present [MQTT-4.4.0-1]", () => {
    const bench = new ClientBench().connect();
    for (let i = 0; i < 3; i += 1) bench.publish(1);
    bench.receive({ type: "puback", packetId: 2, reasonCode: 0 });
    bench.lose();
    bench.connect({ sessionPresent: true });
    expect(bench.sentOf("publish")).toMatchObject([
      { topic: "d/0", packetId: 1, dup: true },
      { topic: "d/2", packetId: 3, dup: true },
    ]);
    expect(bench.probe.of("again")).toEqual([0, 2]);
  });

  it("publishes anew, without DUP, when the server lost the session", () => {
    const bench = new ClientBench().connect();
    bench.publish(1);
    bench.publish(1);
    bench.receive({ type: "puback", packetId: 1, reasonCode: 0 });
    bench.lose();
    bench.connect({ sessionPresent: false });
    expect(bench.sentOf("publish")).toMatchObject([{ topic: "d/1", packetId: 3, dup: false }]);
    expect(bench.probe.of("again")).toEqual([1]);
  });

  it("repeats within a smaller window too, oldest first, before anything new", () => {
    const bench = new ClientBench().connect();
    for (let i = 0; i < 3; i += 1) bench.publish(1);
    bench.lose();
    bench.client.publish({ topic: "new", payload: new Uint8Array(), qos: 1, retain: false });
    bench.connect({ sessionPresent: true, receiveMaximum: 1 });
    for (const packetId of [1, 2, 3]) bench.receive({ type: "puback", packetId, reasonCode: 0 });
    expect(bench.sentOf("publish")).toMatchObject([
      { packetId: 1, dup: true },
      { packetId: 2, dup: true },
      { packetId: 3, dup: true },
      { topic: "new", packetId: 4, dup: false },
    ]);
  });

  it("skips identifiers that are still in use after a whole cycle [MQTT-2.2.1-3]", () => {
    const bench = new ClientBench().connect();
    bench.publish(1);
    for (let i = 2; i <= 65_535; i += 1) {
      bench.publish(1);
      bench.receive({ type: "puback", packetId: i, reasonCode: 0 });
    }
    bench.publish(1);
    expect(bench.last("publish").packetId).toBe(2);
  });

  it("gives up what is larger than the server takes, and goes on [MQTT-3.2.2-15]", () => {
    const bench = new ClientBench().connect({ maximumPacketBytes: 600 });
    for (const qos of [0, 1] as const) bench.publish(qos, 600);
    bench.publish(1, 500);
    expect(bench.probe.steps).toEqual(["discarded 0", "discarded 1", "sent 2"]);
    expect(bench.client.unacknowledged).toBe(1);
  });

  it("passes a refusal on to the ledger", () => {
    const bench = new ClientBench().connect();
    bench.publish(1);
    bench.receive({ type: "puback", packetId: 1, reasonCode: 0x97 });
    expect(bench.probe.reasonCodes).toEqual([0x97]);
  });
});

describe("MqttClient without PUBACK", () => {
  const mqtt = { protocolVersion: 4, publishRetryUs: 5 * SECOND, keepAliveS: 0 } as const;
  const ids = (bench: ClientBench): string[] =>
    bench.sentOf("publish").map(({ packetId, dup }) => `${packetId}${dup ? " dup" : ""}`);

  it("repeats a PUBLISH on the standing connection under its identifier, where MQTT 3.1.1 is told to", () => {
    const bench = new ClientBench({ mqtt }).connect();
    bench.publish(1);
    bench.time.advance(3 * SECOND);
    bench.publish(1);
    bench.time.advance(2 * SECOND);
    expect(ids(bench)).toEqual(["1", "2", "1 dup"]);
    bench.receive({ type: "puback", packetId: 1, reasonCode: 0 });
    bench.time.advance(3 * SECOND);
    expect(ids(bench)).toEqual(["1", "2", "1 dup", "2 dup"]);
    bench.receive({ type: "puback", packetId: 2, reasonCode: 0 });
    bench.time.advance(60 * SECOND);
    expect(ids(bench)).toHaveLength(4);
    expect(bench.probe.of("again")).toEqual([0, 1]);
  });

  it("waits for a reconnect otherwise, and with MQTT 5 always [MQTT-4.4.0-1]", () => {
    for (const others of [{ publishRetryUs: undefined }, { protocolVersion: 5 as const }]) {
      const bench = new ClientBench({ mqtt: { ...mqtt, ...others } }).connect();
      bench.publish(1);
      bench.time.advance(60 * SECOND);
      expect(ids(bench)).toEqual(["1"]);
      bench.lose();
      bench.connect({ sessionPresent: true });
      expect(ids(bench)).toEqual(["1 dup"]);
    }
  });
});

describe("MqttClient subscriptions", () => {
  it("asks for at most eight filters at once", () => {
    const bench = new ClientBench();
    bench.client.subscribe(Array.from({ length: 11 }, (_, i) => ({ filter: `f/${i}`, qos: 1 as const })));
    bench.connect();
    expect(bench.sentOf("subscribe").map(({ subscriptions }) => subscriptions.length)).toEqual([8, 3]);
  });

  it("renews them when the session is gone, and only what was not granted when it is present", () => {
    const bench = new ClientBench().connect();
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    bench.receive({ type: "suback", packetId: 1, reasonCodes: [1] });
    bench.client.subscribe([{ filter: "b", qos: 0 }]);
    bench.lose();
    bench.connect({ sessionPresent: true });
    expect(bench.filters()).toEqual(["b"]);
    bench.receive({ type: "suback", packetId: 3, reasonCodes: [0] });
    bench.lose();
    bench.connect({ sessionPresent: false });
    expect(bench.filters()).toEqual(["a", "b"]);
    expect(bench.calls.filter((call) => call.startsWith("subscribed"))).toEqual([
      "subscribed a 1",
      "subscribed b 0",
    ]);
  });

  it("does not ask again for what the session holds, whoever wants it once more", () => {
    const bench = new ClientBench().connect();
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    expect(bench.filters()).toEqual(["a"]);
    bench.receive({ type: "suback", packetId: 1, reasonCodes: [1] });
    bench.lose();
    bench.connect({ sessionPresent: true });
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    expect(bench.filters()).toEqual([]);
    bench.client.subscribe([{ filter: "a", qos: 0 }]);
    expect(bench.last("subscribe").subscriptions).toEqual([{ filter: "a", qos: 0 }]);
  });

  it("asks again for what was refused, on its next connection", () => {
    const bench = new ClientBench().connect();
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    bench.receive({ type: "suback", packetId: 1, reasonCodes: [0x87] });
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    expect(bench.filters()).toEqual(["a"]);
    bench.lose();
    bench.connect({ sessionPresent: true });
    expect(bench.filters()).toEqual(["a"]);
  });

  it("repeats requests that nobody answers, under their identifiers [MQTT-2.2.1-3]", () => {
    const bench = new ClientBench().connect();
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    bench.client.unsubscribe(["b"]);
    bench.time.advance(10 * SECOND);
    expect(
      bench.sent.slice(1).map((packet) => `${packet.type} ${"packetId" in packet && packet.packetId}`),
    ).toEqual(["subscribe 1", "unsubscribe 2", "subscribe 1", "unsubscribe 2"]);
    bench.receive({ type: "suback", packetId: 1, reasonCodes: [1] });
    bench.time.advance(10 * SECOND);
    expect(bench.sentOf("unsubscribe")).toHaveLength(3);
    bench.receive({ type: "unsuback", packetId: 2, reasonCodes: [0] });
    bench.lose();
    bench.time.advance(60 * SECOND);
    expect(bench.sentOf("subscribe")).toHaveLength(2);
    expect(bench.sentOf("unsubscribe")).toHaveLength(3);
  });

  it("does not renew what it gave up", () => {
    const bench = new ClientBench().connect();
    bench.client.subscribe([{ filter: "a", qos: 1 }]);
    bench.client.unsubscribe(["a"]);
    expect(bench.last("unsubscribe")).toEqual({ type: "unsubscribe", packetId: 2, filters: ["a"] });
    bench.lose();
    bench.connect();
    expect(bench.filters()).toEqual([]);
  });
});

describe("MqttClient keep-alive", () => {
  it("pings only after a full interval without traffic", () => {
    const bench = new ClientBench().connect();
    bench.time.advance(20 * SECOND);
    bench.publish(1);
    bench.receive({ type: "puback", packetId: 1, reasonCode: 0 });
    bench.time.advance(30 * SECOND - 1);
    expect(bench.sentOf("pingreq")).toHaveLength(0);
    bench.time.advance(1);
    expect(bench.sentOf("pingreq")).toHaveLength(1);
  });

  it("pings after a full interval without hearing anything, however much it sends", () => {
    const bench = new ClientBench().connect();
    for (let i = 0; i < 4; i += 1) {
      bench.time.advance(10 * SECOND);
      bench.publish(0);
    }
    expect(bench.sentOf("pingreq")).toHaveLength(1);
    expect(bench.calls).toEqual(["connected", "lost keep-alive-timeout"]);
  });

  it("takes the link for lost when PINGRESP does not come", () => {
    const bench = new ClientBench().connect();
    bench.time.advance(30 * SECOND);
    bench.receive({ type: "pingresp" });
    bench.time.advance(30 * SECOND);
    expect(bench.calls).toEqual(["connected"]);
    bench.time.advance(10 * SECOND);
    expect(bench.calls).toEqual(["connected", "lost keep-alive-timeout"]);
    expect(bench.linkEnd).toBe("destroyed");
  });

  it("follows the server's keep-alive, and 0 switches it off [MQTT-3.1.2-21]", () => {
    const [short, off] = [new ClientBench(), new ClientBench()];
    short.connect({ serverKeepAliveS: 5 });
    off.connect({ serverKeepAliveS: 0 });
    for (const bench of [short, off]) bench.time.advance(6 * SECOND);
    expect(short.sentOf("pingreq")).toHaveLength(1);
    expect(off.sentOf("pingreq")).toHaveLength(0);
    expect(off.time.heap.size).toBe(0);
  });
});
