import type { PacketReader } from "./packet-reader.js";
import type { MessageProperties } from "./packets.js";
import { type PropertyCarrier, propertyById, type PropertySpec } from "./property-table.js";
import { hasWildcard } from "./topics.js";

function readNumber(reader: PacketReader, spec: PropertySpec): number {
  switch (spec.wireType) {
    case "u16":
      return reader.u16();
    case "u32":
      return reader.u32();
    case "varint":
      return reader.varint();
    default:
      return reader.u8();
  }
}

function readValue(reader: PacketReader, spec: PropertySpec): unknown {
  switch (spec.wireType) {
    case "utf8":
      return reader.text();
    case "binary":
      return reader.binary();
    case "pair":
      return [reader.recurringText(), reader.text()];
    default: {
      const value = readNumber(reader, spec);
      if (value < spec.min || value > spec.max)
        reader.fail(spec.outOfRange, `The property ${spec.field} cannot be ${value}`, "2.2.2.2");
      return spec.wireType === "flag" ? value === 1 : value;
    }
  }
}

/**
 * Reads a property section (§2.2.2) into the fields of `target`. The field names come from our table, never
 * from the wire; a property that is already there was sent twice.
 */
export function readProperties(reader: PacketReader, carrier: PropertyCarrier, target: object): void {
  const length = reader.varint();
  if (length === 0) return;
  const outerEnd = reader.end;
  if (length > outerEnd - reader.at)
    return reader.malformed("The property length exceeds the packet", "MQTT-2.2.2-1");
  const fields = target as Record<string, unknown>;
  reader.end = reader.at + length;
  while (reader.at < reader.end) {
    const id = reader.varint();
    const spec = propertyById(carrier, id);
    if (spec === undefined) {
      reader.malformed(`Property ${id} does not belong into ${carrier.toUpperCase()}`, "2.2.2.2");
      break;
    }
    const value = readValue(reader, spec);
    const known = fields[spec.field];
    if (spec.repeatable) {
      if (known === undefined) fields[spec.field] = [value];
      else (known as unknown[]).push(value);
    } else if (known === undefined) fields[spec.field] = value;
    else reader.violation(`The property ${spec.field} occurs twice`, "2.2.2.2");
  }
  if (reader.failure === undefined) reader.end = outerEnd;
}

/** A message asks for its answer on one topic, not on many. */
export function checkResponseTopic(reader: PacketReader, { responseTopic }: MessageProperties): void {
  if (responseTopic !== undefined && hasWildcard(responseTopic))
    reader.violation("A response topic has wildcards", "MQTT-3.3.2-14");
}
