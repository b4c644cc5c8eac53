import {
  encodeAll,
  encodePacket,
  FramedPublish,
  type Packet,
  PacketDecoder,
  type ProtocolVersion,
  type PublishPacket,
} from "fleetrig/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromServer } from "./packet-arbitraries.js";

/** Packets as a server would have read them from one chunk. */
function received(sent: readonly Packet[], version: ProtocolVersion): PublishPacket[] {
  const decoder = new PacketDecoder({ role: "client", version, maxPacketBytes: 10_000_000 });
  const connack = encodePacket({ type: "connack", sessionPresent: false, reasonCode: 0 }, version);
  const seen: PublishPacket[] = [];
  const chunk = Buffer.concat([connack, ...sent.map((packet) => encodePacket(packet, version))]);
  decoder.push(chunk, (packet) => {
    if (packet.type === "publish") seen.push(packet);
  });
  return seen;
}

const written = (sent: readonly Packet[], version: ProtocolVersion): string => {
  const expected = Buffer.concat(sent.map((packet) => encodePacket(packet, version)));
  const buffer = Buffer.alloc(expected.length);
  encodeAll(sent, version, buffer);
  expect(buffer.toString("hex")).toBe(expected.toString("hex"));
  return buffer.toString("hex");
};

const publish = (topic: string, fields: Partial<PublishPacket> = {}): PublishPacket => ({
  type: "publish",
  topic,
  payload: Uint8Array.from(Buffer.from("21.5")),
  qos: 0,
  retain: false,
  dup: false,
  ...fields,
});

describe("PublishFrame", () => {
  it("writes received packets as they came, in any selection and order", () => {
    const came = received([publish("a"), publish("b"), publish("c"), publish("d", { retain: true })], 4);
    written(came, 4);
    written([came[2]!, came[0]!, came[1]!], 4);
    written([came[0]!, came[2]!, { type: "pingresp" }, came[3]!], 4);
  });

  it("writes its own flags and packet identifier for every receiver", () => {
    const [came] = received([publish("a", { qos: 1, packetId: 7, dup: true })], 4);
    const frame = FramedPublish.frameOf(came!);
    for (const packetId of [1, 258, 65_535]) {
      const copy = new FramedPublish({ ...came!, dup: false }, frame);
      copy.packetId = packetId;
      written([copy], 4);
    }
  });

  it("is not used for a packet that was derived from the received one and says something else", () => {
    const [came] = received([publish("a", { userProperties: [["k", "v"]], messageExpiryS: 9 })], 5);
    const frame = FramedPublish.frameOf(came!);
    for (const change of [
      { topic: "b" },
      { payload: Buffer.from("22") },
      { qos: 1, packetId: 3 },
      { userProperties: [["k", "w"]] },
      { messageExpiryS: 8 },
      { topicAlias: 2 },
      { subscriptionIds: [4] },
      { contentType: "text/plain" },
      { payloadFormat: 1 },
      { responseTopic: "r" },
      { correlationData: Buffer.from("c") },
    ] as const) {
      const derived = Object.assign(new FramedPublish(came!, frame), { ...came!, ...change });
      written([derived], 5);
      written([derived], 4);
    }
  });

  it("survives copying and comparing as what it is: not part of the packet", () => {
    const [came] = received([publish("a")], 4);
    expect(came).toEqual(publish("a"));
    expect(FramedPublish.frameOf({ ...came! })).toBeUndefined();
  });

  for (const version of [4, 5] as const)
    it(`changes nothing about what encoding yields, MQTT ${version}`, () => {
      fc.assert(
        fc.property(fc.array(fromServer(version), { size: "max", maxLength: 12 }), (sent) => {
          const came = received(
            sent.filter(({ type }) => type === "publish"),
            version,
          );
          written(came, version);
          written([...came].reverse(), version);
        }),
      );
    });
});
