import { createRequire } from "node:module";
import { encodePacket, type Packet, PacketDecoder, type ProtocolVersion } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

/** An independent codec, the one inside the `mqtt` client, must agree with ours in both directions. */
interface OtherCodec {
  generate(packet: object, options: { protocolVersion: number }): Buffer;
  parser(options: { protocolVersion: number }): {
    on(event: "packet", listener: (packet: object) => void): void;
    parse(bytes: Buffer): void;
  };
}

const require = createRequire(import.meta.url);
const other = createRequire(require.resolve("mqtt"))("mqtt-packet") as OtherCodec;

type Row = readonly [what: string, version: ProtocolVersion, ours: Packet, theirs: object];

const payload = Uint8Array.of(1, 2, 3);
const PUBLISH = {
  type: "publish",
  topic: "dt/ä",
  payload,
  qos: 1,
  packetId: 513,
  retain: true,
  dup: true,
} as const;
const THEIR_PUBLISH = {
  cmd: "publish",
  topic: "dt/ä",
  payload: Buffer.from(payload),
  qos: 1,
  messageId: 513,
  retain: true,
  dup: true,
};
const USER = [["k", "v"]] as const;

const CONNECT_ROWS: readonly Row[] = [
  [
    "CONNECT of 3.1.1 with everything",
    4,
    {
      type: "connect",
      protocolVersion: 4,
      clientId: "thing-1",
      cleanStart: false,
      keepAliveS: 1_200,
      username: "u",
      password: payload,
      will: { topic: "w", payload, qos: 2, retain: true },
    },
    {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clientId: "thing-1",
      clean: false,
      keepalive: 1_200,
      username: "u",
      password: Buffer.from(payload),
      will: { topic: "w", payload: Buffer.from(payload), qos: 2, retain: true },
    },
  ],
  [
    "CONNECT of 3.1",
    4,
    { type: "connect", protocolVersion: 3, clientId: "a", cleanStart: true, keepAliveS: 0 },
    { cmd: "connect", protocolId: "MQIsdp", protocolVersion: 3, clientId: "a", clean: true, keepalive: 0 },
  ],
  [
    "CONNECT of MQTT 5 with everything",
    5,
    {
      type: "connect",
      protocolVersion: 5,
      clientId: "",
      cleanStart: true,
      keepAliveS: 60,
      sessionExpiryS: 4_294_967_295,
      receiveMaximum: 10,
      maximumPacketBytes: 131_072,
      topicAliasMaximum: 8,
      requestResponseInformation: true,
      requestProblemInformation: false,
      authenticationMethod: "m",
      authenticationData: payload,
      userProperties: USER,
      will: { topic: "w", payload, qos: 1, retain: false, delayS: 30, messageExpiryS: 9, payloadFormat: 1 },
    },
    {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clientId: "",
      clean: true,
      keepalive: 60,
      properties: {
        sessionExpiryInterval: 4_294_967_295,
        receiveMaximum: 10,
        maximumPacketSize: 131_072,
        topicAliasMaximum: 8,
        requestResponseInformation: true,
        requestProblemInformation: false,
        authenticationMethod: "m",
        authenticationData: Buffer.from(payload),
        userProperties: { k: "v" },
      },
      will: {
        topic: "w",
        payload: Buffer.from(payload),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 30, messageExpiryInterval: 9, payloadFormatIndicator: true },
      },
    },
  ],
];

const CLIENT_ROWS: readonly Row[] = [
  ["PUBLISH", 4, PUBLISH, THEIR_PUBLISH],
  [
    "PUBLISH with properties",
    5,
    {
      ...PUBLISH,
      payloadFormat: 1,
      messageExpiryS: 65_536,
      topicAlias: 3,
      responseTopic: "r",
      correlationData: payload,
      contentType: "t",
      userProperties: USER,
    },
    {
      ...THEIR_PUBLISH,
      properties: {
        payloadFormatIndicator: true,
        messageExpiryInterval: 65_536,
        topicAlias: 3,
        responseTopic: "r",
        correlationData: Buffer.from(payload),
        contentType: "t",
        userProperties: { k: "v" },
      },
    },
  ],
  ["PUBACK", 4, { type: "puback", packetId: 7, reasonCode: 0 }, { cmd: "puback", messageId: 7 }],
  [
    "PUBREC with a reason",
    5,
    { type: "pubrec", packetId: 7, reasonCode: 0x97, reasonString: "full" },
    { cmd: "pubrec", messageId: 7, reasonCode: 0x97, properties: { reasonString: "full" } },
  ],
  ["PUBREL", 4, { type: "pubrel", packetId: 7, reasonCode: 0 }, { cmd: "pubrel", messageId: 7 }],
  ["PUBCOMP", 4, { type: "pubcomp", packetId: 7, reasonCode: 0 }, { cmd: "pubcomp", messageId: 7 }],
  [
    "SUBSCRIBE",
    4,
    { type: "subscribe", packetId: 9, subscriptions: [{ filter: "a/#", qos: 1 }] },
    { cmd: "subscribe", messageId: 9, subscriptions: [{ topic: "a/#", qos: 1 }] },
  ],
  [
    "SUBSCRIBE with options",
    5,
    {
      type: "subscribe",
      packetId: 9,
      subscriptionId: 300,
      subscriptions: [{ filter: "a/+", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
    },
    {
      cmd: "subscribe",
      messageId: 9,
      properties: { subscriptionIdentifier: 300 },
      subscriptions: [{ topic: "a/+", qos: 2, nl: true, rap: true, rh: 2 }],
    },
  ],
  [
    "UNSUBSCRIBE",
    4,
    { type: "unsubscribe", packetId: 9, filters: ["a", "b"] },
    { cmd: "unsubscribe", messageId: 9, unsubscriptions: ["a", "b"] },
  ],
  ["PINGREQ", 4, { type: "pingreq" }, { cmd: "pingreq" }],
  ["DISCONNECT", 4, { type: "disconnect", reasonCode: 0 }, { cmd: "disconnect" }],
  [
    "DISCONNECT with a session expiry",
    5,
    { type: "disconnect", reasonCode: 4, sessionExpiryS: 0 },
    { cmd: "disconnect", reasonCode: 4, properties: { sessionExpiryInterval: 0 } },
  ],
  [
    "AUTH",
    5,
    { type: "auth", reasonCode: 0x18, authenticationMethod: "m", authenticationData: payload },
    {
      cmd: "auth",
      reasonCode: 0x18,
      properties: { authenticationMethod: "m", authenticationData: Buffer.from(payload) },
    },
  ],
];

const SERVER_ROWS: readonly Row[] = [
  [
    "PUBLISH with subscription identifiers",
    5,
    { ...PUBLISH, subscriptionIds: [1, 300] },
    { ...THEIR_PUBLISH, properties: { subscriptionIdentifier: [1, 300] } },
  ],
  [
    "SUBACK",
    4,
    { type: "suback", packetId: 9, reasonCodes: [0, 1, 2, 0x80] },
    { cmd: "suback", messageId: 9, granted: [0, 1, 2, 0x80] },
  ],
  [
    "SUBACK with a reason",
    5,
    { type: "suback", packetId: 9, reasonCodes: [1, 0x87], reasonString: "no" },
    { cmd: "suback", messageId: 9, granted: [1, 0x87], properties: { reasonString: "no" } },
  ],
  ["UNSUBACK", 4, { type: "unsuback", packetId: 9, reasonCodes: [] }, { cmd: "unsuback", messageId: 9 }],
  [
    "UNSUBACK with reasons",
    5,
    { type: "unsuback", packetId: 9, reasonCodes: [0, 0x11] },
    { cmd: "unsuback", messageId: 9, granted: [0, 0x11] },
  ],
  ["PINGRESP", 4, { type: "pingresp" }, { cmd: "pingresp" }],
  [
    "DISCONNECT with a server reference",
    5,
    { type: "disconnect", reasonCode: 0x9d, serverReference: "b" },
    { cmd: "disconnect", reasonCode: 0x9d, properties: { serverReference: "b" } },
  ],
];

const CONNACK_ROWS: readonly Row[] = [
  [
    "CONNACK",
    4,
    { type: "connack", sessionPresent: true, reasonCode: 0 },
    { cmd: "connack", sessionPresent: true, returnCode: 0 },
  ],
  [
    "CONNACK with everything",
    5,
    {
      type: "connack",
      sessionPresent: false,
      reasonCode: 0,
      sessionExpiryS: 3_600,
      receiveMaximum: 100,
      maximumQos: 1,
      retainAvailable: true,
      maximumPacketBytes: 149_504,
      assignedClientId: "x",
      topicAliasMaximum: 8,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: true,
      serverKeepAliveS: 1_200,
      responseInformation: "i",
      serverReference: "s",
      userProperties: USER,
    },
    {
      cmd: "connack",
      sessionPresent: false,
      reasonCode: 0,
      properties: {
        sessionExpiryInterval: 3_600,
        receiveMaximum: 100,
        maximumQoS: 1,
        retainAvailable: true,
        maximumPacketSize: 149_504,
        assignedClientIdentifier: "x",
        topicAliasMaximum: 8,
        wildcardSubscriptionAvailable: true,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: true,
        serverKeepAlive: 1_200,
        responseInformation: "i",
        serverReference: "s",
        userProperties: { k: "v" },
      },
    },
  ],
];

const OPENING = {
  server: (version: ProtocolVersion) =>
    encodePacket(
      { type: "connect", protocolVersion: version, clientId: "a", cleanStart: true, keepAliveS: 0 },
      version,
    ),
  client: (version: ProtocolVersion) =>
    encodePacket({ type: "connack", sessionPresent: false, reasonCode: 0 }, version),
};

function decodeAs(role: "server" | "client", version: ProtocolVersion, chunks: readonly Buffer[]): unknown {
  const decoder = new PacketDecoder({ role, version, maxPacketBytes: 100_000 });
  let last: Packet | undefined;
  for (const chunk of chunks)
    expect(
      decoder.push(chunk, (packet) => {
        last = packet;
      }),
    ).toBeUndefined();
  return last;
}

function parseWithOther(bytes: Buffer, version: ProtocolVersion): object {
  const parser = other.parser({ protocolVersion: version });
  let parsed: object = {};
  parser.on("packet", (packet) => {
    parsed = packet;
  });
  parser.parse(bytes);
  return parsed;
}

function agrees([, version, ours, theirs]: Row, role: "server" | "client"): void {
  const opening = ours.type === "connect" || ours.type === "connack" ? [] : [OPENING[role](version)];
  const ourBytes = encodePacket(ours, version);
  const theirBytes = other.generate(theirs, { protocolVersion: version });
  expect(parseWithOther(ourBytes, version)).toMatchObject(theirs);
  expect(decodeAs(role, version, [...opening, theirBytes])).toEqual(ours);
  if (version === 4) expect(ourBytes.toString("hex")).toBe(theirBytes.toString("hex"));
}

describe("codec beside mqtt-packet", () => {
  it.each([...CONNECT_ROWS, ...CLIENT_ROWS])("agrees on %s from a client, version %i", (...row) => {
    agrees(row, "server");
  });

  it.each([...CONNACK_ROWS, ...SERVER_ROWS])("agrees on %s from a server, version %i", (...row) => {
    agrees(row, "client");
  });
});
