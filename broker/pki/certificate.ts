import { type KeyObject, X509Certificate } from "node:crypto";
import type { AlternativeNames } from "./alternative-names.js";
import { DerReader } from "./der-reader.js";
import { contextTag, TAG } from "./der-writer.js";
import { type DistinguishedName, readName } from "./distinguished-name.js";
import { type ExtensionFacts, type KeyUsage, NO_EXTENSIONS, readExtensions } from "./extensions.js";
import { SIGNATURE_ALGORITHMS } from "./object-identifiers.js";
import { CERTIFICATE_LABELS, certificateIdOf, readBundle, readDer, writePem } from "./pem.js";
import { type PublicKeyDescription, readPublicKey } from "./public-key.js";
import { refuseCertificate } from "./refusal.js";

/** What the signed part of a certificate says. */
interface CertificateBody {
  readonly version: 1 | 2 | 3;
  /** Lower-case hex of the number's bytes, two's complement, as DER has them. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKeyDescription;
  readonly extensions: ExtensionFacts;
}

/** An X.509 certificate, read. Whether it is valid now, trusted or fit for a purpose is the caller's question. */
export class CertificateDescription {
  /** AWS: lower-case hex SHA-256 over the DER. */
  readonly certificateId: string;
  readonly version: 1 | 2 | 3;
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly subjectAlternativeNames: AlternativeNames;
  readonly issuerAlternativeNames: AlternativeNames;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly keyType: PublicKeyDescription["keyType"];
  readonly keyBits: number;
  /** OpenSSL's name of the curve of an EC key, e.g. `prime256v1`. */
  readonly curve: string | undefined;
  readonly isCa: boolean;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** As AWS and Java name it, e.g. `SHA256WITHRSA`; the object identifier of one unknown. */
  readonly signatureAlgorithm: string;
  /** Lower-case hex, as the other key identifier. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** SubjectPublicKeyInfo: equal bytes are the same key, whatever the certificate. */
  readonly publicKeyDer: Uint8Array;
  private readonly openssl: X509Certificate;

  constructor(
    readonly der: Uint8Array,
    body: CertificateBody,
    signatureAlgorithm: string,
  ) {
    this.certificateId = certificateIdOf(der);
    this.version = body.version;
    this.serialNumber = body.serialNumber;
    this.subject = body.subject;
    this.issuer = body.issuer;
    this.subjectAlternativeNames = body.extensions.subjectAlternativeNames;
    this.issuerAlternativeNames = body.extensions.issuerAlternativeNames;
    this.validFromMs = body.validFromMs;
    this.validToMs = body.validToMs;
    this.keyType = body.publicKey.keyType;
    this.keyBits = body.publicKey.keyBits;
    this.curve = body.publicKey.curve;
    this.isCa = body.extensions.isCa;
    this.keyUsage = body.extensions.keyUsage;
    this.signatureAlgorithm = signatureAlgorithm;
    this.subjectKeyId = body.extensions.subjectKeyId;
    this.authorityKeyId = body.extensions.authorityKeyId;
    this.publicKeyDer = body.publicKey.publicKeyDer;
    this.openssl = opensslView(der);
    // OpenSSL, which verifies chains, sees no authority where an extension is broken that is not read here.
    const maySign = this.isCa && this.keyUsage?.has("keyCertSign") !== false;
    if (maySign && !this.openssl.ca) refuseCertificate("one of its extensions is broken");
  }

  get certificatePem(): string {
    return writePem("CERTIFICATE", this.der);
  }

  get publicKeyPem(): string {
    return writePem("PUBLIC KEY", this.publicKeyDer);
  }

  /** Subject and issuer are the same name; whether it signed itself is `isSignedBy(itself)`. */
  get isSelfIssued(): boolean {
    return Buffer.compare(this.subject.der, this.issuer.der) === 0;
  }

  /**
   * True when that authority issued this certificate: names and key identifiers agree, its key may sign certificates
   * where it says what for, and the signature is right. Periods and trust are not looked at.
   */
  isSignedBy(authority: CertificateDescription): boolean {
    if (authority.keyUsage?.has("keyCertSign") === false) return false;
    try {
      return this.openssl.checkIssued(authority.openssl) && this.openssl.verify(authority.openssl.publicKey);
    } catch {
      return false;
    }
  }

  /** True when that private key is the other half of its key. */
  belongsTo(privateKey: KeyObject): boolean {
    return this.openssl.checkPrivateKey(privateKey);
  }
}

/** OpenSSL must take it as well, and for the same bytes: devices show it to TLS, which shows what OpenSSL wrote. */
function opensslView(der: Uint8Array): X509Certificate {
  let view: X509Certificate;
  try {
    view = new X509Certificate(der);
  } catch {
    return refuseCertificate("OpenSSL cannot read it");
  }
  return Buffer.compare(view.raw, der) === 0 ? view : refuseCertificate("it is not in DER");
}

/**
 * Reads a certificate.
 * @param pemOrDer PEM (the first certificate in it; text around it is left alone) or DER; at most 64 KiB.
 * @throws FleetrigError PKI_CERTIFICATE_INVALID for everything else.
 */
export function parseCertificate(pemOrDer: string | Uint8Array): CertificateDescription {
  const der = readDer(pemOrDer, CERTIFICATE_LABELS, refuseCertificate);
  const file = new DerReader(der, refuseCertificate);
  const certificate = file.into(TAG.sequence);
  file.end();
  const signed = certificate.into(TAG.sequence);
  const algorithm = certificate.next(TAG.sequence).bytes;
  certificate.wholeBits();
  certificate.end();
  const body = readBody(signed, algorithm);
  const identifier = certificate.of(algorithm).into(TAG.sequence).objectIdentifier();
  return new CertificateDescription(der, body, SIGNATURE_ALGORITHMS.get(identifier)?.name ?? identifier);
}

function readBody(signed: DerReader, algorithm: Uint8Array): CertificateBody {
  const version = readVersion(signed);
  const serialNumber = Buffer.from(signed.integer()).toString("hex");
  // The algorithm stands inside as well, so that a signature cannot be passed off as another's [RFC 5280 §4.1.1.2].
  if (Buffer.compare(signed.next(TAG.sequence).bytes, algorithm) !== 0)
    return refuseCertificate("it names two signature algorithms");
  const issuer = readName(signed, refuseCertificate);
  const validity = signed.into(TAG.sequence);
  const [validFromMs, validToMs] = [validity.time(), validity.time()];
  validity.end();
  const subject = readName(signed, refuseCertificate);
  const publicKey = readPublicKey(signed, refuseCertificate);
  signed.optional(contextTag(1));
  signed.optional(contextTag(2));
  const extensions = readOptionalExtensions(signed);
  signed.end();
  return { version, serialNumber, issuer, validFromMs, validToMs, subject, publicKey, extensions };
}

function readVersion(signed: DerReader): 1 | 2 | 3 {
  if (signed.nextTag !== contextTag(0, true)) return 1;
  const version = signed.into(contextTag(0, true)).smallInteger() + 1;
  return version === 2 || version === 3 ? version : refuseCertificate("its version is unknown");
}

function readOptionalExtensions(signed: DerReader): ExtensionFacts {
  if (signed.nextTag !== contextTag(3, true)) return NO_EXTENSIONS;
  const wrapper = signed.into(contextTag(3, true));
  const extensions = wrapper.into(TAG.sequence);
  wrapper.end();
  return readExtensions(extensions, refuseCertificate);
}

/**
 * Takes a bundle apart, as devices send it for just-in-time provisioning: their certificate, then its authorities.
 * @returns Every certificate in the order of the text; none when there is none.
 * @throws FleetrigError PKI_CERTIFICATE_INVALID
 */
export const parseCertificateBundle = (pem: string): CertificateDescription[] =>
  readBundle(pem, refuseCertificate).map((der) => parseCertificate(der));
