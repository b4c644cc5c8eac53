import { describe, expect, it } from "vitest";
import { constantLatency, DeviceRig, MS, SECOND } from "./device-rig.js";

describe("DeviceConnection", () => {
  it("is online one round trip for TCP and one for MQTT after its start", () => {
    const rig = new DeviceRig({ link: constantLatency(20 * MS) });
    rig.connection.start(SECOND);
    rig.time.advance(SECOND + 80 * MS - 1);
    expect(rig.connection.isOnline).toBe(false);
    rig.time.advance(1);
    expect(rig.connection.isOnline).toBe(true);
    expect(rig.eventsOf("connection.open")).toMatchObject([
      { atUs: SECOND + 80 * MS, sessionPresent: false, resumeExpected: false, connectUs: 80 * MS },
    ]);
  });

  it("keeps messages while offline and sends them in order, with their scheduled time", () => {
    const rig = new DeviceRig();
    rig.publish(1);
    rig.publish(0);
    rig.time.advance(SECOND);
    rig.publish(1);
    rig.online();
    expect(rig.broker.publishes.map(({ topic }) => topic)).toEqual(["d/0", "d/1", "d/2"]);
    expect(rig.probe.sentAtUs.get(0)).toEqual({ scheduledUs: 0, sentUs: SECOND });
    expect(rig.probe.of("acked")).toEqual([0, 2]);
  });

  it.each([
    { overflow: "drop-oldest" as const, capacity: 2, discarded: [0, 1], sent: [2, 3] },
    { overflow: "drop-newest" as const, capacity: 2, discarded: [2, 3], sent: [0, 1] },
    { overflow: "drop-oldest" as const, capacity: 0, discarded: [0, 1, 2, 3], sent: [] },
  ])(
    "gives up $discarded under $overflow with room for $capacity",
    ({ overflow, capacity, discarded, sent }) => {
      const rig = new DeviceRig({ buffer: { capacity, overflow } });
      for (let i = 0; i < 4; i += 1) rig.publish();
      rig.online();
      expect(rig.probe.of("discarded")).toEqual(discarded);
      expect(rig.probe.of("sent")).toEqual(sent);
    },
  );

  it("says DISCONNECT on a graceful disconnect, stays away for the hold and does not try meanwhile", () => {
    const rig = new DeviceRig().online();
    rig.connection.disconnect("graceful", 30 * SECOND, "wave");
    rig.time.advance(30 * SECOND);
    expect(rig.broker.packets.at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0 });
    expect(rig.broker.ends).toEqual(["closed"]);
    expect(rig.eventsOf("connection.closed")).toMatchObject([{ action: "wave" }]);
    expect(rig.attemptsAtUs()).toHaveLength(1);
    rig.time.advance(SECOND);
    expect(rig.connection.isOnline).toBe(true);
    expect(rig.eventsOf("connection.open")[1]).toMatchObject({ sessionPresent: true, resumeExpected: true });
  });

  it("resets the link on an ungraceful disconnect and fails every attempt during the hold", () => {
    const rig = new DeviceRig().online();
    rig.connection.disconnect("ungraceful", 4_500 * MS, "wave");
    rig.time.advance(10 * SECOND);
    expect(rig.broker.packets.some(({ type }) => type === "disconnect")).toBe(false);
    expect(rig.broker.ends[0]).toBe("reset");
    expect(rig.eventsOf("connection.lost")).toMatchObject([
      { atUs: 0, reason: "ungraceful", action: "wave" },
    ]);
    expect(rig.attemptsAtUs()).toEqual([0, 1, 2, 3, 4, 5].map((second) => second * SECOND));
    expect(rig.eventsOf("connection.refused").map(({ reason }) => reason)).toEqual(
      Array.from({ length: 4 }, () => "unreachable"),
    );
    expect(rig.connection.isOnline).toBe(true);
  });

  it("notices a blackhole by its unanswered ping, and nobody tells the broker", () => {
    const rig = new DeviceRig({ mqtt: { keepAliveS: 10 } }).online();
    rig.connection.disconnect("blackhole", 60 * SECOND, "hole");
    rig.time.advance(14_999 * MS);
    expect(rig.connection.isOnline).toBe(true);
    rig.time.advance(1 * MS);
    expect(rig.eventsOf("connection.lost")).toMatchObject([
      { atUs: 15 * SECOND, reason: "keep-alive-timeout", action: "hole" },
    ]);
    rig.time.advance(44 * SECOND);
    expect(rig.broker.links).toHaveLength(1);
    expect(rig.broker.ends).toEqual([]);
    expect(rig.eventsOf("connection.refused").every(({ reason }) => reason === "timeout")).toBe(true);
    rig.time.advance(20 * SECOND);
    expect(rig.connection.isOnline).toBe(true);
  });

  it("cannot even take its leave while its packets vanish", () => {
    const rig = new DeviceRig().online();
    rig.connection.disconnect("blackhole", 60 * SECOND, "hole");
    rig.connection.disconnect("graceful", 90 * SECOND, "leave");
    rig.time.advance(90 * SECOND);
    expect(rig.connection.isOnline).toBe(false);
    expect(rig.broker.packets).toHaveLength(1);
    expect(rig.broker.ends).toEqual([]);
    rig.time.advance(SECOND);
    expect(rig.connection.isOnline).toBe(true);
    expect(rig.broker.ends).toEqual(["reset"]);
  });

  it("finds its link dead when a blackhole ends before its keep-alive noticed", () => {
    const rig = new DeviceRig({ mqtt: { keepAliveS: 0 } }).online();
    rig.connection.disconnect("blackhole", 5 * SECOND, "hole");
    const sequence = rig.publish();
    rig.time.advance(5 * SECOND);
    expect(rig.eventsOf("connection.lost")).toMatchObject([{ atUs: 5 * SECOND, reason: "blackhole" }]);
    rig.time.advance(2 * SECOND);
    expect(rig.probe.steps).toEqual([`sent ${sequence}`, `again ${sequence}`, `acked ${sequence}`]);
    expect(rig.broker.publishes).toMatchObject([{ dup: true }]);
  });

  it("waits for a CONNACK that never comes after no-connack, then gives the attempt up", () => {
    const rig = new DeviceRig().online();
    rig.connection.disconnect("no-connack", 12 * SECOND, "mute");
    rig.time.advance(12 * SECOND - 1);
    expect(rig.broker.links).toHaveLength(2);
    expect(rig.broker.connects).toHaveLength(1);
    expect(rig.eventsOf("connection.refused")).toMatchObject([{ atUs: 11 * SECOND, reason: "timeout" }]);
  });

  it("connects at once when told to, whatever it is waiting for", () => {
    const rig = new DeviceRig({ reconnect: { policy: "none" } }).online();
    rig.connection.disconnect("ungraceful", 3_600 * SECOND, "wave");
    rig.time.advance(600 * SECOND);
    expect(rig.attemptsAtUs()).toHaveLength(1);
    rig.connection.connect();
    rig.time.advance(0);
    expect(rig.connection.isOnline).toBe(true);
  });

  it("backs off after a CONNACK with a failure", () => {
    const rig = new DeviceRig({ script: { connack: () => 0x97 } });
    rig.connection.start(0);
    rig.time.advance(2_500 * MS);
    expect(rig.eventsOf("connection.refused").map(({ reason }) => reason)).toEqual([
      "quotaExceeded",
      "quotaExceeded",
      "quotaExceeded",
    ]);
  });

  it("starts its attempt counter over only after a stable connection", () => {
    const rig = new DeviceRig({ reconnect: { policy: "exponential", resetAfterUs: 10 * SECOND } }).online();
    const lose = (): void => {
      rig.broker.link.destroy();
      rig.time.advance(0);
    };
    lose();
    rig.time.advance(1 * SECOND);
    lose();
    rig.time.advance(2 * SECOND);
    rig.time.advance(10 * SECOND);
    lose();
    rig.time.advance(1 * SECOND);
    expect(rig.attemptsAtUs()).toEqual([0, 1, 3, 14].map((second) => second * SECOND));
    expect(rig.eventsOf("connection.attempt").map(({ attempt }) => attempt)).toEqual([0, 1, 2, 1]);
  });

  it("forgets what memory held on a reboot and connects when it is up again", () => {
    const rig = new DeviceRig({ script: { withholdsAcks: true } }).online();
    rig.publish();
    rig.time.advance(0);
    rig.connection.reboot(8 * SECOND);
    rig.publish();
    rig.time.advance(8 * SECOND);
    expect(rig.connection.isOnline).toBe(true);
    expect(rig.attemptsAtUs()).toEqual([0, 8 * SECOND]);
    expect(rig.probe.steps).toEqual(["sent 0", "sent 1"]);
  });

  it("dies without a word when it goes silent", () => {
    const rig = new DeviceRig().online();
    rig.connection.goSilent();
    rig.publish();
    rig.time.advance(3_600 * SECOND);
    expect(rig.broker.ends).toEqual([]);
    expect(rig.attemptsAtUs()).toHaveLength(1);
    expect(rig.probe.of("discarded")).toEqual([0]);
    expect(rig.eventsOf("connection.lost")).toMatchObject([{ reason: "silent" }]);
  });

  it("stops for good, in order", () => {
    const rig = new DeviceRig().online();
    rig.connection.stop();
    rig.connection.connect();
    rig.time.advance(60 * SECOND);
    expect(rig.broker.packets.at(-1)).toMatchObject({ type: "disconnect" });
    expect(rig.calls).toEqual(["online false", "offline stopped"]);
    expect(rig.time.heap.size).toBe(0);
  });
});
