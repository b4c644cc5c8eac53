import { describe, expect, it } from "vitest";
import { connectClient } from "./memory-client.js";
import { startApi } from "./api-client.js";

describe("publishing over HTTP", () => {
  it("reaches subscribers with topic, payload and MQTT 5 properties", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    client.subscribe("dt/#");
    await world.ok(
      "POST",
      "/topics/dt%2Froom%2F1?qos=1&contentType=text%2Fplain&responseTopic=re&messageExpiry=60",
      "hello",
      {
        headers: {
          "x-amz-mqtt5-user-properties": Buffer.from(JSON.stringify([{ site: "a" }, { n: 1 }])).toString(
            "base64",
          ),
          "x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
          "x-amz-mqtt5-correlation-data": Buffer.from("id").toString("base64"),
        },
      },
    );
    expect(client.take()).toMatchObject([
      {
        topic: "dt/room/1",
        qos: 1,
        contentType: "text/plain",
        responseTopic: "re",
        messageExpiryS: 60,
        payloadFormat: 1,
        userProperties: [
          ["site", "a"],
          ["n", "1"],
        ],
      },
    ]);
  });

  it("takes topics whose slashes were not encoded", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    client.subscribe("a/b/c");
    await world.ok("POST", "/topics/a/b/c", "x");
    expect(client.take()).toHaveLength(1);
  });

  it("serves requests on reserved topics, and none of the cloud's own events", async () => {
    const { ok, refused } = startApi();
    await ok("POST", "/topics/$aws%2Fthings%2Ft1%2Fshadow%2Fupdate", { state: { desired: { a: 1 } } });
    expect(await ok("GET", "/things/t1/shadow")).toMatchObject({ state: { desired: { a: 1 } } });
    expect(await refused("POST", "/topics/$aws%2Fevents%2Fpresence%2Fconnected%2Fx", "{}")).toMatchObject({
      name: "InvalidRequestException",
    });
  });

  it.each([
    ["/topics/a%2F%23", "", "InvalidRequestException", 400],
    ["/topics/a?responseTopic=b%2F%2B", "", "InvalidRequestException", 400],
    ["/topics/a?qos=2", "", "InvalidRequestException", 400],
    ["/topics/a", "x".repeat(131_073), "RequestEntityTooLargeException", 413],
  ])("refuses %s", async (target, body, name, status) => {
    expect(await startApi().refused("POST", target, body)).toMatchObject({ name, status });
  });
});

describe("retained messages", () => {
  it("are listed page by page and read one by one, with when they came", async () => {
    const { ok, refused } = startApi();
    for (const topic of ["b", "a", "c"]) await ok("POST", `/topics/${topic}?retain=true`, `on ${topic}`);
    const first = await ok("GET", "/retainedMessage?maxResults=2");
    expect(first.retainedTopics.map(({ topic }: { topic: string }) => topic)).toEqual(["a", "b"]);
    const second = await ok("GET", `/retainedMessage?maxResults=2&nextToken=${first.nextToken}`);
    expect(second).toEqual({
      retainedTopics: [{ topic: "c", payloadSize: 4, qos: 0, lastModifiedTime: expect.any(Number) }],
    });
    expect(await ok("GET", "/retainedMessage/a")).toMatchObject({
      topic: "a",
      qos: 0,
      payload: Buffer.from("on a").toString("base64"),
    });
    expect(await refused("GET", "/retainedMessage/nothing")).toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(await refused("GET", "/retainedMessage?nextToken=zzz")).toMatchObject({
      name: "InvalidRequestException",
    });
  });
});

describe("the connection API", () => {
  it("tells who is connected since when, and afterwards why not any more", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    const connected = await world.ok("GET", "/connections/c1?includeSocketInformation=true");
    expect(connected).toMatchObject({
      clientId: "c1",
      connected: true,
      cleanSession: true,
      keepAliveDuration: 60,
    });
    expect(connected.connectedSince).toBe(Math.round(world.cloud.toWallMs(0)));
    await world.ok("DELETE", "/connections/c1");
    expect(client.isOpen).toBe(false);
    expect(await world.ok("GET", "/connections/c1")).toMatchObject({
      connected: false,
      disconnectReason: "API_INITIATED_DISCONNECT",
    });
    world.time.advance(31 * 60 * 1_000_000);
    expect(await world.refused("GET", "/connections/c1")).toMatchObject({
      name: "ResourceNotFoundException",
      status: 404,
    });
  });

  it("lists subscriptions in pages, and forgets a session when it is told to", async () => {
    const world = startApi();
    const client = connectClient(world, "c1", { cleanStart: false });
    for (let i = 0; i < 25; i += 1) client.subscribe(`f/${String(i).padStart(2, "0")}`);
    const first = await world.ok("GET", "/connections/c1/subscriptions");
    expect(first.subscriptions).toHaveLength(20);
    expect(
      (await world.ok("GET", `/connections/c1/subscriptions?nextToken=${first.nextToken}`)).subscriptions,
    ).toHaveLength(5);
    await world.ok("DELETE", "/connections/c1?cleanSession=true");
    expect(await world.refused("GET", "/connections/c1/subscriptions")).toMatchObject({ status: 404 });
    expect(await world.refused("DELETE", "/connections/c1")).toMatchObject({ status: 404 });
  });

  it("sends a message to one client that has not subscribed", async () => {
    const world = startApi();
    const client = connectClient(world, "c1");
    expect(await world.ok("POST", "/connections/c1/messages?topic=to%2Fyou", "hi")).toEqual({
      message: "OK",
    });
    expect(client.take()).toMatchObject([{ topic: "to/you" }]);
    expect(await world.refused("POST", "/connections/nobody/messages?topic=a", "hi")).toMatchObject({
      status: 404,
    });
  });
});

describe("publishing over HTTP with a certificate", () => {
  it.each([
    ["?retain=true", ["iot:Publish", "iot:RetainPublish"]],
    ["", ["iot:Publish"]],
  ])("needs every one of its permissions: /topics/a%s wants %j", async (query, wanted) => {
    const asked: string[] = [];
    const world = startApi({}, (_caller, { action }) => asked.push(action) > 0);
    await world.ok("POST", `/topics/a${query}`, "x", { caller: { kind: "certificate", certificateId: "c" } });
    expect(asked).toEqual(wanted);
    for (const refusedAction of wanted) {
      const strict = startApi({}, (_caller, { action }) => action !== refusedAction);
      const extras = { caller: { kind: "certificate", certificateId: "c" } } as const;
      expect(await strict.refused("POST", `/topics/a${query}`, "x", extras)).toMatchObject({
        message: `The policies do not allow ${refusedAction}.`,
      });
    }
  });
});
