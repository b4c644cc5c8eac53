import { createRandomSource, LANE, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { createPresence, type PresenceOptions } from "fleetrig/broker";
import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

type Body = Record<string, unknown>;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function bench(options: Partial<PresenceOptions> = {}, hasSubscribers = true) {
  const time = new VirtualTime();
  const clock = time.lane(LANE.services);
  const sent: { topic: string; body: Body }[] = [];
  const presence = createPresence({
    clock,
    random: createRandomSource(7),
    bus: {
      publish: ({ topic, payload }) => sent.push({ topic, body: JSON.parse(String(payload)) as Body }),
      sendDirect: () => false,
      hasSubscribers: () => hasSubscribers,
    },
    ...options,
  });
  const connect = (clientId: string, remoteAddress = "10.0.0.7:50123", username?: string) =>
    presence.connected({
      clientId,
      atUs: clock.nowUs(),
      remoteAddress,
      connection: {},
      protocolVersion: 5,
      sessionPresent: false,
      ...(username !== undefined && { username }),
    });
  const disconnect = (clientId: string) =>
    presence.disconnected({
      clientId,
      atUs: clock.nowUs(),
      reason: "CONNECTION_LOST",
      clientInitiated: false,
    });
  return { time, clock, sent, presence, connect, disconnect };
}

describe("presence events", () => {
  it("pair connected and disconnected by session and version [REF §4]", () => {
    const { clock, sent, connect, disconnect, time } = bench();
    connect("c1", "10.0.0.7:50123", "user");
    const connectedAtMs = clock.wallMs();
    time.advance(US_PER_S);
    disconnect("c1");
    expect(sent).toEqual([
      {
        topic: "$aws/events/presence/connected/c1",
        body: {
          clientId: "c1",
          timestamp: connectedAtMs,
          eventType: "connected",
          sessionIdentifier: expect.stringMatching(UUID),
          principalIdentifier: "user",
          ipAddress: "10.0.0.7",
          versionNumber: 0,
        },
      },
      {
        topic: "$aws/events/presence/disconnected/c1",
        body: {
          clientId: "c1",
          timestamp: connectedAtMs + 1000,
          eventType: "disconnected",
          sessionIdentifier: sent[0]!.body["sessionIdentifier"],
          principalIdentifier: "user",
          clientInitiatedDisconnect: false,
          disconnectReason: "CONNECTION_LOST",
          versionNumber: 0,
        },
      },
    ]);
  });

  it("count connections up and start over after an hour offline, not after an hour online", () => {
    const { sent, connect, disconnect, time } = bench();
    const versionOfNext = (): unknown => {
      connect("c1");
      const { versionNumber } = sent.at(-1)!.body;
      return versionNumber;
    };
    expect(versionOfNext()).toBe(0);
    time.advance(3 * 3600 * US_PER_S);
    disconnect("c1");
    time.advance(3599 * US_PER_S);
    expect(versionOfNext()).toBe(1);
    disconnect("c1");
    time.advance(3600 * US_PER_S);
    expect(versionOfNext()).toBe(0);
  });

  it("give each connection another session identifier, the same in every replay", () => {
    const sessions = (): unknown[] => {
      const { sent, connect, disconnect } = bench();
      connect("c1");
      disconnect("c1");
      connect("c1");
      connect("c2");
      return sent.map(({ body }) => body["sessionIdentifier"]);
    };
    const first = sessions();
    expect(new Set(first).size).toBe(3);
    expect(sessions()).toEqual(first);
  });

  it("say nothing about client ids that no topic could carry", () => {
    const { sent, presence, connect, disconnect } = bench();
    for (const clientId of ["a#b", "a+b"]) {
      connect(clientId);
      presence.subscribed(clientId, ["x"]);
      disconnect(clientId);
      presence.refused({
        clientId,
        atUs: 0,
        connection: {},
        remoteAddress: "h",
        reasonCode: REASON.notAuthorized,
      });
    }
    expect(sent).toEqual([]);
  });

  it("build nothing when nobody listens, and know the version later all the same", () => {
    const { sent, connect, disconnect } = bench({}, false);
    connect("c1");
    disconnect("c1");
    expect(sent).toEqual([]);
  });

  it("list the filters of subscribed and unsubscribed", () => {
    const { sent, presence, connect } = bench({ principalOf: ({ clientId }) => `cert-of-${clientId}` });
    presence.subscribed("stranger", ["x"]);
    connect("c1");
    presence.subscribed("c1", ["a/#", "b"]);
    presence.unsubscribed("c1", ["b"]);
    presence.subscribed("c1", []);
    presence.unsubscribed("c1", []);
    const common = {
      clientId: "c1",
      sessionIdentifier: sent[0]!.body["sessionIdentifier"],
      principalIdentifier: "cert-of-c1",
      timestamp: expect.any(Number),
    };
    expect(sent.slice(1)).toEqual([
      {
        topic: "$aws/events/subscriptions/subscribed/c1",
        body: { ...common, eventType: "subscribed", topics: ["a/#", "b"] },
      },
      {
        topic: "$aws/events/subscriptions/unsubscribed/c1",
        body: { ...common, eventType: "unsubscribed", topics: ["b"] },
      },
    ]);
  });

  it("report refused credentials, and no other refusals", () => {
    const { sent, presence } = bench({ principalOf: ({ clientId }) => `cert-of-${clientId}` });
    const refuse = (clientId: string, reasonCode: number) =>
      presence.refused({ clientId, atUs: 0, connection: {}, remoteAddress: "10.0.0.9:1", reasonCode });
    refuse("c1", REASON.quotaExceeded);
    refuse("", REASON.notAuthorized);
    refuse("c1", REASON.notAuthorized);
    expect(sent).toMatchObject([
      {
        topic: "$aws/events/presence/connect_failed/c1",
        body: {
          eventType: "connect_failed",
          principalIdentifier: "cert-of-c1",
          connectFailureReason: "AUTHORIZATION_FAILED",
          ipAddress: "10.0.0.9",
        },
      },
    ]);
  });

  it.each([
    ["10.0.0.7:50123", "10.0.0.7"],
    ["[::1]:8883", "::1"],
    ["::1", "::1"],
    ["[::1", "[::1"],
    ["hq-1", "hq-1"],
  ])("show %s as %s", (remoteAddress, ipAddress) => {
    const { sent, connect } = bench();
    connect("c1", remoteAddress);
    expect(sent[0]!.body).toMatchObject({
      ipAddress,
      principalIdentifier: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});
