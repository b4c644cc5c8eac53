import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type CertificateDescription, parseCertificate } from "./certificate.js";
import { keyIdOf, type Signer, writeCertificate } from "./certificate-writer.js";
import { objectIdentifier, sequence } from "./der-writer.js";
import type { NewKeyPair } from "./key-pair.js";

/** An authority as it is kept in files. */
export interface AuthorityPem {
  readonly certificatePem: string;
  /** Unencrypted: whoever can read it can make devices. */
  readonly privateKeyPem: string;
}

/** The certificate of an authority with the key that belongs to it. */
export interface AuthorityKey extends AuthorityPem {
  readonly certificate: CertificateDescription;
  readonly signer: Signer;
}

const NULL = Buffer.of(0x05, 0);
const ALGORITHMS: ReadonlyMap<string, Buffer> = new Map([
  ["rsa", sequence(objectIdentifier("1.2.840.113549.1.1.11"), NULL)],
  ["ec", sequence(objectIdentifier("1.2.840.10045.4.3.2"))],
]);

const unusable = (reason: string): never => {
  throw new FleetrigError("PKI_AUTHORITY_INVALID", `The certificate authority cannot be used: ${reason}.`, {
    hint: "It needs the PEM of a CA certificate and of its RSA or EC key, unencrypted.",
    exitCode: EXIT.usage,
  });
};

/** Signs with SHA-256. */
function signing(key: KeyObject): Pick<Signer, "algorithm" | "sign"> {
  const algorithm = ALGORITHMS.get(key.asymmetricKeyType ?? "");
  if (algorithm === undefined) return unusable("its key is neither RSA nor EC");
  return { algorithm, sign: (signed) => sign("sha256", signed, key) };
}

export interface NewAuthority {
  readonly keyPair: NewKeyPair;
  readonly subject: Uint8Array;
  readonly serial: Uint8Array;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** A root: it signs itself. */
export function rootAuthority({ keyPair, ...content }: NewAuthority): AuthorityKey {
  const { publicKeyDer, privateKeyPem } = keyPair;
  const signer: Signer = {
    ...signing(createPrivateKey(privateKeyPem)),
    name: content.subject,
    keyId: keyIdOf(publicKeyDer),
  };
  const der = writeCertificate({ ...content, publicKeyDer, purpose: "authority" }, signer);
  const certificate = parseCertificate(der);
  return { certificate, certificatePem: certificate.certificatePem, privateKeyPem, signer };
}

/** @throws FleetrigError PKI_AUTHORITY_INVALID, PKI_CERTIFICATE_INVALID */
export function savedAuthority({ certificatePem, privateKeyPem }: AuthorityPem): AuthorityKey {
  const certificate = parseCertificate(certificatePem);
  if (!certificate.isCa) return unusable("its certificate is not that of an authority");
  const key = privateKeyOf(privateKeyPem);
  if (!certificate.belongsTo(key)) return unusable("key and certificate do not belong together");
  const { subject, subjectKeyId, publicKeyDer } = certificate;
  const keyId = subjectKeyId === undefined ? keyIdOf(publicKeyDer) : Buffer.from(subjectKeyId, "hex");
  const signer: Signer = { ...signing(key), name: subject.der, keyId };
  return { certificate, certificatePem: certificate.certificatePem, privateKeyPem, signer };
}

/** OpenSSL's reason is left out: it may tell about the key. */
function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    return unusable("its key is no unencrypted private key in PEM");
  }
}
