import { type ConnectPacket, isFailure, REASON, type Will } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient, VARIANTS } from "./bench.js";

const WILL: Will = { topic: "gone", payload: Buffer.from("bye"), qos: 1, retain: false };
const DELAYED = { ...WILL, delayS: 30 };

function watched(
  profile: "aws" | "oasis",
  options: Partial<ConnectPacket>,
): { bench: Bench; watcher: TestClient; client: TestClient } {
  const bench = new Bench({ profile });
  const watcher = bench.connect("watcher");
  watcher.subscribe(["gone"]);
  return { bench, watcher, client: bench.connect("client", options) };
}

describe("the will of a client whose id connects again [MQTT-3.1.4-3]", () => {
  it.each(VARIANTS)(
    "is published before the newcomer's CONNACK: $profile, level $protocolVersion",
    (variant) => {
      const { profile, protocolVersion } = variant;
      for (const cleanStart of [true, false]) {
        const { bench, watcher } = watched(profile, { protocolVersion, cleanStart, will: WILL });
        const newcomer = bench.dial();
        const seen: number[] = [];
        bench.broker.addHooks({ connected: () => seen.push(watcher.publishes.length) });
        newcomer.connect("client", { protocolVersion, cleanStart });
        expect(seen).toEqual([1]);
        expect(newcomer.connack.reasonCode).toBe(0);
      }
    },
  );

  it.each([
    { cleanStart: false, isPublished: false },
    { cleanStart: true, isPublished: true },
  ])("waits for no delay when the session ends, and is dropped when it goes on: $cleanStart", (row) => {
    const { bench, watcher } = watched("oasis", { cleanStart: false, sessionExpiryS: 100, will: DELAYED });
    bench.connect("client", { cleanStart: row.cleanStart, sessionExpiryS: 100 });
    expect(watcher.publishes).toHaveLength(row.isPublished ? 1 : 0);
    bench.advanceS(200);
    expect(watcher.publishes).toHaveLength(row.isPublished ? 1 : 0);
    expect(bench.eventsOf("will.suppressed")).toHaveLength(row.isPublished ? 0 : 1);
  });
});

describe("a will", () => {
  it("is published with everything it was given but its delay [MQTT-3.1.2-14] [MQTT-3.1.3-11]", () => {
    const properties = {
      payloadFormat: 1,
      messageExpiryS: 60,
      contentType: "text/plain",
      responseTopic: "answers",
      correlationData: Buffer.from("17"),
      userProperties: [["site", "hq"]],
    } as const;
    const { bench, watcher, client } = watched("oasis", {
      sessionExpiryS: 100,
      will: { ...DELAYED, ...properties },
    });
    client.lose();
    bench.advanceS(30);
    expect(watcher.publishes).toMatchObject([{ topic: "gone", qos: 1, retain: false, ...properties }]);
    expect(Object.keys(watcher.publishes[0]!)).not.toContain("delayS");
  });

  it("is retained when it says so [MQTT-3.1.2-15]", () => {
    const { bench, client } = watched("oasis", { will: { ...WILL, retain: true } });
    client.lose();
    const late = bench.connect("late");
    late.subscribe(["gone"]);
    expect(late.publishes).toMatchObject([{ topic: "gone", retain: true }]);
  });

  it.each([
    { will: 30, session: 100, leaveS: 30 },
    { will: 30, session: 10, leaveS: 10 },
    { will: 30, session: 0, leaveS: 0 },
    { will: 0, session: 100, leaveS: 0 },
    { will: 0xff_ff_ff_ff, session: 20, leaveS: 20 },
  ])("waits for its delay of $will s or the end of the session after $session s: $leaveS s", (row) => {
    const { bench, watcher, client } = watched("oasis", {
      cleanStart: false,
      sessionExpiryS: row.session,
      will: { ...WILL, delayS: row.will },
    });
    client.lose();
    if (row.leaveS > 0) {
      bench.advanceS(row.leaveS - 1);
      expect(watcher.publishes).toEqual([]);
      bench.advanceS(1);
    }
    expect(watcher.publishes).toHaveLength(1);
  });

  it.each([
    { sessionExpiryS: 0, afterS: 0 },
    { sessionExpiryS: 10, afterS: 10 },
    { sessionExpiryS: 100, afterS: 30 },
  ])(
    "heeds the Session Expiry Interval of DISCONNECT 0x04: $sessionExpiryS s",
    ({ sessionExpiryS, afterS }) => {
      const { bench, watcher, client } = watched("oasis", { sessionExpiryS: 50, will: DELAYED });
      client.disconnect({ reasonCode: REASON.disconnectWithWill, sessionExpiryS });
      expect(watcher.publishes).toHaveLength(afterS === 0 ? 1 : 0);
      bench.advanceS(afterS);
      expect(watcher.publishes).toHaveLength(1);
    },
  );

  it("is forgotten with DISCONNECT 0x00 [MQTT-3.14.4-3], even by a session that ends later", () => {
    const { bench, watcher, client } = watched("oasis", { sessionExpiryS: 50, will: DELAYED });
    client.disconnect();
    bench.advanceS(100);
    expect(watcher.publishes).toEqual([]);
  });

  it("belongs to one connection: the next one has its own or none", () => {
    const options = { cleanStart: false, sessionExpiryS: 100 };
    const { bench, watcher, client } = watched("oasis", { ...options, will: DELAYED });
    client.lose();
    bench.connect("client", options).lose();
    bench.advanceS(50);
    expect(watcher.publishes).toEqual([]);
  });

  it("is not published for a client that was never let in", () => {
    const bench = new Bench({ hooks: { authorizeConnect: () => ({ refuse: REASON.notAuthorized }) } });
    bench.connect("client", { will: WILL });
    expect(bench.eventsOf("will.published")).toEqual([]);
  });
});

describe("reason codes of DISCONNECT", () => {
  /** [MQTT-3.14.2-1] what a client may send, without the two that are tested above. */
  const FROM_CLIENT = [0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

  it.each(FROM_CLIENT)("%i from a client publishes its will", (reasonCode) => {
    const { watcher, client } = watched("oasis", { will: WILL });
    client.disconnect({ reasonCode });
    expect(client.state).toBe("closed");
    expect(client.packets("disconnect")).toEqual([]);
    expect(watcher.publishes).toHaveLength(1);
  });

  it("reach an MQTT 5 client whatever they are, and never carry an expiry [MQTT-3.14.2-2]", () => {
    for (const reasonCode of Object.values(REASON).filter(isFailure)) {
      const bench = new Bench({ profile: "oasis" });
      const client = bench.connect("client", { sessionExpiryS: 10 });
      bench.broker.disconnectClient("client", { reasonCode, sendWill: false });
      expect(client.packets("disconnect")).toEqual([{ type: "disconnect", reasonCode }]);
      const legacy = bench.connect("legacy", { protocolVersion: 4 });
      bench.broker.disconnectClient("legacy", { reasonCode });
      expect(legacy.packets("disconnect")).toEqual([]);
      expect(legacy.state).toBe("closed");
    }
  });
});
