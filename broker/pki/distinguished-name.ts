import type { DerReader } from "./der-reader.js";
import { element, objectIdentifier, sequence, setOf, TAG, utf8String } from "./der-writer.js";
import {
  ATTRIBUTE_BY_IDENTIFIER,
  NAME_ATTRIBUTES,
  type NameAttribute,
  SHORT_NAMES,
} from "./object-identifiers.js";
import { type Refuse, refuseName } from "./refusal.js";

/** A subject or issuer. */
export interface DistinguishedName {
  /**
   * Values by the names of AWS's policy variables, in their order: `attributes.OrganizationalUnit?.[0]`. Values are
   * data: they may hold any character, NUL and line breaks included.
   */
  readonly attributes: Readonly<Partial<Record<NameAttribute, readonly string[]>>>;
  /** RFC 4514, the last first, for people: `CN=sensor-1,OU=Plant\, East,C=DE`. Never to be taken apart. */
  readonly text: string;
  /** The bytes in the certificate. */
  readonly der: Uint8Array;
}

/** A name to be made; a list gives several values, and the order of keys is that of the certificate. */
export type NameFields = Readonly<Partial<Record<NameAttribute, string | readonly string[]>>>;

/** RFC 5280 gives 64 to a common name; client ids of 128 are common in fleets, and TLS libraries do not count. */
const MAX_VALUE_LENGTH = 256;
const MAX_VALUES = 64;

export function writeName(fields: NameFields): Buffer {
  const sets: Buffer[] = [];
  for (const [name, values] of Object.entries(fields)) {
    if (!Object.hasOwn(NAME_ATTRIBUTES, name)) return refuseName(`names have no attribute "${name}"`);
    for (const value of typeof values === "string" ? [values] : values)
      sets.push(setOf(attribute(name as NameAttribute, value)));
  }
  if (sets.length > MAX_VALUES) return refuseName(`a name has more than ${MAX_VALUES} values`);
  return sequence(...sets);
}

/** These are printable strings by definition [RFC 5280 appendix A.1]. */
const PRINTABLE: ReadonlySet<NameAttribute> = new Set([
  "Country",
  "SerialNumber",
  "DistinguishedNameQualifier",
]);
const PRINTABLE_TEXT = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

function attribute(name: NameAttribute, value: string): Buffer {
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    return refuseName(`${name} needs 1 to ${MAX_VALUE_LENGTH} characters and has ${value.length}`);
  const isPrintable = PRINTABLE.has(name) && PRINTABLE_TEXT.test(value);
  const text = isPrintable ? element(TAG.printableString, Buffer.from(value, "latin1")) : utf8String(value);
  return sequence(objectIdentifier(NAME_ATTRIBUTES[name]), text);
}

export function readName(reader: DerReader, refuse: Refuse): DistinguishedName {
  const der = reader.next(TAG.sequence).bytes;
  return nameOf(der, reader.of(der).into(TAG.sequence), refuse);
}

function nameOf(der: Uint8Array, sets: DerReader, refuse: Refuse): DistinguishedName {
  const attributes: Partial<Record<NameAttribute, string[]>> = {};
  const texts: string[] = [];
  while (!sets.isAtEnd) {
    const set = sets.into(TAG.set);
    if (set.isAtEnd) return refuse("a name has an empty part");
    const parts: string[] = [];
    while (!set.isAtEnd) {
      const pair = set.into(TAG.sequence);
      const identifier = pair.objectIdentifier();
      const { tag, content, bytes } = pair.next();
      pair.end();
      const value = directoryText(tag, content, refuse);
      const name = ATTRIBUTE_BY_IDENTIFIER.get(identifier);
      if (name !== undefined && value !== undefined) (attributes[name] ??= []).push(value);
      const shown = value === undefined ? `#${Buffer.from(bytes).toString("hex")}` : escaped(value);
      parts.push(`${SHORT_NAMES.get(identifier) ?? identifier}=${shown}`);
    }
    texts.push(parts.join("+"));
  }
  return { attributes, text: texts.reverse().join(","), der };
}

/** The characters RFC 4514 §2.4 escapes, and control characters, which would break a log line. */
const escaped = (value: string): string =>
  value
    .replaceAll(/[\\"+,;<>]|^[ #]| $/g, "\\$&")
    .replaceAll(/\p{Cc}/gu, (control) => `\\${control.charCodeAt(0).toString(16).padStart(2, "0")}`);

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of one of X.520's string types; undefined for another type, which is no text. */
function directoryText(tag: number, content: Uint8Array, refuse: Refuse): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return utf8Text(content, refuse);
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.numericString:
    case TAG.visibleString:
    case TAG.t61String:
      return Buffer.from(content).toString("latin1");
    case TAG.bmpString:
      return wideText(content, 2, refuse);
    case TAG.universalString:
      return wideText(content, 4, refuse);
    default:
      return undefined;
  }
}

function utf8Text(content: Uint8Array, refuse: Refuse): string {
  try {
    return strictUtf8.decode(content);
  } catch {
    return refuse("a name is no UTF-8");
  }
}

/** Big-endian code units of 2 or 4 bytes. */
function wideText(content: Uint8Array, width: 2 | 4, refuse: Refuse): string {
  if (content.length % width !== 0) return refuse("a wide string is cut off");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let text = "";
  for (let at = 0; at < content.length; at += width) {
    const code = width === 2 ? view.getUint16(at) : view.getUint32(at);
    if (code > 0x10_ffff) return refuse("a wide string has a character that does not exist");
    text += width === 2 ? String.fromCharCode(code) : String.fromCodePoint(code);
  }
  return text;
}
