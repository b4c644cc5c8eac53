import type { Clock, Random } from "fleetrig/kernel";
import type { AlternativeNameFields } from "./alternative-names.js";
import { type AuthorityKey, type AuthorityPem, rootAuthority, savedAuthority } from "./authority-key.js";
import type { CertificateDescription } from "./certificate.js";
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
import { type CertificateRequestDescription, parseCertificateRequest } from "./certificate-request.js";
import { type CertificatePurpose, writeCertificate } from "./certificate-writer.js";
import { type NameFields, writeName } from "./distinguished-name.js";
import { type KeyType, newKeyPair, type NewKeyPair } from "./key-pair.js";
import { writePem } from "./pem.js";
import { refuseRequest } from "./refusal.js";
import { RsaKeyPool } from "./rsa-key-pool.js";

export interface CertificateAuthorityOptions {
  readonly clock: Pick<Clock, "wallMs">;
  /** Serial numbers; keys come from OpenSSL. */
  readonly random: Random;
  /** Name of a new authority. Default O=fleetrig, CN=fleetrig Local Root CA. */
  readonly subject?: NameFields;
  /** Key of a new authority; default `ec-p256`. An RSA key blocks for about 140 ms. */
  readonly keyType?: KeyType;
  /** End of a new authority; default 2049-12-31T23:59:59Z. */
  readonly notAfterMs?: number;
  /** Keys that devices get who do not say which; default `rsa-2048`, as at AWS. */
  readonly deviceKeyType?: KeyType;
  /** An authority saved before; the options of a new one are not looked at then. */
  readonly saved?: AuthorityPem;
}

export interface IssueCertificateOptions {
  readonly subject: NameFields;
  /** Default `device`. */
  readonly purpose?: CertificatePurpose;
  /** Default `ec-p256`; an RSA key blocks for about 140 ms. */
  readonly keyType?: KeyType;
  /** Default: some minutes ago. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly alternativeNames?: AlternativeNameFields;
}

export interface ServerCertificateOptions {
  /** DNS names, the first of which becomes the common name. Default `localhost`. */
  readonly names?: readonly string[];
  /** IPv4 and IPv6 addresses. Default those of this machine alone. */
  readonly addresses?: readonly string[];
  /** Default `ec-p256`. */
  readonly keyType?: KeyType;
  /** Default: in 397 days, the longest some clients take. */
  readonly notAfterMs?: number;
}

const ROOT_SUBJECT: NameFields = { Organization: "fleetrig", CommonName: "fleetrig Local Root CA" };
/** Clocks of devices are slow by minutes; theirs is the judgement. */
const BACKDATED_MS = 10 * 60_000;
const SERVER_VALIDITY_MS = 397 * 24 * 3_600_000;
const MIN_RSA_BITS = 2048;
/** AWS: CSRs have RSA keys of 2048 bits or more, or keys on these curves. */
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** A certificate whose keys were made with it. */
export type CertificateAndKeys = Required<IssuedCertificate>;

interface CertificateHolder {
  /** Name in DER. */
  readonly subject: Uint8Array;
  readonly publicKeyDer: Uint8Array;
}

/** What becomes a certificate once it has a key. */
interface CertificateDetails {
  readonly purpose?: CertificatePurpose;
  readonly notBeforeMs?: number | undefined;
  readonly notAfterMs?: number | undefined;
  readonly alternativeNames?: AlternativeNameFields;
}

function newRoot({ clock, random, ...options }: CertificateAuthorityOptions): AuthorityKey {
  return rootAuthority({
    keyPair: newKeyPair(options.keyType ?? "ec-p256"),
    subject: writeName(options.subject ?? ROOT_SUBJECT),
    serial: newSerial(random),
    validFromMs: clock.wallMs() - BACKDATED_MS,
    validToMs: options.notAfterMs ?? LAST_SECOND_OF_2049_MS,
  });
}

/** AWS: requests for keys it does not take are InvalidRequestException. */
function checkStrength({ keyType, keyBits, curve }: CertificateRequestDescription): void {
  if (keyType === "rsa" ? keyBits < MIN_RSA_BITS : !CURVES.has(curve ?? ""))
    refuseRequest(`keys are RSA of ${MIN_RSA_BITS} bits or more, or on P-256, P-384 or P-521`);
}

/** Issues certificates of devices, servers and further authorities, with real keys and signatures. */
export class CertificateAuthority implements CertificateIssuer {
  readonly caCertificatePem: string;
  readonly certificate: CertificateDescription;
  // Truly private, so that no log of this object shows keys.
  readonly #key: AuthorityKey;
  readonly #rsaKeys = new RsaKeyPool();

  private readonly clock: Pick<Clock, "wallMs">;
  private readonly random: Random;
  private readonly deviceKeyType: KeyType;

  constructor(options: CertificateAuthorityOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.deviceKeyType = options.deviceKeyType ?? "rsa-2048";
    this.#key = options.saved === undefined ? newRoot(options) : savedAuthority(options.saved);
    this.certificate = this.#key.certificate;
    this.caCertificatePem = this.#key.certificatePem;
  }

  createKeysAndCertificate({
    keyType = this.deviceKeyType,
    commonName,
    notAfterMs,
  }: KeysAndCertificateOptions = {}): IssuedCertificate | Promise<IssuedCertificate> {
    const subject = writeName(deviceSubject(commonName));
    const certify = (pair: NewKeyPair): IssuedCertificate => this.certified(pair, subject, { notAfterMs });
    if (keyType === "ec-p256") return certify(newKeyPair(keyType));
    const pair = this.#rsaKeys.take();
    return pair instanceof Promise ? pair.then(certify) : certify(pair);
  }

  certificateFromCsr(csrPem: string, options: CertificateFromCsrOptions = {}): IssuedCertificate {
    const request = parseCertificateRequest(csrPem);
    checkStrength(request);
    const { commonName, notAfterMs } = options;
    const isNamed = request.subject.text !== "" && commonName === undefined;
    const subject = isNamed ? request.subject.der : writeName(deviceSubject(commonName));
    return this.write({ subject, publicKeyDer: request.publicKeyDer }, { notAfterMs });
  }

  /** A certificate with new keys, e.g. one whose common name is a registration code. @throws FleetrigError PKI_NAME_INVALID */
  issueCertificate(options: IssueCertificateOptions): CertificateAndKeys {
    const subject = writeName(options.subject);
    return this.certified(newKeyPair(options.keyType ?? "ec-p256"), subject, options);
  }

  /** Key and certificate for a TLS listener. @throws FleetrigError PKI_NAME_INVALID */
  issueServerCertificate({
    names = ["localhost"],
    addresses = ["127.0.0.1", "::1"],
    keyType = "ec-p256",
    notAfterMs = this.clock.wallMs() + SERVER_VALIDITY_MS,
  }: ServerCertificateOptions = {}): CertificateAndKeys {
    const [commonName = "localhost"] = [...names, ...addresses];
    return this.certified(newKeyPair(keyType), writeName({ CommonName: commonName }), {
      notAfterMs,
      purpose: "server",
      alternativeNames: { names, addresses },
    });
  }

  /** For a file that only its owner may read. */
  save(): AuthorityPem {
    return { certificatePem: this.caCertificatePem, privateKeyPem: this.#key.privateKeyPem };
  }

  /** Ends the making of RSA keys in the background: devices get no new ones, and who waits for one an error. */
  stop(): void {
    this.#rsaKeys.stop();
  }

  private certified(pair: NewKeyPair, subject: Uint8Array, details: CertificateDetails): CertificateAndKeys {
    const { publicKeyDer, privateKeyPem } = pair;
    const keyPair = { publicKeyPem: writePem("PUBLIC KEY", publicKeyDer), privateKeyPem };
    return { ...this.write({ subject, publicKeyDer }, details), keyPair };
  }

  private write(holder: CertificateHolder, details: CertificateDetails): IssuedCertificate {
    const validToMs = details.notAfterMs ?? LAST_SECOND_OF_2049_MS;
    const content = {
      ...holder,
      serial: newSerial(this.random),
      purpose: details.purpose ?? "device",
      validFromMs: details.notBeforeMs ?? Math.min(this.clock.wallMs(), validToMs) - BACKDATED_MS,
      validToMs,
      alternativeNames: details.alternativeNames ?? {},
    };
    return issued(writeCertificate(content, this.#key.signer), content);
  }
}

/**
 * A certificate authority with real keys.
 * @throws FleetrigError PKI_AUTHORITY_INVALID or PKI_CERTIFICATE_INVALID for what was saved, PKI_NAME_INVALID for a subject
 */
export const createCertificateAuthority = (options: CertificateAuthorityOptions): CertificateAuthority =>
  new CertificateAuthority(options);
