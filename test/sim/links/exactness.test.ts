import { describe, expect, it } from "vitest";
import { DeviceRig, SECOND } from "../connection/device-rig.js";

const COUNT = 100;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("link.drop-publish", () => {
  it.each([0, 1] as const)("drops exactly the first 7 of 100 publishes to the broker at QoS %d", (qos) => {
    const rig = new DeviceRig().online();
    rig.inject("link.drop-publish", { direction: "up", count: 7 });
    for (let i = 0; i < COUNT; i += 1) rig.publish(qos);
    rig.time.advance(SECOND);
    expect(rig.broker.publishes.map(({ topic }) => topic)).toEqual(range(7, COUNT).map((i) => `d/${i}`));
    expect(rig.probe.of("sent")).toEqual(range(0, COUNT));
    expect(rig.probe.of("acked")).toEqual(qos === 1 ? range(7, COUNT) : []);
  });

  it.each([0, 1] as const)("drops exactly the listed publishes to the device at QoS %d", (qos) => {
    const rig = new DeviceRig().online();
    rig.inject("link.drop-publish", { direction: "down", positions: [0, 10, 99] });
    for (let i = 0; i < COUNT; i += 1) {
      rig.broker.link.send({
        type: "publish",
        topic: `c/${i}`,
        payload: new Uint8Array(),
        qos,
        retain: false,
        dup: false,
        ...(qos === 1 ? { packetId: i + 1 } : {}),
      });
    }
    rig.publish(1);
    rig.time.advance(SECOND);
    const kept = range(0, COUNT).filter((i) => ![0, 10, 99].includes(i));
    expect(rig.messages.map(({ topic }) => topic)).toEqual(kept.map((i) => `c/${i}`));
    const acks = rig.broker.packets.filter(({ type }) => type === "puback");
    expect(acks).toHaveLength(qos === 1 ? kept.length : 0);
    expect(rig.probe.of("acked")).toEqual([0]);
  });

  it("makes up for dropped QoS 1 publishes with the next connection, in order and flagged", () => {
    const rig = new DeviceRig().online();
    rig.inject("link.drop-publish", { direction: "up", positions: [1, 3] });
    for (let i = 0; i < 5; i += 1) rig.publish();
    rig.time.advance(SECOND);
    expect(rig.connection.outstanding).toBe(2);
    rig.inject("link.reset");
    rig.time.advance(2 * SECOND);
    expect(rig.broker.publishes.slice(3)).toMatchObject([
      { topic: "d/1", dup: true, packetId: 2 },
      { topic: "d/3", dup: true, packetId: 4 },
    ]);
    expect(rig.connection.outstanding).toBe(0);
  });

  it("drops the same publishes for the same seed and others for another", () => {
    const arrived = (seed: number): string[] => {
      const rig = new DeviceRig({ seed }).online();
      rig.inject("link.drop-publish", { probability: "20%" });
      for (let i = 0; i < COUNT; i += 1) rig.publish(0);
      rig.time.advance(0);
      return rig.broker.publishes.map(({ topic }) => topic);
    };
    expect(arrived(1)).toEqual(arrived(1));
    expect(arrived(1)).not.toEqual(arrived(2));
    expect(arrived(1).length).toBeGreaterThan(65);
    expect(arrived(1).length).toBeLessThan(95);
  });

  it("lets everything pass again once it is switched off", () => {
    const rig = new DeviceRig().online();
    rig.inject("link.drop-publish");
    rig.publish(0);
    rig.heal("link.drop-publish");
    rig.publish(0);
    rig.time.advance(0);
    expect(rig.broker.publishes.map(({ topic }) => topic)).toEqual(["d/1"]);
    expect(rig.faults.isActive).toBe(false);
  });
});
