import {
  encodeAll,
  encodePacket,
  type Packet,
  type PublishPacket,
  REASON,
  wireBytes,
} from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

const hex = (packet: Packet, version: 4 | 5): string => encodePacket(packet, version).toString("hex");

const publish = (topic: string, payload: Uint8Array = new Uint8Array(0)): PublishPacket => ({
  type: "publish",
  topic,
  payload,
  qos: 0,
  retain: false,
  dup: false,
});

describe("encodePacket, MQTT 3.1.1", () => {
  it("translates reason codes of CONNACK to return codes (3.1.1 §3.2.2.3)", () => {
    const codes = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87, REASON.banned, REASON.unspecifiedError].map(
      (reasonCode) => hex({ type: "connack", sessionPresent: false, reasonCode }, 4),
    );
    expect(codes.map((bytes) => Number(bytes.slice(-2)))).toEqual([0, 1, 2, 3, 4, 5, 5, 3]);
  });

  it("writes every failure of SUBACK as 0x80 (3.1.1 §3.9.3)", () => {
    const suback: Packet = { type: "suback", packetId: 1, reasonCodes: [0, 1, 2, 0x80, 0x87, 0x9e] };
    expect(hex(suback, 4)).toBe("90080001000102808080");
    expect(hex(suback, 5)).toBe("900900010000010280879e");
  });

  it("drops properties, reasons of acknowledgements and options of subscriptions", () => {
    const userProperties = [["k", "v"]] as const;
    const packets: readonly Packet[] = [
      { type: "puback", packetId: 1, reasonCode: 0x10, reasonString: "no one", userProperties },
      { type: "disconnect", reasonCode: 0x8e, reasonString: "taken over" },
      { type: "unsuback", packetId: 1, reasonCodes: [0, 0x11] },
      { type: "unsubscribe", packetId: 1, filters: ["a"], userProperties },
      {
        type: "subscribe",
        packetId: 1,
        subscriptions: [{ filter: "a", qos: 1, noLocal: true, retainHandling: 2 }],
        subscriptionId: 5,
      },
      {
        type: "publish",
        topic: "a",
        payload: Uint8Array.of(1),
        qos: 0,
        retain: false,
        dup: false,
        topicAlias: 1,
      },
    ];
    expect(packets.map((packet) => hex(packet, 4))).toEqual([
      "40020001",
      "e000",
      "b0020001",
      "a2050001000161",
      "8206000100016101",
      "300400016101",
    ]);
  });
});

describe("encodePacket", () => {
  it("never says that a session is present when it refuses [MQTT-3.2.2-6]", () => {
    expect(hex({ type: "connack", sessionPresent: true, reasonCode: 0x87 }, 5)).toBe("2003008700");
    expect(hex({ type: "connack", sessionPresent: true, reasonCode: 0x87 }, 4)).toBe("20020005");
  });

  it("leaves out what says nothing (§3.4.2.1, §3.14.2.1, §3.15.2.1)", () => {
    expect(hex({ type: "puback", packetId: 1, reasonCode: 0 }, 5)).toBe("40020001");
    expect(hex({ type: "puback", packetId: 1, reasonCode: 0x10 }, 5)).toBe("4003000110");
    expect(hex({ type: "puback", packetId: 1, reasonCode: 0, reasonString: "a" }, 5)).toBe(
      "4008000100041f000161",
    );
    expect(hex({ type: "disconnect", reasonCode: 0 }, 5)).toBe("e000");
    expect(hex({ type: "disconnect", reasonCode: 0x8b }, 5)).toBe("e0018b");
    expect(hex({ type: "auth", reasonCode: 0 }, 5)).toBe("f000");
    expect(hex({ type: "auth", reasonCode: 0x18 }, 5)).toBe("f0021800");
  });

  it("takes the format of a CONNECT from the CONNECT, also for levels to come", () => {
    const connect = { type: "connect", clientId: "", cleanStart: true, keepAliveS: 0 } as const;
    expect(hex({ ...connect, protocolVersion: 3 }, 5)).toBe("100e00064d5149736470030200000000");
    expect(hex({ ...connect, protocolVersion: 5 }, 4)).toBe("100d00044d51545405020000000000");
    expect(hex({ ...connect, protocolVersion: 6 }, 4)).toBe("100d00044d51545406020000000000");
  });

  it("uses one to four bytes for the remaining length", () => {
    for (const [bytes, header] of [
      [124, 2],
      [125, 3],
      [16_380, 3],
      [16_381, 4],
      [2_097_148, 4],
      [2_097_149, 5],
    ] as const) {
      const packet = publish("a", new Uint8Array(bytes));
      expect(wireBytes(packet, 4)).toBe(bytes + 3 + header);
      expect(encodePacket(packet, 4)).toHaveLength(bytes + 3 + header);
    }
  });

  it("writes user properties in their order, alone and among others (§3.3.2.3.7)", () => {
    const tagged = {
      ...publish("a"),
      userProperties: [
        ["k", "v"],
        ["k", "é"],
      ],
    } as const;
    expect(hex(tagged, 5)).toBe("30130001610f2600016b0001762600016b0002c3a9");
    expect(wireBytes(tagged, 5)).toBe(21);
    expect(wireBytes({ ...tagged, messageExpiryS: 1 }, 5)).toBe(26);
    expect(hex({ ...tagged, messageExpiryS: 1 }, 5)).toContain("02000000012600016b000176");
  });

  it("writes a lone surrogate as the replacement character, so that its size is known", () => {
    expect(hex(publish("a\ud800"), 4)).toBe("3006000461efbfbd");
    expect(wireBytes(publish("a\ud800"), 4)).toBe(8);
  });

  it("writes packets one after the other into one buffer", () => {
    const buffer = Buffer.alloc(6);
    encodeAll([{ type: "puback", packetId: 258, reasonCode: 0 }, { type: "pingresp" }], 4, buffer);
    expect(buffer.toString("hex")).toBe("40020102d000");
  });

  it.each([
    ["a topic over 65,535 bytes", publish("a".repeat(65_536)), 4, "PROTOCOL_FIELD_TOO_LONG"],
    ["text that is too long only in UTF-8", publish("é".repeat(32_768)), 5, "PROTOCOL_FIELD_TOO_LONG"],
    ["AUTH in 3.1.1", { type: "auth", reasonCode: 0 }, 4, "PROTOCOL_PACKET_UNKNOWN"],
    [
      "a payload that MQTT cannot carry",
      publish("a", { length: 268_435_455 } as Uint8Array),
      4,
      "PROTOCOL_PACKET_TOO_LONG",
    ],
  ] as const)("refuses %s", (_, packet, version, code) => {
    expect(() => wireBytes(packet, version)).toThrow(code);
    expect(() => encodePacket(packet, version)).toThrow(code);
  });
});
