/**
 * Reads the ClientHello that a TLS connection begins with [RFC 8446 §4.1.2, RFC 5246 §7.4.1.2]: what the device offers is known
 * before any library has judged it. Bounded and total: whatever the bytes, it answers.
 */
export interface ClientHello {
  /** Highest first, as the device says them: `TLS 1.3`. */
  readonly versions: readonly string[];
  /** Numbers of IANA's registry, in the device's order, without GREASE. */
  readonly cipherSuites: readonly number[];
  readonly serverName?: string;
  readonly applicationProtocols: readonly string[];
  /** Bytes, when the device asks for smaller records [RFC 6066 §4]. */
  readonly maxFragmentLength?: number;
  /** [RFC 8449] */
  readonly recordSizeLimit?: number;
}

export type ClientHelloReading =
  | { readonly kind: "more" }
  | { readonly kind: "hello"; readonly hello: ClientHello }
  | { readonly kind: "unreadable"; readonly reason: string };

const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** A longer hello is no device's. */
const HELLO_BYTES_MAX = 16_384;
const RANDOM_BYTES = 32;
const MAX_FRAGMENT_CODES = 4;

const EXTENSION = {
  serverName: 0,
  maxFragmentLength: 1,
  applicationProtocols: 16,
  recordSizeLimit: 28,
  supportedVersions: 43,
} as const;

const VERSION_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0300, "SSL 3.0"],
  [0x0301, "TLS 1.0"],
  [0x0302, "TLS 1.1"],
  [0x0303, "TLS 1.2"],
  [0x0304, "TLS 1.3"],
]);

const unreadable = (reason: string): ClientHelloReading => ({ kind: "unreadable", reason });

/** @param bytes All that came so far. */
export function readClientHello(bytes: Uint8Array): ClientHelloReading {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Buffer[] = [];
  let collected = 0;
  let wanted = 4;
  for (let at = 0; collected < wanted; ) {
    if (input.length >= at + 1 && input[at] !== HANDSHAKE)
      return unreadable("it does not begin with a TLS handshake");
    if (input.length < at + RECORD_HEADER) return { kind: "more" };
    const length = input.readUInt16BE(at + 3);
    if (length === 0 || length > HELLO_BYTES_MAX) return unreadable("a record has an impossible length");
    const piece = input.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    pieces.push(piece);
    collected += piece.length;
    if (wanted === 4 && collected >= 4) {
      const head = Buffer.concat(pieces);
      if (head[0] !== CLIENT_HELLO) return unreadable("the first message is no ClientHello");
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > HELLO_BYTES_MAX) return unreadable("the ClientHello is too long");
    }
    if (collected < wanted && piece.length < length) return { kind: "more" };
    at += RECORD_HEADER + length;
  }
  return parseHello(Buffer.concat(pieces).subarray(4, wanted));
}

/** Reads forward; once something is missing everything after it is, too. */
class Cursor {
  isShort = false;
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  number(size: 1 | 2): number {
    if (this.at + size > this.bytes.length) return this.lack();
    const value = this.bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }

  take(length: number): Buffer {
    const piece = this.bytes.subarray(this.at, this.at + length);
    if (piece.length < length) this.lack();
    this.at += length;
    return piece;
  }

  vector(size: 1 | 2): Cursor {
    return new Cursor(this.take(this.number(size)));
  }

  private lack(): number {
    this.isShort = true;
    this.at = this.bytes.length;
    return 0;
  }
}

function parseHello(body: Buffer): ClientHelloReading {
  const cursor = new Cursor(body);
  const legacyVersion = cursor.number(2);
  cursor.take(RANDOM_BYTES);
  cursor.vector(1);
  const cipherSuites = numbers(cursor.vector(2)).filter((suite) => !isGrease(suite));
  cursor.vector(1);
  if (cursor.isShort) return unreadable("the ClientHello is cut short");
  const hello: Mutable<ClientHello> = {
    versions: [versionName(legacyVersion)],
    cipherSuites,
    applicationProtocols: [],
  };
  if (!cursor.isAtEnd) {
    const extensions = cursor.vector(2);
    while (!extensions.isAtEnd && !extensions.isShort) {
      const type = extensions.number(2);
      readExtension(type, extensions.vector(2), hello);
    }
    if (extensions.isShort || cursor.isShort) return unreadable("an extension is cut short");
  }
  return { kind: "hello", hello };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function readExtension(type: number, body: Cursor, hello: Mutable<ClientHello>): void {
  switch (type) {
    case EXTENSION.serverName: {
      const names = body.vector(2);
      if (names.number(1) === 0) hello.serverName = text(names.take(names.number(2)));
      return;
    }
    case EXTENSION.maxFragmentLength: {
      const code = body.number(1);
      if (code >= 1 && code <= MAX_FRAGMENT_CODES) hello.maxFragmentLength = 2 ** (8 + code);
      return;
    }
    case EXTENSION.recordSizeLimit:
      hello.recordSizeLimit = body.number(2);
      return;
    case EXTENSION.applicationProtocols: {
      const list = body.vector(2);
      const protocols: string[] = [];
      while (!list.isAtEnd && protocols.length < 32) protocols.push(text(list.take(list.number(1))));
      hello.applicationProtocols = protocols;
      return;
    }
    case EXTENSION.supportedVersions:
      hello.versions = numbers(body.vector(1))
        .filter((version) => !isGrease(version))
        .map(versionName);
      return;
    default:
  }
}

function numbers(list: Cursor): number[] {
  const values: number[] = [];
  while (!list.isAtEnd) values.push(list.number(2));
  return values;
}

/** Reserved values that say nothing [RFC 8701]. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);

const versionName = (version: number): string =>
  VERSION_NAMES.get(version) ?? `0x${version.toString(16).padStart(4, "0")}`;

const text = (bytes: Buffer): string => bytes.subarray(0, 255).toString("latin1");
