import type { DecodeReason } from "./decode-failure.js";
import type { Packet } from "./packets.js";
import { REASON } from "./reason-codes.js";

/**
 * The properties of MQTT 5 (§2.2.2.2) as data. Encoder, decoder and sizes all read this one table.
 * A *carrier* is a packet type, or the will inside CONNECT, which has a property section of its own.
 */
type PropertyWireType = "flag" | "byte" | "u16" | "u32" | "varint" | "utf8" | "binary" | "pair";
export type PropertyCarrier = Packet["type"] | "will";

export interface PropertySpec {
  readonly id: number;
  /** The field of our packet objects that holds it. */
  readonly field: string;
  readonly wireType: PropertyWireType;
  readonly carriers: readonly PropertyCarrier[];
  /** May occur more than once; the field is then an array in order of arrival. */
  readonly repeatable: boolean;
  readonly min: number;
  readonly max: number;
  /** What a value outside `min..max` is answered with. */
  readonly outOfRange: DecodeReason;
}

const WIDEST = {
  flag: 1,
  byte: 1,
  u16: 65_535,
  u32: 4_294_967_295,
  varint: 268_435_455,
  utf8: 0,
  binary: 0,
  pair: 0,
} as const satisfies Record<PropertyWireType, number>;

type Row = readonly [
  id: number,
  field: string,
  wireType: PropertyWireType,
  carriers: readonly PropertyCarrier[],
  extra?: Partial<Pick<PropertySpec, "repeatable" | "min" | "outOfRange">>,
];

const WITH_REASON_STRING = [
  "connack",
  "puback",
  "pubrec",
  "pubrel",
  "pubcomp",
  "suback",
  "unsuback",
  "disconnect",
  "auth",
] as const satisfies PropertyCarrier[];

const ROWS: readonly Row[] = [
  [1, "payloadFormat", "byte", ["publish", "will"]],
  [2, "messageExpiryS", "u32", ["publish", "will"]],
  [3, "contentType", "utf8", ["publish", "will"]],
  [8, "responseTopic", "utf8", ["publish", "will"]],
  [9, "correlationData", "binary", ["publish", "will"]],
  [11, "subscriptionIds", "varint", ["publish"], { repeatable: true, min: 1 }],
  [11, "subscriptionId", "varint", ["subscribe"], { min: 1 }],
  [17, "sessionExpiryS", "u32", ["connect", "connack", "disconnect"]],
  [18, "assignedClientId", "utf8", ["connack"]],
  [19, "serverKeepAliveS", "u16", ["connack"]],
  [21, "authenticationMethod", "utf8", ["connect", "connack", "auth"]],
  [22, "authenticationData", "binary", ["connect", "connack", "auth"]],
  [23, "requestProblemInformation", "flag", ["connect"]],
  [24, "delayS", "u32", ["will"]],
  [25, "requestResponseInformation", "flag", ["connect"]],
  [26, "responseInformation", "utf8", ["connack"]],
  [28, "serverReference", "utf8", ["connack", "disconnect"]],
  [31, "reasonString", "utf8", WITH_REASON_STRING],
  [33, "receiveMaximum", "u16", ["connect", "connack"], { min: 1 }],
  [34, "topicAliasMaximum", "u16", ["connect", "connack"]],
  [35, "topicAlias", "u16", ["publish"], { min: 1, outOfRange: REASON.topicAliasInvalid }],
  [36, "maximumQos", "byte", ["connack"]],
  [37, "retainAvailable", "flag", ["connack"]],
  [
    38,
    "userProperties",
    "pair",
    ["connect", "will", "publish", "subscribe", "unsubscribe", ...WITH_REASON_STRING],
    { repeatable: true },
  ],
  [39, "maximumPacketBytes", "u32", ["connect", "connack"], { min: 1 }],
  [40, "wildcardSubscriptionAvailable", "flag", ["connack"]],
  [41, "subscriptionIdentifiersAvailable", "flag", ["connack"]],
  [42, "sharedSubscriptionAvailable", "flag", ["connack"]],
];

const PROPERTY_TABLE: readonly PropertySpec[] = ROWS.map(([id, field, wireType, carriers, extra = {}]) => ({
  id,
  field,
  wireType,
  carriers,
  repeatable: extra.repeatable ?? false,
  min: extra.min ?? 0,
  max: WIDEST[wireType],
  outOfRange: extra.outOfRange ?? REASON.protocolError,
}));

const CARRIERS = [...new Set(PROPERTY_TABLE.flatMap((spec) => spec.carriers))];

const rowsOf = (carrier: PropertyCarrier): readonly PropertySpec[] =>
  PROPERTY_TABLE.filter((spec) => spec.carriers.includes(carrier));

const BY_CARRIER = new Map(CARRIERS.map((carrier) => [carrier, rowsOf(carrier)]));

/** What a carrier may hold, in the order of the identifiers: the order in which we write them. */
export const propertiesOf = (carrier: PropertyCarrier): readonly PropertySpec[] =>
  BY_CARRIER.get(carrier) ?? [];

const BY_ID = new Map(
  CARRIERS.map((carrier) => {
    const byId: (PropertySpec | undefined)[] = Array.from({ length: 43 });
    for (const spec of propertiesOf(carrier)) byId[spec.id] = spec;
    return [carrier, byId];
  }),
);

/** The property with this identifier on this carrier; undefined where it is unknown or misplaced. */
export const propertyById = (carrier: PropertyCarrier, id: number): PropertySpec | undefined =>
  BY_ID.get(carrier)?.[id];
