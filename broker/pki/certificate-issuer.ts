import type { Random } from "fleetrig/kernel";
import type { NameFields } from "./distinguished-name.js";
import type { KeyType } from "./key-pair.js";
import { certificateIdOf, writePem } from "./pem.js";

/** A new certificate, and its keys when they were made with it. */
export interface IssuedCertificate {
  /** Lower-case hex SHA-256 of the DER. */
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly der: Uint8Array;
  /** As the certificate says it, in whole seconds: reading it again would cost more than issuing it. */
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Nobody keeps the private key: this is the only time it is shown. */
  readonly keyPair?: { readonly publicKeyPem: string; readonly privateKeyPem: string };
}

export interface KeysAndCertificateOptions {
  /** Default: that of the issuer. */
  readonly keyType?: KeyType;
  /** Default `AWS IoT Certificate`. */
  readonly commonName?: string;
  /** Default 2049-12-31T23:59:59Z, as AWS has it. */
  readonly notAfterMs?: number;
}

export interface CertificateFromCsrOptions {
  /** Default: the subject of the request, or CN=AWS IoT Certificate when that is empty. */
  readonly commonName?: string;
  readonly notAfterMs?: number;
}

/** Who hands out device certificates: a real authority, or a virtual issuer for scenarios in virtual time. */
export interface CertificateIssuer {
  /** What servers need to verify devices, and devices to verify servers. */
  readonly caCertificatePem: string;
  /** At once for EC keys, for RSA keys as soon as one is ready. @throws FleetrigError PKI_KEYS_EXHAUSTED, PKI_STOPPED */
  createKeysAndCertificate(
    options?: KeysAndCertificateOptions,
  ): IssuedCertificate | Promise<IssuedCertificate>;
  /** @throws FleetrigError PKI_CSR_INVALID */
  certificateFromCsr(csrPem: string, options?: CertificateFromCsrOptions): IssuedCertificate;
}

/** 2049-12-31T23:59:59Z: the last second that fits two digits of the year. */
export const LAST_SECOND_OF_2049_MS = 2_524_607_999_000;

export const deviceSubject = (commonName = "AWS IoT Certificate"): NameFields => ({ CommonName: commonName });

const SERIAL_WORDS = 4;

/** 127 bits, positive and always of the same length. */
export function newSerial(random: Random): Buffer {
  const serial = Buffer.alloc(SERIAL_WORDS * 4);
  for (let word = 0; word < SERIAL_WORDS; word += 1) serial.writeUInt32BE(random.uint32(), word * 4);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

/** What the caller gets of a certificate in DER. */
export const issued = (
  der: Uint8Array,
  { validFromMs, validToMs }: Pick<IssuedCertificate, "validFromMs" | "validToMs">,
): IssuedCertificate => ({
  certificateId: certificateIdOf(der),
  certificatePem: writePem("CERTIFICATE", der),
  der,
  validFromMs: wholeSeconds(validFromMs),
  validToMs: wholeSeconds(validToMs),
});

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;
