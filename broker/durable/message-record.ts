import { type Clock, US_PER_MS } from "fleetrig/kernel";
import type { MessageProperties, QoS, UserProperty, Will } from "fleetrig/protocol";
import { ApplicationMessage, type MessageFields } from "../message.js";
import type { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";

/** Messages and wills as records: topic, payload and the properties of MQTT 5 that are handed on. */

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const QOS_MASK = 0b11;
export const MESSAGE_FLAG = { retain: 4, will: 8, properties: 16, publisher: 32 } as const;
export const MESSAGE_PROPERTY = {
  expiry: 1,
  format: 2,
  contentType: 4,
  responseTopic: 8,
  correlation: 16,
  user: 32,
} as const;

/** Monotonic time begins with the process; what is stored is wall-clock time, in ms since 1970. */
const wallMsAt = (clock: Clock, atUs: number): number => clock.wallMs() - (clock.nowUs() - atUs) / US_PER_MS;

/** A wall clock that was set back must not make messages younger than new ones. */
const monotonicUsAt = (clock: Clock, wallMs: number): number =>
  clock.nowUs() - Math.round(Math.max(0, clock.wallMs() - wallMs) * US_PER_MS);

export function writeMessage(writer: RecordWriter, message: ApplicationMessage, clock: Clock): void {
  const { qos, retain, isWill, publisher, properties } = message;
  const present = propertiesIn(properties);
  let flags: number = qos;
  if (retain) flags |= MESSAGE_FLAG.retain;
  if (isWill) flags |= MESSAGE_FLAG.will;
  if (present !== 0) flags |= MESSAGE_FLAG.properties;
  if (publisher !== undefined) flags |= MESSAGE_FLAG.publisher;
  writer.u8(flags);
  writer.text(message.topic);
  writer.f64(wallMsAt(clock, message.receivedAtUs));
  if (publisher !== undefined) writer.text(publisher);
  if (present !== 0) writeProperties(writer, properties, present);
  writer.binary(message.payload);
}

export function readMessage(reader: RecordReader, clock: Clock): ApplicationMessage {
  const flags = reader.u8();
  const topic = reader.text();
  const receivedAtUs = monotonicUsAt(clock, reader.f64());
  const publisher = flags & MESSAGE_FLAG.publisher ? reader.text() : undefined;
  const properties = flags & MESSAGE_FLAG.properties ? readProperties(reader) : {};
  const fields: MessageFields = {
    topic,
    payload: reader.binary(),
    qos: qosOf(flags, reader),
    retain: (flags & MESSAGE_FLAG.retain) !== 0,
    isWill: (flags & MESSAGE_FLAG.will) !== 0,
    ...properties,
  };
  return new ApplicationMessage(fields, publisher, receivedAtUs);
}

export function writeWill(writer: RecordWriter, will: Will): void {
  const present = propertiesIn(will);
  writer.u8(
    will.qos | (will.retain ? MESSAGE_FLAG.retain : 0) | (present === 0 ? 0 : MESSAGE_FLAG.properties),
  );
  writer.text(will.topic);
  writer.varint(will.delayS ?? 0);
  if (present !== 0) writeProperties(writer, will, present);
  writer.binary(will.payload);
}

export function readWill(reader: RecordReader): Will {
  const flags = reader.u8();
  const topic = reader.text();
  const delayS = reader.varint();
  const properties = flags & MESSAGE_FLAG.properties ? readProperties(reader) : {};
  const payload = reader.binary();
  return {
    topic,
    payload,
    qos: qosOf(flags, reader),
    retain: (flags & MESSAGE_FLAG.retain) !== 0,
    delayS,
    ...properties,
  };
}

export function qosOf(flags: number, reader: RecordReader): QoS {
  const qos = flags & QOS_MASK;
  if (qos <= 2) return qos as QoS;
  reader.isSound = false;
  return 0;
}

function propertiesIn(properties: MessageProperties): number {
  let present = 0;
  if (properties.messageExpiryS !== undefined) present |= MESSAGE_PROPERTY.expiry;
  if (properties.payloadFormat !== undefined) present |= MESSAGE_PROPERTY.format;
  if (properties.contentType !== undefined) present |= MESSAGE_PROPERTY.contentType;
  if (properties.responseTopic !== undefined) present |= MESSAGE_PROPERTY.responseTopic;
  if (properties.correlationData !== undefined) present |= MESSAGE_PROPERTY.correlation;
  if (properties.userProperties !== undefined) present |= MESSAGE_PROPERTY.user;
  return present;
}

function writeProperties(writer: RecordWriter, properties: MessageProperties, present: number): void {
  writer.u8(present);
  if (present & MESSAGE_PROPERTY.expiry) writer.varint(properties.messageExpiryS!);
  if (present & MESSAGE_PROPERTY.format) writer.u8(properties.payloadFormat!);
  if (present & MESSAGE_PROPERTY.contentType) writer.text(properties.contentType!);
  if (present & MESSAGE_PROPERTY.responseTopic) writer.text(properties.responseTopic!);
  if (present & MESSAGE_PROPERTY.correlation) writer.binary(properties.correlationData!);
  if (!(present & MESSAGE_PROPERTY.user)) return;
  writer.varint(properties.userProperties!.length);
  for (const [name, value] of properties.userProperties!) {
    writer.text(name);
    writer.text(value);
  }
}

function readProperties(reader: RecordReader): MessageProperties {
  const present = reader.u8();
  const properties: Mutable<MessageProperties> = {};
  if (present & MESSAGE_PROPERTY.expiry) properties.messageExpiryS = reader.varint();
  if (present & MESSAGE_PROPERTY.format) properties.payloadFormat = reader.u8() === 0 ? 0 : 1;
  if (present & MESSAGE_PROPERTY.contentType) properties.contentType = reader.text();
  if (present & MESSAGE_PROPERTY.responseTopic) properties.responseTopic = reader.text();
  if (present & MESSAGE_PROPERTY.correlation) properties.correlationData = reader.binary();
  if (present & MESSAGE_PROPERTY.user) {
    const count = reader.count();
    properties.userProperties = Array.from(
      { length: count },
      (): UserProperty => [reader.text(), reader.text()],
    );
  }
  return properties;
}
