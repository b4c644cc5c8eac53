import { MqttBroker } from "fleetrig/broker";
import { LANE, Random, silentSink, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { encodeBytes, parsePattern } from "./byte-pattern.js";
import { MemoryStage } from "./memory-stage.js";
import type { Wire } from "./player.js";

const bytes = (source: string): Buffer => encodeBytes(parsePattern(source));

function connected(stage: MemoryStage, clientId: string): Wire {
  const wire = stage.dial();
  wire.send(bytes(`10 {'MQTT' 05 02 0000 {} '${clientId}'}`));
  wire.inbox.length = 0;
  return wire;
}

/** The packet identifier of a PUBLISH to the topic `t`. */
const identifierOf = (packet: Buffer): number => packet.readUInt16BE(5);

describe("packet identifiers of the server", () => {
  it.each([1, 2])("go around after 65,535 messages of QoS %i without 0 and without those in use", (qos) => {
    const time = new VirtualTime();
    const broker = new MqttBroker({
      clock: time.lane(LANE.broker),
      random: Random.seeded("identifiers"),
      events: silentSink,
      profile: "oasis",
    });
    const stage = new MemoryStage(broker, time);
    const subscriber = connected(stage, "s");
    subscriber.send(bytes(`82 {0001 {} 't' 0${qos}}`));
    subscriber.inbox.length = 0;
    const publisher = connected(stage, "p");
    const publish = bytes(`32 {'t' 0001 {} \`x\`}`);
    const publishTwice = bytes("34 {'t' 0001 {} `x`} 62 {0001}");
    const seen = new Uint32Array(65_536);
    const held: number[] = [];
    for (let count = 0; count < 70_000; count += 1) {
      publisher.send(qos === 1 ? publish : publishTwice);
      publisher.inbox.length = 0;
      const identifier = identifierOf(subscriber.inbox.shift()!);
      if (held.includes(identifier) || identifier === 0) expect.fail(`${identifier} was in use`);
      seen[identifier]! += 1;
      if (count % 10_000 === 0) {
        held.push(identifier);
        continue;
      }
      const [high, low] = [identifier >> 8, identifier & 255];
      if (qos === 1) subscriber.send(Buffer.from([0x40, 2, high, low]));
      else subscriber.send(Buffer.from([0x50, 2, high, low, 0x70, 2, high, low]));
      subscriber.inbox.length = 0;
    }
    expect(held).toHaveLength(7);
    expect(seen.filter((times) => times === 0)).toHaveLength(1);
  });
});
