import { describe, expect, it } from "vitest";
import { readMetrics, valueOf } from "./prometheus-oracle.js";
import { WatchedServer } from "./watched-server.js";

const P = "fleetrig_broker_";
const MIB = 1024 * 1024;

describe("metrics", () => {
  it("follow the text format and the conventions of Prometheus", async () => {
    const { server } = new WatchedServer();
    const families = readMetrics(await server.metrics());
    expect(families.size).toBeGreaterThan(30);
    for (const [name, { type, help, samples }] of families) {
      expect(name).toMatch(/^(?:fleetrig_broker|process|nodejs)_[a-z0-9_]+$/);
      expect(type).toBe(name.endsWith("_total") ? "counter" : "gauge");
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
      expect(name).not.toMatch(/_(?:ms|us|kb|mb|count|milliseconds)(?:_|$)/);
      for (const value of samples.values()) expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it("count what clients do", async () => {
    const watched = new WatchedServer();
    const subscriber = watched.connect("subscriber");
    subscriber.subscribe(["dt/#"]);
    const publisher = watched.connect("publisher");
    publisher.publish("dt/a", "12345");
    publisher.publish("dt/a", "12345", { qos: 0, retain: true });
    publisher.publish("elsewhere", "12345");
    publisher.disconnect();
    const text = await watched.server.metrics();
    const read = (name: string, labels?: string) => valueOf(text, P + name, labels);
    expect({
      connections: read("connections"),
      sessions: read("sessions"),
      subscriptions: read("subscriptions"),
      connects: read("connects_total"),
      received: read("messages_received_total"),
      receivedBytes: read("messages_received_bytes_total"),
      delivered: read("messages_delivered_total"),
      retained: read("retained_messages"),
      inflight: read("inflight_messages"),
      ended: read("disconnects_total", '{reason="CLIENT_INITIATED_DISCONNECT"}'),
    }).toEqual({
      connections: 1,
      sessions: 1,
      subscriptions: 1,
      connects: 2,
      received: 3,
      receivedBytes: 15,
      delivered: 2,
      retained: 1,
      inflight: 1,
      ended: 1,
    });
    const packets = (direction: string, type: string) =>
      read(`packets_${direction}_total`, `{type="${type}"}`);
    expect(packets("received", "publish")).toBe(3);
    expect(packets("received", "connect")).toBe(2);
    expect(packets("received", "disconnect")).toBe(1);
    expect(packets("sent", "publish")).toBe(2);
    expect(packets("sent", "puback")).toBe(2);
    expect(packets("sent", "connack")).toBe(2);
    expect(packets("sent", "suback")).toBe(1);
    // Links in memory are told two bytes per packet, see TestClient.
    expect(read("received_bytes_total")).toBe(2 * 7);
  });

  it("tell drops, refusals and denials by their reasons", async () => {
    const watched = new WatchedServer({
      hooks: {
        authorizeConnect: (_, { clientId }) => (clientId === "stranger" ? { refuse: 0x87 } : "allow"),
        authorizePublish: (_, { topic }) => topic !== "secret",
        authorizeSubscribe: (_, { filter }) => filter !== "secret",
      },
    });
    watched.connect("stranger");
    const frozen = watched.connect("frozen");
    frozen.subscribe([{ filter: "t", qos: 0 }, "secret"]);
    frozen.bufferedBytes = MIB;
    const publisher = watched.connect("publisher");
    for (let i = 0; i < 3; i += 1) publisher.publish("t", "x", { qos: 0 });
    publisher.publish("secret", "x");
    const text = await watched.server.metrics();
    expect(valueOf(text, `${P}messages_dropped_total`, '{reason="slow-client"}')).toBe(3);
    expect(valueOf(text, `${P}messages_dropped_total`, '{reason="publish-denied"}')).toBe(1);
    expect(valueOf(text, `${P}messages_dropped_total`, '{reason="expired"}')).toBe(0);
    expect(valueOf(text, `${P}connects_refused_total`, '{reason="notAuthorized"}')).toBe(1);
    const denials = readMetrics(text).get(`${P}auth_denials_total`)!.samples;
    expect(Object.fromEntries(denials)).toEqual({
      '{action="connect"}': 1,
      '{action="publish"}': 1,
      '{action="subscribe"}': 1,
      '{action="receive"}': 0,
    });
  });

  it("keep what ended connections carried, and never count backwards", async () => {
    const watched = new WatchedServer();
    const totals = async () => valueOf(await watched.server.metrics(), `${P}received_bytes_total`)!;
    let before = 0;
    for (let round = 0; round < 3; round += 1) {
      const client = watched.connect("same");
      client.publish("t", "x");
      const open = await totals();
      client.lose();
      const ended = await totals();
      expect(open).toBe(before + 4);
      expect(ended).toBe(open);
      before = ended;
    }
  });

  it("of two servers in one process do not mix", async () => {
    const [one, other] = [new WatchedServer(), new WatchedServer({ profile: "aws" })];
    one.connect("client");
    expect(valueOf(await one.server.metrics(), `${P}connections`)).toBe(1);
    expect(valueOf(await other.server.metrics(), `${P}connections`)).toBe(0);
    expect(await other.server.metrics()).toContain('profile="aws"');
  });
});
