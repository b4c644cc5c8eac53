import { isIP } from "node:net";
import {
  type CertificateAndKeys,
  type CertificateAuthority,
  createCertificateAuthority,
} from "fleetrig/broker";
import { type Clock, createRandomSource } from "fleetrig/kernel";
import { LARGER_CERTIFICATE } from "../cases/handshakes.js";
import type { ShownCertificate } from "../qualification-case.js";

/** A certificate for the TLS door. */
export interface ServerPem {
  readonly cert: string;
  readonly key: string;
  /** DER. */
  readonly bytes: number;
}

const WRONG_NAME = "wrong-name.fleetrig.invalid";
/** Names that make a certificate larger cost some twenty bytes each. */
const PADDING_NAMES_MAX = 64;

/**
 * What a device has to trust and to show, and the certificates that it is tested with. All of it lives as long as the
 * qualification.
 */
export class TestCertificates {
  /** PEM: what the device has to trust. */
  readonly ca: string;
  private readonly authority: CertificateAuthority;
  private readonly shown: Readonly<Record<ShownCertificate, ServerPem>>;

  /** @param hosts Names and addresses under which the device reaches the endpoint. @throws FleetrigError PKI_NAME_INVALID */
  constructor(clock: Pick<Clock, "wallMs">, hosts: readonly string[], seed: number) {
    const random = createRandomSource(seed);
    const authority = createCertificateAuthority({ clock, random: random.stream("authority") });
    const stranger = createCertificateAuthority({
      clock,
      random: random.stream("stranger"),
      subject: { Organization: "Another", CommonName: "Another Root CA" },
    });
    this.authority = authority;
    this.ca = authority.caCertificatePem;
    const names = hosts.filter((host) => isIP(host) === 0);
    const addresses = hosts.filter((host) => isIP(host) !== 0);
    const issue = (from: CertificateAuthority, more: readonly string[] = []): ServerPem =>
      pemOf(from.issueServerCertificate({ names: [...names, ...more], addresses }));
    const good = issue(authority);
    this.shown = {
      good,
      larger: larger(good, (more) => issue(authority, more)),
      "other-authority": issue(stranger),
      "wrong-name": pemOf(authority.issueServerCertificate({ names: [WRONG_NAME], addresses: [] })),
    };
  }

  of(certificate: ShownCertificate): ServerPem {
    return this.shown[certificate];
  }

  /** A certificate for the device, with its key. */
  device(commonName: string): { readonly certificatePem: string; readonly keyPem: string } {
    const { certificatePem, keyPair } = this.authority.issueCertificate({
      subject: { CommonName: commonName },
    });
    return { certificatePem, keyPem: keyPair.privateKeyPem };
  }
}

function pemOf({ certificatePem, keyPair }: CertificateAndKeys): ServerPem {
  const base64 = certificatePem.replaceAll(/-----[^-]+-----|\s/g, "");
  return { cert: certificatePem, key: keyPair.privateKeyPem, bytes: Buffer.from(base64, "base64").length };
}

function larger(good: ServerPem, issue: (more: readonly string[]) => ServerPem): ServerPem {
  const more: string[] = [];
  let made = good;
  while (made.bytes < LARGER_CERTIFICATE * good.bytes + 16 && more.length < PADDING_NAMES_MAX) {
    more.push(`padding-${more.length}.fleetrig.invalid`);
    made = issue(more);
  }
  return made;
}
