import { isIP } from "node:net";
import type { DerReader } from "./der-reader.js";
import { contextTag, element, sequence, TAG } from "./der-writer.js";
import { readName } from "./distinguished-name.js";
import { type Refuse, refuseName } from "./refusal.js";

/** The kinds AWS's policy variables know (`iot:Certificate.Subject.AlternativeName.<kind>`). */
export type AlternativeNameKind =
  | "RFC822Name"
  | "DNSName"
  | "DirectoryName"
  | "UniformResourceIdentifier"
  | "IPAddress";

/**
 * Alternative names of a subject or issuer by kind, in their order. Directory names are in the text form of RFC 4514;
 * other names, X.400 addresses, EDI parties and registered identifiers are not told.
 */
export type AlternativeNames = Readonly<Record<AlternativeNameKind, readonly string[]>>;

/** Names to be put into a certificate. */
export interface AlternativeNameFields {
  /** DNS names; `*.` in front stands for one label. */
  readonly names?: readonly string[];
  /** IPv4 or IPv6. */
  readonly addresses?: readonly string[];
}

const MAX_NAMES = 1_000;
const KIND_BY_TAG: ReadonlyMap<number, AlternativeNameKind> = new Map([
  [contextTag(1), "RFC822Name"],
  [contextTag(2), "DNSName"],
  [contextTag(4, true), "DirectoryName"],
  [contextTag(6), "UniformResourceIdentifier"],
  [contextTag(7), "IPAddress"],
]);
const UNTOLD: ReadonlySet<number> = new Set([
  contextTag(0, true),
  contextTag(3, true),
  contextTag(5, true),
  contextTag(8),
]);

export const NO_ALTERNATIVE_NAMES: AlternativeNames = {
  RFC822Name: [],
  DNSName: [],
  DirectoryName: [],
  UniformResourceIdentifier: [],
  IPAddress: [],
};

/** Reads GeneralNames [RFC 5280 §4.2.1.6]. */
export function readAlternativeNames(reader: DerReader, refuse: Refuse): AlternativeNames {
  const found: Record<AlternativeNameKind, string[]> = {
    RFC822Name: [],
    DNSName: [],
    DirectoryName: [],
    UniformResourceIdentifier: [],
    IPAddress: [],
  };
  const names = reader.into(TAG.sequence);
  reader.end();
  for (let count = 1; !names.isAtEnd; count += 1) {
    if (count > MAX_NAMES) return refuse(`it has more than ${MAX_NAMES} alternative names`);
    const { tag, content } = names.next();
    const kind = KIND_BY_TAG.get(tag);
    if (kind === undefined && !UNTOLD.has(tag)) return refuse("an alternative name is of no known kind");
    if (kind !== undefined) found[kind].push(nameText(kind, names.of(content), content, refuse));
  }
  return found;
}

function nameText(kind: AlternativeNameKind, reader: DerReader, content: Uint8Array, refuse: Refuse): string {
  if (kind === "IPAddress") return addressText(content, refuse);
  if (kind !== "DirectoryName") return Buffer.from(content).toString("latin1");
  const name = readName(reader, refuse);
  reader.end();
  return name.text;
}

function addressText(bytes: Uint8Array, refuse: Refuse): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return refuse("an address has neither 4 nor 16 bytes");
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[at * 2]! << 8) | bytes[at * 2 + 1]!);
  return shortened(groups);
}

/** The canonical text of an IPv6 address [RFC 5952]: the longest run of zeros, the first of equals, is left out. */
function shortened(groups: readonly number[]): string {
  let [start, length] = [-1, 1];
  for (let at = 0; at < groups.length; at += 1) {
    let end = at;
    while (groups[end] === 0) end += 1;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

const DNS_NAME =
  /^(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

export function writeAlternativeNames({ names = [], addresses = [] }: AlternativeNameFields): Buffer {
  if (names.length + addresses.length > MAX_NAMES) return refuseName(`it has more than ${MAX_NAMES} names`);
  const written = names.map((name) => {
    if (name.length > 253 || !DNS_NAME.test(name)) return refuseName(`"${name}" is no DNS name`);
    return element(contextTag(2), Buffer.from(name, "latin1"));
  });
  return sequence(...written, ...addresses.map((address) => element(contextTag(7), addressBytes(address))));
}

function addressBytes(address: string): Buffer {
  const version = isIP(address);
  if (version === 4) return Buffer.from(address.split(".").map(Number));
  if (version !== 6 || address.includes("%")) return refuseName(`"${address}" is no IP address`);
  const [head = "", tail] = withoutDots(address).split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

const groupsOf = (text: string): number[] =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));

/** `::ffff:127.0.0.1` with its last four bytes as two groups. */
function withoutDots(address: string): string {
  const at = address.lastIndexOf(":") + 1;
  const [a, b, c, d] = address.slice(at).split(".").map(Number);
  if (d === undefined) return address;
  return `${address.slice(0, at)}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d).toString(16)}`;
}
