import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { encodePacket, type Packet, PacketDecoder, type ProtocolVersion } from "fleetrig/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { connack, fromServer } from "../../protocol/packet-arbitraries.js";
import { build, NativeProgram } from "./native.js";

const RUNS = 300;
/** Mutated bytes for each of the readers. */
const FUZZED_BYTES = Number(process.env["FLEETRIG_FIRMWARE_FUZZ_BYTES"] ?? 1_000_000);

const TYPES = { connack: 2, publish: 3, puback: 4, suback: 9, unsuback: 11, pingresp: 13, disconnect: 14 };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The members of a packet that the firmware looks at. */
function seen(packet: Packet): Record<string, unknown> {
  const fields = packet as unknown as Record<string, never>;
  const { topic = "", payload = [], reasonCodes = [], reasonCode = 0 } = fields;
  return {
    type: TYPES[packet.type as keyof typeof TYPES],
    reason: reasonCode,
    packetId: fields["packetId"] ?? 0,
    sessionPresent: Number(fields["sessionPresent"] ?? false),
    sessionExpiryS: packet.type === "connack" ? (fields["sessionExpiryS"] ?? -1) : -1,
    serverKeepAliveS: fields["serverKeepAliveS"] ?? -1,
    receiveMaximum: fields["receiveMaximum"] ?? 0,
    maximumPacketBytes: fields["maximumPacketBytes"] ?? 0,
    assignedClientId: hex(Buffer.from(fields["assignedClientId"] ?? "")),
    topic: hex(Buffer.from(topic)),
    payload: hex(Buffer.from(payload)),
    flags: packet.type === "publish" ? (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0) : 0,
    reasons: hex(Buffer.from(reasonCodes)),
  };
}

describe.skipIf(lacksCompiler)("the firmware's codecs", () => {
  let codec: NativeProgram;
  beforeEach(() => {
    codec = new NativeProgram(build("codec"));
  });

  describe.each([4, 5] as const)("reading MQTT %i", (version) => {
    it("agrees with our codec on CONNACK", () => {
      fc.assert(
        fc.property(connack(version), (packet) => {
          expect(JSON.parse(codec.ask(`D${version}${hex(encodePacket(packet, version))}`))).toEqual(
            seen(packet),
          );
        }),
        { numRuns: RUNS },
      );
    });

    it("agrees with our codec on all that follows, and refuses what a QoS 1 client without aliases may not get [MQTT-3.3.2-9]", () => {
      fc.assert(
        fc.property(fromServer(version), (packet) => {
          const answer = codec.ask(`D${version}${hex(encodePacket(packet, version))}`);
          if (isForUs(packet, version)) expect(JSON.parse(answer)).toEqual(seen(packet));
          else expect(answer).toBe("no");
        }),
        { numRuns: 2 * RUNS },
      );
    });
  });

  it("reads what it can and refuses what our decoder refuses, whatever is done to a packet", () => {
    const mutation = fc.record({ at: fc.nat(), to: fc.nat(255) });
    fc.assert(
      fc.property(fromServer(5), fc.array(mutation, { maxLength: 3 }), (packet, mutations) => {
        const bytes = Buffer.from(encodePacket(packet, 5));
        for (const { at, to } of mutations) bytes[at % bytes.length] = to;
        fc.pre(packet.type === "publish");
        if (codec.ask(`D5${hex(bytes)}`) === "no") return;
        expect(decode(bytes, 5, "client")).toHaveLength(1);
      }),
      { numRuns: RUNS },
    );
  });

  describe.each([4, 5] as const)("writing MQTT %i", (version) => {
    const topic = fc
      .string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" })
      .map((text) => text.replace(/[+#]/g, "-"));
    const text = fc.string({ maxLength: 300, unit: "grapheme" }).filter((value) => !value.includes("\0"));
    const u16 = fc.integer({ min: 1, max: 65_535 });

    it("sends publishes that our decoder reads back", () => {
      const message = fc.record({
        topic,
        payload: text,
        qos: fc.constantFrom(0, 1),
        retain: fc.boolean(),
        packetId: u16,
        tag: topic,
      });
      fc.assert(
        fc.property(message, (fields) => {
          const dup = fields.qos === 1 && fields.retain;
          const bytes = ask(codec, { type: "publish", version, dup, key: "fleetrig", ...fields });
          expect(decode(bytes, version)).toMatchObject([
            {
              type: "publish",
              topic: fields.topic,
              qos: fields.qos,
              retain: fields.retain,
              dup,
              ...(fields.qos === 1 && { packetId: fields.packetId }),
              ...(version === 5 && { userProperties: [["fleetrig", fields.tag]] }),
            },
          ]);
          const [read] = decode(bytes, version) as unknown as [{ readonly payload: Uint8Array }];
          expect(Buffer.from(read.payload).toString()).toBe(fields.payload);
        }),
        { numRuns: RUNS },
      );
    });

    it("connects with will, user and properties", () => {
      const will = fc.record({
        topic,
        payload: text,
        qos: fc.constantFrom(0, 1),
        retain: fc.boolean(),
        delayS: fc.nat(1000),
      });
      const connect = fc.record(
        {
          clientId: topic,
          cleanStart: fc.boolean(),
          keepAliveS: fc.nat(65_535),
          sessionExpiryS: fc.nat(4_294_967_295),
          receiveMaximum: u16,
          maximumPacketBytes: fc.integer({ min: 1, max: 4_294_967_295 }),
          will,
          username: text,
          password: text,
        },
        { requiredKeys: ["clientId", "cleanStart", "keepAliveS", "receiveMaximum"] },
      );
      fc.assert(
        fc.property(connect, (fields) => {
          const { password, ...usable } =
            fields.username === undefined ? { ...fields, password: undefined } : fields;
          const asked = { ...usable, ...(password !== undefined && { password }) };
          const [packet] = decode(ask(codec, { type: "connect", version, ...asked }), version);
          expect(packet).toMatchObject({
            type: "connect",
            clientId: fields.clientId,
            keepAliveS: fields.keepAliveS,
          });
          const read = packet as unknown as Record<string, never>;
          expect(read["cleanStart"]).toBe(fields.cleanStart);
          if (version === 5) expect(read["sessionExpiryS"] ?? 0).toBe(fields.sessionExpiryS ?? 0);
          if (version === 5) expect(read["maximumPacketBytes"]).toBe(fields.maximumPacketBytes);
          if (fields.will !== undefined) {
            const { topic: name, qos, retain, delayS } = fields.will;
            expect(read["will"]).toMatchObject({ topic: name, qos, retain });
            const read5 = read["will"] as unknown as { readonly delayS?: number };
            if (version === 5) expect(read5.delayS ?? 0).toBe(delayS);
          }
          expect(read["username"]).toBe(fields.username);
        }),
        { numRuns: RUNS },
      );
    });

    it("subscribes, acknowledges, pings and leaves", () => {
      const [subscribe] = decode(
        ask(codec, { type: "subscribe", version, packetId: 7, filters: ["a/+", "b/#"] }),
        version,
      );
      expect(subscribe).toMatchObject({ type: "subscribe", packetId: 7 });
      expect(
        (subscribe as { subscriptions: readonly { filter: string; qos: number }[] }).subscriptions,
      ).toMatchObject([
        { filter: "a/+", qos: 1 },
        { filter: "b/#", qos: 1 },
      ]);
      expect(decode(ask(codec, { type: "puback", version, packetId: 300 }), version)).toMatchObject([
        { type: "puback", packetId: 300 },
      ]);
      expect(decode(ask(codec, { type: "pingreq", version }), version)).toMatchObject([{ type: "pingreq" }]);
      expect(decode(ask(codec, { type: "disconnect", version }), version)).toMatchObject([
        { type: "disconnect" },
      ]);
    });
  });

  it("never writes a packet that does not fit, at any size of the buffer", () => {
    const packet = {
      type: "publish",
      version: 5,
      topic: "a/b",
      payload: "hello",
      qos: 1,
      packetId: 9,
      key: "k",
      tag: "t",
    };
    const whole = ask(codec, packet).length;
    for (let capacity = 1; capacity < whole; capacity += 1)
      expect(codec.ask(`E${JSON.stringify({ ...packet, capacity })}`)).toBe("no");
    /* The header is made where the longest one has room, so a few bytes more are needed on the way. */
    expect(codec.ask(`E${JSON.stringify({ ...packet, capacity: whole + 3 })}`)).not.toBe("no");
  });

  it("reads JSON as JSON.parse does, and writes it back", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("\\u0000") && !/\\ud[89a-f]/i.test(text));
        expect(JSON.parse(codec.ask(`J${text}`))).toEqual(JSON.parse(text));
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    "",
    "{",
    "[1,]",
    '{"a"}',
    '{"a":}',
    "01",
    "1.",
    "-",
    "+1",
    "nul",
    '"\\x"',
    '"\t"',
    "[1 2]",
    "{}x",
    "{1:2}",
    ".5",
    "1e",
    '"\\u12g4"',
  ])("refuses %j", (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(codec.ask(`J${text}`)).toBe("no");
  });

  it("stops at 32 levels", () => {
    expect(codec.ask(`J${"[".repeat(32)}${"]".repeat(32)}`)).toBe(`${"[".repeat(32)}${"]".repeat(32)}`);
    expect(codec.ask(`J${"[".repeat(33)}${"]".repeat(33)}`)).toBe("no");
  });

  it("decodes escapes and lone surrogates", () => {
    expect(JSON.parse(codec.ask('J"\\ud83d\\ude00\\u00e9\\/\\n"'))).toBe("😀é/\n");
    expect(JSON.parse(codec.ask('J"\\ud83d"'))).toBe("\ufffd");
  });

  it(`survives ${FUZZED_BYTES.toLocaleString("en")} mutated bytes under the sanitizers`, () => {
    const said = execFileSync(build("codec"), ["fuzz", `${FUZZED_BYTES}`, "7"], { encoding: "utf8" });
    expect(Number.parseInt(said, 10)).toBeGreaterThan(100);
  });
});

function ask(codec: NativeProgram, packet: object): Buffer {
  return Buffer.from(codec.ask(`E${JSON.stringify(packet)}`), "hex");
}

function decode(bytes: Uint8Array, version: ProtocolVersion, role: "client" | "server" = "server"): Packet[] {
  const packets: Packet[] = [];
  const decoder = new PacketDecoder({ role, maxPacketBytes: 100_000, version });
  const collect = (packet: Packet): unknown => packets.push(packet);
  const isConnect = bytes[0] === 0x10;
  if (!isConnect)
    decoder.push(
      role === "server" ? encodePacket({ ...CONNECT, protocolVersion: version }, version) : CONNACK,
      collect,
      undefined,
    );
  decoder.push(bytes, collect, undefined);
  return isConnect ? packets : packets.slice(1);
}

const CONNECT = { type: "connect", clientId: "c", cleanStart: true, keepAliveS: 0 } as const;
const CONNACK = encodePacket({ type: "connack", sessionPresent: false, reasonCode: 0 }, 5);

/** A client of QoS 1 that has allowed no aliases. */
function isForUs(packet: Packet, version: ProtocolVersion): boolean {
  if (packet.type === "publish") return packet.topicAlias === undefined && !/[+#]/.test(packet.topic);
  if (packet.type === "disconnect") return version === 5;
  return Object.hasOwn(TYPES, packet.type);
}
