import { type Clock, FleetrigError } from "fleetrig/kernel";
import type { PeerCertificate } from "fleetrig/protocol";
import type { Account } from "../account.js";
import type { MessageBus } from "../message-bus.js";
import { type CertificateDescription, parseCertificate } from "../pki/index.js";
import type { CaCertificate } from "./ca-certificates.js";
import type { Certificate } from "./certificate-row.js";
import type { Identity } from "./identity.js";

/** A device that came with a certificate nobody had registered, from a CA whose devices register themselves. */
export interface JustInTimeArrival {
  /** Registered now, PENDING_ACTIVATION. */
  readonly certificate: Certificate;
  readonly description: CertificateDescription;
  readonly authority: CaCertificate;
  /** The name that the device asked for (SNI). */
  readonly serverName: string | undefined;
}

/** Provisions a device from its CA's `registrationConfig`. Port: the provisioning service. */
export type JustInTimeProvisioner = (arrival: JustInTimeArrival) => void;

export interface JustInTimeOptions {
  readonly identity: Identity;
  readonly account: Account;
  readonly clock: Clock;
  readonly bus: MessageBus;
}

/**
 * Just-in-time registration (REF §11.1): at its first CONNECT the certificate is registered PENDING_ACTIVATION, the
 * world is told, and the device has to come again.
 */
export class JustInTimeRegistration {
  private provisioner: JustInTimeProvisioner | undefined;

  constructor(private readonly options: JustInTimeOptions) {}

  /** Who provisions devices of CAs that have a `registrationConfig`; one at most. */
  provisionWith(provisioner: JustInTimeProvisioner): void {
    this.provisioner = provisioner;
  }

  /** @returns why the device cannot come in yet, as a sentence; undefined when the certificate means nothing here. */
  arrived(shown: PeerCertificate, serverName: string | undefined): string | undefined {
    const description = readable(shown);
    const authority = description && this.authorityOf(description);
    if (description === undefined || authority === undefined) return undefined;
    const { certificateId: caCertificateId, certificateMode } = authority;
    const certificate = this.options.identity.certificates.add({
      certificate: description,
      status: "PENDING_ACTIVATION",
      certificateMode,
      caCertificateId,
    });
    this.announce(certificate, caCertificateId);
    if (authority.registrationConfig !== undefined)
      this.provisioner?.({ certificate, description, authority, serverName });
    return `Certificate ${certificate.certificateId} was registered just now, for CA ${caCertificateId}.`;
  }

  private authorityOf(certificate: CertificateDescription): CaCertificate | undefined {
    return this.options.identity.authorities
      .signersOf(certificate)
      .find(
        ({ status, autoRegistrationStatus }) => status === "ACTIVE" && autoRegistrationStatus === "ENABLE",
      );
  }

  private announce({ certificateId }: Certificate, caCertificateId: string): void {
    const { bus, account, clock } = this.options;
    bus.publish({
      topic: `$aws/events/certificates/registered/${caCertificateId}`,
      payload: JSON.stringify({
        certificateId,
        caCertificateId,
        timestamp: clock.wallMs(),
        certificateStatus: "PENDING_ACTIVATION",
        awsAccountId: account.accountId,
        certificateRegistrationTimestamp: null,
      }),
      qos: 1,
    });
  }
}

/** What OpenSSL let through the handshake may still be nothing that can be read here. */
function readable({ raw }: PeerCertificate): CertificateDescription | undefined {
  try {
    return parseCertificate(raw);
  } catch (error) {
    if (error instanceof FleetrigError) return undefined;
    throw error;
  }
}
