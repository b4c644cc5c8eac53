import { createPresence, ShadowService } from "fleetrig/broker";
import { createRandomSource, LANE, silentSink } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "../broker/bench.js";

const SHADOW = "$aws/things/T/shadow";

function cloud() {
  const bench = new Bench();
  const clock = bench.time.lane(LANE.services);
  const shadows = new ShadowService({ clock, bus: bench.broker, events: silentSink });
  bench.broker.addHooks({
    message: (message) => shadows.handle(message),
    listensTo: (topic) => shadows.listensTo(topic),
  });
  bench.broker.addHooks(createPresence({ clock, bus: bench.broker, random: createRandomSource(1) }));
  return { bench, shadows };
}

/** What a client got below a prefix: suffix and parsed body. */
const received = (client: TestClient, prefix: string): [suffix: string, body: Record<string, unknown>][] =>
  client.publishes
    .filter(({ topic }) => topic.startsWith(prefix))
    .map(({ topic, payload }) => [
      topic.slice(prefix.length),
      JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>,
    ]);

describe("shadows over MQTT", () => {
  it("bring a desired change to the device and its report back to the app", () => {
    const { bench } = cloud();
    const device = bench.connect("device");
    const app = bench.connect("app");
    device.subscribe([`${SHADOW}/update/delta`]);
    app.subscribe([`${SHADOW}/update/documents`]);
    app.publish(`${SHADOW}/update`, '{"state":{"desired":{"led":"on"}}}');
    expect(received(device, SHADOW)).toMatchObject([["/update/delta", { state: { led: "on" }, version: 1 }]]);
    device.publish(`${SHADOW}/update`, '{"state":{"reported":{"led":"on"}}}');
    expect(received(device, SHADOW)).toHaveLength(1);
    expect(received(app, SHADOW).at(-1)).toMatchObject([
      "/update/documents",
      { previous: { version: 1 }, current: { version: 2, state: { reported: { led: "on" } } } },
    ]);
  });

  it("let other clients see requests and refusals (class B)", () => {
    const { bench } = cloud();
    const device = bench.connect("device");
    const spy = bench.connect("spy");
    spy.subscribe([`${SHADOW}/+`, `${SHADOW}/+/rejected`]);
    device.publish(`${SHADOW}/get`, "");
    device.publish(`${SHADOW}/update`, "{}");
    const topics = spy.publishes.map(({ topic }) => topic.slice(SHADOW.length));
    expect(topics.sort()).toEqual(["/get", "/get/rejected", "/update", "/update/rejected"]);
  });

  it("ignore a will, which subscribers see all the same [REF §2.4]", () => {
    const { bench, shadows } = cloud();
    const payload = Buffer.from('{"state":{"reported":{"online":false}}}');
    const will = { topic: `${SHADOW}/update`, payload, qos: 1, retain: false } as const;
    const device = bench.connect("device", { will });
    const app = bench.connect("app");
    app.subscribe([`${SHADOW}/update`]);
    device.lose();
    expect(received(app, SHADOW)).toEqual([["/update", { state: { reported: { online: false } } }]]);
    expect(shadows.document({ thing: "T" })).toBeUndefined();
  });
});

describe("presence over MQTT", () => {
  it("tells who comes, subscribes and goes, and pairs versions across a takeover", () => {
    const { bench } = cloud();
    const prefix = "$aws/events/";
    const observer = bench.connect("observer");
    observer.subscribe([`${prefix}#`]);
    observer.clear();
    bench.connect("device").subscribe(["a/b"]);
    bench.connect("device").disconnect();
    expect(received(observer, prefix)).toMatchObject([
      ["presence/connected/device", { versionNumber: 0 }],
      ["subscriptions/subscribed/device", { topics: ["a/b"] }],
      ["presence/disconnected/device", { versionNumber: 0, disconnectReason: "DUPLICATE_CLIENTID" }],
      ["presence/connected/device", { versionNumber: 1 }],
      ["presence/disconnected/device", { versionNumber: 1, clientInitiatedDisconnect: true }],
    ]);
  });
});
