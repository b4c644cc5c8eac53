import { createHash } from "node:crypto";
import { type AlternativeNameFields, writeAlternativeNames } from "./alternative-names.js";
import {
  bitString,
  boolean,
  contextTag,
  element,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from "./der-writer.js";
import { EXTENSION, PURPOSE } from "./object-identifiers.js";

/** What a certificate is for decides its extensions. */
export type CertificatePurpose = "authority" | "device" | "server";

/** Signs as the issuer of a certificate does. */
export interface Signer {
  /** AlgorithmIdentifier in DER. */
  readonly algorithm: Uint8Array;
  readonly sign: (signed: Uint8Array) => Uint8Array;
  /** Name of the issuer in DER. */
  readonly name: Uint8Array;
  readonly keyId: Uint8Array;
}

export interface CertificateContent {
  readonly serial: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyDer: Uint8Array;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly purpose: CertificatePurpose;
  readonly alternativeNames?: AlternativeNameFields;
}

const VERSION_3 = explicit(0, integer(Buffer.of(2)));
const KEY_ID_BYTES = 20;

/** The identifier of a key in certificates; any short digest will do [RFC 5280 §4.2.1.2]. */
export const keyIdOf = (publicKeyDer: Uint8Array): Buffer =>
  createHash("sha256").update(publicKeyDer).digest().subarray(0, KEY_ID_BYTES);

const extension = (identifier: string, value: Uint8Array, isCritical = false): Buffer =>
  isCritical
    ? sequence(objectIdentifier(identifier), boolean(true), octetString(value))
    : sequence(objectIdentifier(identifier), octetString(value));

const basicConstraints = (isCa: boolean): Buffer =>
  extension(EXTENSION.basicConstraints, isCa ? sequence(boolean(true)) : sequence(), true);

const keyUsage = (bits: number, unusedBits: number): Buffer =>
  extension(EXTENSION.keyUsage, bitString(Buffer.of(bits), unusedBits), true);

/** Devices have what AWS gives them: basic constraints and digital signature, no extended usage. */
const PURPOSE_EXTENSIONS: Readonly<Record<CertificatePurpose, readonly Buffer[]>> = {
  // keyCertSign and cRLSign.
  authority: [basicConstraints(true), keyUsage(0b0000_0110, 1)],
  device: [basicConstraints(false), keyUsage(0b1000_0000, 7)],
  // digitalSignature and, for RSA key exchange, keyEncipherment.
  server: [
    basicConstraints(false),
    keyUsage(0b1010_0000, 5),
    extension(EXTENSION.extendedKeyUsage, sequence(objectIdentifier(PURPOSE.serverAuth))),
  ],
};

/** The DER of a signed certificate, version 3 [RFC 5280 §4.1]. */
export function writeCertificate(content: CertificateContent, signer: Signer): Buffer {
  const { names = [], addresses = [] } = content.alternativeNames ?? {};
  const alternativeNames =
    names.length + addresses.length === 0
      ? []
      : [extension(EXTENSION.subjectAlternativeName, writeAlternativeNames({ names, addresses }))];
  const extensions = sequence(
    extension(EXTENSION.authorityKeyId, sequence(element(contextTag(0), signer.keyId))),
    extension(EXTENSION.subjectKeyId, octetString(keyIdOf(content.publicKeyDer))),
    ...PURPOSE_EXTENSIONS[content.purpose],
    ...alternativeNames,
  );
  const signed = sequence(
    VERSION_3,
    integer(content.serial),
    signer.algorithm,
    signer.name,
    sequence(time(content.validFromMs), time(content.validToMs)),
    content.subject,
    content.publicKeyDer,
    explicit(3, extensions),
  );
  return sequence(signed, signer.algorithm, bitString(signer.sign(signed)));
}
