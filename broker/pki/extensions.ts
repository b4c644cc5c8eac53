import { type AlternativeNames, NO_ALTERNATIVE_NAMES, readAlternativeNames } from "./alternative-names.js";
import type { DerReader } from "./der-reader.js";
import { contextTag, TAG } from "./der-writer.js";
import { EXTENSION } from "./object-identifiers.js";
import type { Refuse } from "./refusal.js";

/** What the extensions of a certificate say, or those a request asks for [RFC 5280 §4.2]. */
export interface ExtensionFacts {
  readonly isCa: boolean;
  /** Undefined when keys may be used for everything. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly subjectAlternativeNames: AlternativeNames;
  readonly issuerAlternativeNames: AlternativeNames;
  /** Lower-case hex. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
}

/** In the order of their bits. */
const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

const MAX_EXTENSIONS = 100;

export const NO_EXTENSIONS: ExtensionFacts = {
  isCa: false,
  keyUsage: undefined,
  subjectAlternativeNames: NO_ALTERNATIVE_NAMES,
  issuerAlternativeNames: NO_ALTERNATIVE_NAMES,
  subjectKeyId: undefined,
  authorityKeyId: undefined,
};

/** Reads the sequence of extensions; those of no interest here are passed over, critical ones too. */
export function readExtensions(extensions: DerReader, refuse: Refuse): ExtensionFacts {
  const values = new Map<string, Uint8Array>();
  while (!extensions.isAtEnd) {
    const extension = extensions.into(TAG.sequence);
    const identifier = extension.objectIdentifier();
    if (extension.nextTag === TAG.boolean) extension.boolean();
    const value = extension.next(TAG.octetString).content;
    extension.end();
    // Two of a kind would let two readers see two certificates.
    if (values.has(identifier)) return refuse("an extension appears twice");
    values.set(identifier, value);
    if (values.size > MAX_EXTENSIONS) return refuse(`it has more than ${MAX_EXTENSIONS} extensions`);
  }
  const read = <T, D>(identifier: string, reading: (value: DerReader) => T, otherwise: D): T | D => {
    const value = values.get(identifier);
    return value === undefined ? otherwise : reading(extensions.of(value));
  };
  const names = (value: DerReader): AlternativeNames => readAlternativeNames(value, refuse);
  return {
    isCa: read(EXTENSION.basicConstraints, readIsCa, false),
    keyUsage: read(EXTENSION.keyUsage, (value) => readKeyUsage(value, refuse), undefined),
    subjectAlternativeNames: read(EXTENSION.subjectAlternativeName, names, NO_ALTERNATIVE_NAMES),
    issuerAlternativeNames: read(EXTENSION.issuerAlternativeName, names, NO_ALTERNATIVE_NAMES),
    subjectKeyId: read(
      EXTENSION.subjectKeyId,
      (value) => hex(value.next(TAG.octetString).content),
      undefined,
    ),
    authorityKeyId: read(EXTENSION.authorityKeyId, readAuthorityKeyId, undefined),
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function readIsCa(value: DerReader): boolean {
  const constraints = value.into(TAG.sequence);
  value.end();
  return constraints.nextTag === TAG.boolean && constraints.boolean();
}

function readKeyUsage(value: DerReader, refuse: Refuse): ReadonlySet<KeyUsage> {
  const [unused = 0, ...bytes] = value.next(TAG.bitString).content;
  if (unused > 7 || bytes.length > 2) return refuse("its key usage is broken");
  return new Set(KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}

function readAuthorityKeyId(value: DerReader): string | undefined {
  const identifier = value.into(TAG.sequence).optional(contextTag(0));
  return identifier && hex(identifier.content);
}
