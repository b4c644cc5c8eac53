import { constants, type KeyObject, verify } from "node:crypto";
import { type AlternativeNames, NO_ALTERNATIVE_NAMES } from "./alternative-names.js";
import { DerReader } from "./der-reader.js";
import { contextTag, TAG } from "./der-writer.js";
import { type DistinguishedName, readName } from "./distinguished-name.js";
import { readExtensions } from "./extensions.js";
import { DIGESTS, EXTENSION, SIGNATURE_ALGORITHMS } from "./object-identifiers.js";
import { readDer, REQUEST_LABELS, writePem } from "./pem.js";
import { importPublicKey, type PublicKeyDescription, readPublicKey } from "./public-key.js";
import { refuseRequest } from "./refusal.js";

const UNSUPPORTED = "its signature algorithm is not supported";
const MGF1 = "1.2.840.113549.1.1.8";
const MAX_SALT_BYTES = 512;

/** A certificate signing request [RFC 2986] whose sender has shown to hold the private key. */
export interface CertificateRequestDescription {
  readonly subject: DistinguishedName;
  readonly keyType: PublicKeyDescription["keyType"];
  readonly keyBits: number;
  readonly curve: string | undefined;
  readonly publicKeyPem: string;
  readonly publicKeyDer: Uint8Array;
  /** Those it asks for. */
  readonly subjectAlternativeNames: AlternativeNames;
  readonly signatureAlgorithm: string;
}

/**
 * Reads a request and verifies its signature, which proves possession of the key.
 * @param csrPem PEM or DER, at most 64 KiB.
 * @throws FleetrigError PKI_CSR_INVALID
 */
export function parseCertificateRequest(csrPem: string | Uint8Array): CertificateRequestDescription {
  const file = new DerReader(readDer(csrPem, REQUEST_LABELS, refuseRequest), refuseRequest);
  const request = file.into(TAG.sequence);
  file.end();
  const signed = request.next(TAG.sequence).bytes;
  const algorithm = request.into(TAG.sequence);
  const signature = request.wholeBits();
  request.end();

  const body = request.of(signed).into(TAG.sequence);
  if (body.smallInteger() !== 0) return refuseRequest("its version is unknown");
  const subject = readName(body, refuseRequest);
  const { keyType, keyBits, curve, publicKeyDer } = readPublicKey(body, refuseRequest);
  const subjectAlternativeNames = readRequestedNames(body);
  body.end();

  const key = importPublicKey(publicKeyDer, refuseRequest);
  const signatureAlgorithm = checkSignature({ algorithm, signed, signature, key });
  const publicKeyPem = writePem("PUBLIC KEY", publicKeyDer);
  return {
    subject,
    keyType,
    keyBits,
    curve,
    publicKeyPem,
    publicKeyDer,
    subjectAlternativeNames,
    signatureAlgorithm,
  };
}

/** Attributes may be left out altogether: old tools do so. */
function readRequestedNames(body: DerReader): AlternativeNames {
  if (body.isAtEnd) return NO_ALTERNATIVE_NAMES;
  const attributes = body.into(contextTag(0, true));
  let names: AlternativeNames | undefined;
  while (!attributes.isAtEnd) {
    const attribute = attributes.into(TAG.sequence);
    const isExtensions = attribute.objectIdentifier() === EXTENSION.request;
    const values = attribute.into(TAG.set);
    attribute.end();
    if (!isExtensions) continue;
    if (names !== undefined) return refuseRequest("it asks for extensions twice");
    names = readExtensions(values.into(TAG.sequence), refuseRequest).subjectAlternativeNames;
    values.end();
  }
  return names ?? NO_ALTERNATIVE_NAMES;
}

interface SignedRequest {
  readonly algorithm: DerReader;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly key: KeyObject;
}

function checkSignature({ algorithm, signed, signature, key }: SignedRequest): string {
  const known = SIGNATURE_ALGORITHMS.get(algorithm.objectIdentifier());
  if (known === undefined) return refuseRequest(UNSUPPORTED);
  const pss = known.digest === undefined ? readPssParameters(algorithm) : undefined;
  if (pss === undefined && !algorithm.isAtEnd && algorithm.next(TAG.null).content.length > 0)
    return refuseRequest(UNSUPPORTED);
  algorithm.end();
  const digest = pss?.digest ?? known.digest ?? null;
  if (!isPossession({ digest, saltLength: pss?.saltLength, signed, signature, key }))
    return refuseRequest("its signature does not belong to its key");
  return known.name;
}

interface Possession extends Omit<SignedRequest, "algorithm"> {
  readonly digest: string | null;
  readonly saltLength: number | undefined;
}

function isPossession({ digest, saltLength, signed, signature, key }: Possession): boolean {
  const padding = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  try {
    return verify(digest, signed, { key, ...padding }, signature);
  } catch {
    // A signature of another kind than the key's.
    return false;
  }
}

/** RSASSA-PSS-params [RFC 4055 §3.1]; what is left out is SHA-1 and 20 bytes of salt. */
function readPssParameters(algorithm: DerReader): { digest: string; saltLength: number } {
  const parameters = algorithm.into(TAG.sequence);
  const digest = optionalDigest(parameters, 0, (hash) => hash);
  const mask = optionalDigest(parameters, 1, (mgf) => {
    if (mgf.objectIdentifier() !== MGF1) return refuseRequest(UNSUPPORTED);
    return mgf.into(TAG.sequence);
  });
  const hasSalt = parameters.nextTag === contextTag(2, true);
  const saltLength = hasSalt ? parameters.into(contextTag(2, true)).smallInteger() : 20;
  parameters.end();
  if (digest !== mask || saltLength > MAX_SALT_BYTES) return refuseRequest(UNSUPPORTED);
  return { digest, saltLength };
}

/** The digest in `[number]`, where `find` says. */
function optionalDigest(parameters: DerReader, number: number, find: (from: DerReader) => DerReader): string {
  if (parameters.nextTag !== contextTag(number, true)) return "sha1";
  const hash = find(parameters.into(contextTag(number, true)).into(TAG.sequence));
  const digest = DIGESTS.get(hash.objectIdentifier());
  if (!hash.isAtEnd) hash.next(TAG.null);
  hash.end();
  return digest ?? refuseRequest(UNSUPPORTED);
}
