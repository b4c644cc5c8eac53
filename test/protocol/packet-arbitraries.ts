import fc from "fast-check";
import type { Packet, ProtocolVersion, QoS } from "fleetrig/protocol";

/** Arbitrary packets that the wire can express exactly: what comes back must equal what went in. */
const text = (maxLength: number) =>
  fc
    .oneof(
      fc.string({ maxLength, unit: "grapheme-ascii" }),
      fc.string({ maxLength, unit: "binary" }),
      fc.constantFrom("\ufeffbom", "é".repeat(70), "a".repeat(200)),
    )
    .filter((value) => !value.includes("\u0000"));
const nonEmpty = (maxLength: number) => text(maxLength).filter((value) => value.length > 0);
const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 100, maxLength: 300 }));
const u16 = fc.integer({ min: 0, max: 65_535 });
const positiveU16 = fc.integer({ min: 1, max: 65_535 });
const u32 = fc.integer({ min: 0, max: 4_294_967_295 });
const positiveU32 = fc.integer({ min: 1, max: 4_294_967_295 });
const qos = fc.constantFrom<QoS>(0, 1, 2);
const bit = fc.constantFrom<0 | 1>(0, 1);
const userProperties = fc.array(fc.tuple(text(12), text(12)), { minLength: 1, maxLength: 4 });
const subscriptionId = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(16_383, 16_384, 2_097_152, 268_435_455),
);

const MESSAGE = {
  messageExpiryS: u32,
  payloadFormat: bit,
  contentType: text(12),
  responseTopic: text(12).map((topic) => topic.replace(/[+#]/g, "-")),
  correlationData: bytes,
  userProperties,
};
const REASONED = { reasonString: text(20), userProperties };
const AUTHENTICATION = { authenticationMethod: text(10), authenticationData: bytes };

type Arbitraries = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** A packet with its fixed fields and, in MQTT 5 only, any subset of its properties. */
function shaped(
  version: ProtocolVersion,
  fields: Arbitraries,
  properties: Arbitraries,
): fc.Arbitrary<Packet> {
  const fixed = fc.record(fields);
  if (version === 4) return fixed as fc.Arbitrary<unknown> as fc.Arbitrary<Packet>;
  const both = fc.tuple(fixed, fc.record(properties, { requiredKeys: [] }));
  return both.map(([a, b]) => ({ ...b, ...a }) as unknown as Packet);
}

const will = (version: ProtocolVersion) =>
  fc
    .tuple(
      fc.record({ topic: nonEmpty(20), payload: bytes, qos, retain: fc.boolean() }),
      version === 5 ? fc.record({ ...MESSAGE, delayS: u32 }, { requiredKeys: [] }) : fc.constant({}),
    )
    .map(([fixed, properties]) => ({ ...properties, ...fixed }));

export function connect(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const packet = shaped(
    version,
    {
      type: fc.constant("connect"),
      protocolVersion: version === 5 ? fc.constant(5) : fc.constantFrom(3, 4),
      clientId: text(23),
      cleanStart: fc.boolean(),
      keepAliveS: u16,
    },
    {
      sessionExpiryS: u32,
      receiveMaximum: positiveU16,
      maximumPacketBytes: positiveU32,
      topicAliasMaximum: u16,
      requestResponseInformation: fc.boolean(),
      requestProblemInformation: fc.boolean(),
      authenticationMethod: text(10),
      userProperties,
    },
  );
  const credentials = fc.oneof(
    fc.constant({}),
    fc.record({ username: text(12) }),
    fc.record({ username: text(12), password: bytes }),
    version === 5 ? fc.record({ password: bytes }) : fc.constant({}),
  );
  const lastWill = fc.option(will(version), { nil: undefined });
  return fc.tuple(packet, credentials, lastWill).map(
    ([base, login, message]): Packet => ({
      ...base,
      ...login,
      ...(message === undefined ? {} : { will: message }),
    }),
  );
}

const acknowledge = (
  version: ProtocolVersion,
  type: "puback" | "pubrec" | "pubrel" | "pubcomp",
  codes: readonly number[],
) =>
  shaped(
    version,
    {
      type: fc.constant(type),
      packetId: positiveU16,
      reasonCode: version === 5 ? fc.constantFrom(...codes) : fc.constant(0),
    },
    REASONED,
  );

function publish(version: ProtocolVersion, properties: Arbitraries): fc.Arbitrary<Packet> {
  const fields = { topic: nonEmpty(30), payload: bytes, retain: fc.boolean() };
  const type = fc.constant("publish");
  return fc.oneof(
    shaped(version, { type, ...fields, qos: fc.constant(0), dup: fc.constant(false) }, properties),
    shaped(
      version,
      { type, ...fields, qos: fc.constantFrom(1, 2), dup: fc.boolean(), packetId: positiveU16 },
      properties,
    ),
  );
}

function subscription(version: ProtocolVersion): fc.Arbitrary<unknown> {
  const filter = nonEmpty(30).filter((value) => !value.startsWith("$share/"));
  if (version === 4) return fc.record({ filter, qos });
  return fc.record({
    filter,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(0, 1, 2),
  });
}

const anyAcknowledge = (version: ProtocolVersion): fc.Arbitrary<Packet>[] => [
  acknowledge(version, "puback", [0, 0x10, 0x80, 0x87, 0x97]),
  acknowledge(version, "pubrec", [0, 0x10, 0x83, 0x91]),
  acknowledge(version, "pubrel", [0, 0x92]),
  acknowledge(version, "pubcomp", [0, 0x92]),
];

const authentication = shaped(
  5,
  { type: fc.constant("auth"), reasonCode: fc.constantFrom(0, 0x18, 0x19) },
  { ...AUTHENTICATION, ...REASONED },
);

const disconnect = (version: ProtocolVersion, codes: readonly number[], properties: Arbitraries) =>
  shaped(
    version,
    {
      type: fc.constant("disconnect"),
      reasonCode: version === 5 ? fc.constantFrom(...codes) : fc.constant(0),
    },
    properties,
  );

/** Anything a client sends after CONNECT. */
export const fromClient = (version: ProtocolVersion): fc.Arbitrary<Packet> =>
  fc.oneof(
    publish(version, { ...MESSAGE, topicAlias: positiveU16 }),
    ...anyAcknowledge(version),
    shaped(
      version,
      {
        type: fc.constant("subscribe"),
        packetId: positiveU16,
        subscriptions: fc.array(subscription(version), { minLength: 1, maxLength: 5 }),
      },
      { subscriptionId, userProperties },
    ),
    shaped(
      version,
      {
        type: fc.constant("unsubscribe"),
        packetId: positiveU16,
        filters: fc.array(nonEmpty(20), { minLength: 1, maxLength: 5 }),
      },
      { userProperties },
    ),
    fc.constant<Packet>({ type: "pingreq" }),
    disconnect(version, [0, 4, 0x81, 0x93], { ...REASONED, sessionExpiryS: u32 }),
    ...(version === 5 ? [authentication] : []),
  );

export const connack = (version: ProtocolVersion): fc.Arbitrary<Packet> =>
  shaped(
    version,
    { type: fc.constant("connack"), sessionPresent: fc.boolean(), reasonCode: fc.constant(0) },
    {
      ...REASONED,
      ...AUTHENTICATION,
      sessionExpiryS: u32,
      receiveMaximum: positiveU16,
      maximumQos: bit,
      retainAvailable: fc.boolean(),
      maximumPacketBytes: positiveU32,
      assignedClientId: text(23),
      topicAliasMaximum: u16,
      wildcardSubscriptionAvailable: fc.boolean(),
      subscriptionIdentifiersAvailable: fc.boolean(),
      sharedSubscriptionAvailable: fc.boolean(),
      serverKeepAliveS: u16,
      responseInformation: text(10),
      serverReference: text(10),
    },
  );

/** Anything a server sends after CONNACK. */
export const fromServer = (version: ProtocolVersion): fc.Arbitrary<Packet> => {
  const granted = version === 5 ? [0, 1, 2, 0x80, 0x87, 0x9e] : [0, 1, 2, 0x80];
  return fc.oneof(
    publish(version, {
      ...MESSAGE,
      topicAlias: positiveU16,
      subscriptionIds: fc.array(subscriptionId, { minLength: 1, maxLength: 3 }),
    }),
    ...anyAcknowledge(version),
    shaped(
      version,
      {
        type: fc.constant("suback"),
        packetId: positiveU16,
        reasonCodes: fc.array(fc.constantFrom(...granted), { minLength: 1, maxLength: 5 }),
      },
      REASONED,
    ),
    shaped(
      version,
      {
        type: fc.constant("unsuback"),
        packetId: positiveU16,
        reasonCodes:
          version === 5
            ? fc.array(fc.constantFrom(0, 0x11, 0x87), { minLength: 1, maxLength: 5 })
            : fc.constant([]),
      },
      REASONED,
    ),
    fc.constant<Packet>({ type: "pingresp" }),
    ...(version === 5
      ? [disconnect(5, [0, 0x8b, 0x8e, 0x9d], { ...REASONED, serverReference: text(10) }), authentication]
      : []),
  );
};
