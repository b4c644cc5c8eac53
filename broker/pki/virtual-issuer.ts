import { type Random, VIRTUAL_EPOCH_MS } from "fleetrig/kernel";
import {
  type CertificateFromCsrOptions,
  type CertificateIssuer,
  deviceSubject,
  issued,
  type IssuedCertificate,
  type KeysAndCertificateOptions,
  LAST_SECOND_OF_2049_MS,
  newSerial,
} from "./certificate-issuer.js";
import { type CertificatePurpose, keyIdOf, type Signer, writeCertificate } from "./certificate-writer.js";
import { integer, objectIdentifier, sequence } from "./der-writer.js";
import { type NameFields, writeName } from "./distinguished-name.js";
import { p256PublicKey } from "./key-pair.js";
import { readDer, REQUEST_LABELS, writePem } from "./pem.js";
import { refuseRequest } from "./refusal.js";

/** A point that is on the curve, as parsers want it: the base point of P-256 [SEC 2 §2.4.2]. Nobody's key. */
const PLACEHOLDER_POINT = Buffer.from(
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  "hex",
);
const PUBLIC_KEY = p256PublicKey(PLACEHOLDER_POINT);
const PLACEHOLDER_SIGNATURE = sequence(integer(Buffer.of(1)), integer(Buffer.of(1)));
const ISSUER: NameFields = { Organization: "fleetrig", CommonName: "fleetrig Virtual CA" };

/**
 * Issues certificates for virtual time: the same stream gives the same ids, and nothing is computed with keys.
 * What it issues has the form of a certificate and reads as one, but its key and its signature are placeholders,
 * so that no TLS stack lets it in.
 */
export class VirtualIssuer implements CertificateIssuer {
  readonly caCertificatePem: string;
  private readonly signer: Signer = {
    algorithm: sequence(objectIdentifier("1.2.840.10045.4.3.2")),
    sign: () => PLACEHOLDER_SIGNATURE,
    name: writeName(ISSUER),
    keyId: keyIdOf(PUBLIC_KEY),
  };

  constructor(private readonly random: Random) {
    this.caCertificatePem = this.issue(ISSUER, LAST_SECOND_OF_2049_MS, "authority").certificatePem;
  }

  /** The key type is not looked at: there is no key. */
  createKeysAndCertificate({
    commonName,
    notAfterMs,
  }: KeysAndCertificateOptions = {}): Required<IssuedCertificate> {
    const certificate = this.issue(deviceSubject(commonName), notAfterMs);
    const text = `fleetrig: no key belongs to virtual certificate ${certificate.certificateId}`;
    return {
      ...certificate,
      keyPair: {
        publicKeyPem: writePem("PUBLIC KEY", PUBLIC_KEY),
        privateKeyPem: writePem("PRIVATE KEY", Buffer.from(text, "latin1")),
      },
    };
  }

  /** The request must be PEM; what it holds is not looked at. */
  certificateFromCsr(
    csrPem: string,
    { commonName, notAfterMs }: CertificateFromCsrOptions = {},
  ): IssuedCertificate {
    readDer(csrPem, REQUEST_LABELS, refuseRequest);
    return this.issue(deviceSubject(commonName), notAfterMs);
  }

  private issue(
    subject: NameFields,
    validToMs = LAST_SECOND_OF_2049_MS,
    purpose: CertificatePurpose = "device",
  ): IssuedCertificate {
    const content = {
      serial: newSerial(this.random),
      subject: writeName(subject),
      publicKeyDer: PUBLIC_KEY,
      validFromMs: VIRTUAL_EPOCH_MS,
      validToMs,
      purpose,
    };
    return issued(writeCertificate(content, this.signer), content);
  }
}

/** An issuer for scenarios in virtual time. @param random A stream of its own. */
export const createVirtualIssuer = (random: Random): VirtualIssuer => new VirtualIssuer(random);
