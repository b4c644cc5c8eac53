import { isIPv4, isIPv6 } from "node:net";

/**
 * The PROXY protocol's header (HAProxy's specification, versions 1 and 2): what a proxy writes in front of a
 * connection to tell where it really comes from. Sans-I/O: bytes in, verdict out, however they were split.
 */
export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly state: "incomplete" }
  /** It is none, or it is broken. */
  | { readonly state: "malformed"; readonly detail: string }
  | {
      readonly state: "complete";
      /** What follows is the client's. */
      readonly headerBytes: number;
      /** Undefined where the proxy speaks for itself (`LOCAL`, `UNKNOWN`) or for a Unix socket. */
      readonly source: { readonly address: string; readonly port: number } | undefined;
    };

/** Longest header of version 1, with its line end. */
const V1_MAX_BYTES = 107;
const V1_PREFIX = Buffer.from("PROXY ", "latin1");
const V2_SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
/** Signature, version and command, family, length. */
const V2_FIXED_BYTES = 16;
/** Addresses take 36 bytes; the rest are TLVs (certificates' names and the like), which nobody here believes. */
const V2_MAX_BYTES = 4_096;
const V2_ADDRESS_BYTES: Readonly<Record<number, number>> = { 0x1: 12, 0x2: 36, 0x3: 216 };

const INCOMPLETE = { state: "incomplete" } as const;
const malformed = (detail: string): ProxyHeader => ({ state: "malformed", detail });

/** Reads the header at the beginning of `bytes`. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (startsAlike(buffer, V2_SIGNATURE))
    return buffer.length < V2_FIXED_BYTES ? INCOMPLETE : readVersion2(buffer);
  if (startsAlike(buffer, V1_PREFIX)) return readVersion1(buffer);
  return malformed("the connection does not begin with a PROXY header");
}

/** Equal as far as the shorter of the two goes. */
function startsAlike(buffer: Buffer, prefix: Buffer): boolean {
  const length = Math.min(buffer.length, prefix.length);
  return buffer.subarray(0, length).equals(prefix.subarray(0, length));
}

function readVersion1(buffer: Buffer): ProxyHeader {
  const end = buffer.subarray(0, V1_MAX_BYTES).indexOf("\r\n", 0, "latin1");
  if (end < 0)
    return buffer.length < V1_MAX_BYTES ? INCOMPLETE : malformed("the line is longer than 107 bytes");
  const line = buffer.subarray(0, end).toString("latin1");
  const headerBytes = end + 2;
  const words = line.split(" ");
  if (words[1] === "UNKNOWN") return { state: "complete", headerBytes, source: undefined };
  const [, family = "", address = "", destination = "", port = "", destinationPort = ""] = words;
  const isAddress = V1_FAMILIES[family];
  if (isAddress === undefined || words.length !== 6) return malformed("the line has not its six words");
  if (!isAddress(address) || !isAddress(destination))
    return malformed("an address is not what it says it is");
  if (!isPort(port) || !isPort(destinationPort)) return malformed("a port is no port");
  return { state: "complete", headerBytes, source: { address, port: Number(port) } };
}

const isPort = (text: string): boolean => /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;

const V1_FAMILIES: Readonly<Record<string, (text: string) => boolean>> = Object.assign(Object.create(null), {
  TCP4: isIPv4,
  TCP6: (text: string) => isIPv6(text) && !text.includes("%"),
});

function readVersion2(buffer: Buffer): ProxyHeader {
  const version = buffer[12]! >> 4;
  const command = buffer[12]! & 15;
  const family = buffer[13]! >> 4;
  const kind = buffer[13]! & 15;
  const length = buffer.readUInt16BE(14);
  if (version !== 2 || command > 1) return malformed(`version or command 0x${buffer[12]!.toString(16)}`);
  if (family > 3 || kind > 2) return malformed(`address family 0x${buffer[13]!.toString(16)}`);
  const headerBytes = V2_FIXED_BYTES + length;
  if (headerBytes > V2_MAX_BYTES) return malformed(`the header takes ${headerBytes} bytes`);
  if (command === 1 && length < (V2_ADDRESS_BYTES[family] ?? 0))
    return malformed("the addresses are cut off");
  if (buffer.length < headerBytes) return INCOMPLETE;
  // LOCAL: a health check of the proxy itself.
  const source = command === 0 ? undefined : readSource(buffer, family);
  return { state: "complete", headerBytes, source };
}

function readSource(buffer: Buffer, family: number): { address: string; port: number } | undefined {
  if (family === 1) {
    const address = Array.from(buffer.subarray(16, 20)).join(".");
    return { address, port: buffer.readUInt16BE(24) };
  }
  if (family !== 2) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => buffer.readUInt16BE(16 + 2 * i).toString(16));
  return { address: shortenIPv6(groups), port: buffer.readUInt16BE(48) };
}

/** The way RFC 5952 writes it, so that version 1 and 2 name a client alike. */
function shortenIPv6(groups: readonly string[]): string {
  let [longest, from] = [1, -1];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === "0") end += 1;
    if (end - start > longest) [longest, from] = [end - start, start];
  }
  if (from < 0) return groups.join(":");
  return `${groups.slice(0, from).join(":")}::${groups.slice(from + longest).join(":")}`;
}
