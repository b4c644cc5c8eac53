import type { FleetrigError } from "fleetrig/kernel";
import type { Caller, HttpRequest } from "../api/index.js";
import { cloudError } from "../cloud-error.js";
import type { CredentialDirectory, SignatureVerifier } from "../credentials/index.js";
import { isLoopbackHost } from "../listeners/web-origin.js";

/** What the gateway asks about client certificates. */
interface KnownCertificates {
  /** Is the certificate of this fingerprint (64 hexadecimal digits) registered and ACTIVE? */
  isActive(certificateId: string): boolean;
}

export interface CallerIdentificationOptions {
  readonly certificates: KnownCertificates;
  readonly credentials: CredentialDirectory;
  readonly verifier: SignatureVerifier;
  /** Whoever reaches this server may do everything as long as no credentials are configured, from anywhere. */
  readonly trustsEverybody: boolean;
}

/** Finds out who sends a request, by signature, certificate, or by being on this machine. */
export class CallerIdentification {
  constructor(private readonly options: CallerIdentificationOptions) {}

  /** @returns the caller, or what the client is told instead. */
  identify(request: HttpRequest): Caller | FleetrigError {
    const { credentials, certificates } = this.options;
    const signed = this.signedBy(request);
    if (signed !== undefined) return signed;
    const certificate = request.peer?.certificate;
    if (certificate !== undefined) {
      const certificateId = certificate.fingerprint256;
      if (certificates.isActive(certificateId)) return { kind: "certificate", certificateId };
      return cloudError("ForbiddenException", "The client certificate is not registered, or not ACTIVE.", {
        context: { certificateId },
      });
    }
    if (!credentials.areRequired && this.isTrusted(request.remoteAddress)) return { kind: "operator" };
    return { kind: "anonymous" };
  }

  /** May whoever is at this address do everything, while no credentials are configured? */
  isTrusted(remoteAddress: string): boolean {
    const address = remoteAddress.replace(/^::ffff:/i, "");
    return this.options.trustsEverybody || isLoopbackHost(address);
  }

  /**
   * As long as none are configured, a signature only says region and service: AWS clients sign with whatever they
   * have. Credentials that were issued here are checked all the same.
   */
  private signedBy(request: HttpRequest): Caller | FleetrigError | undefined {
    const { credentials, verifier } = this.options;
    const verdict = verifier.verify(request);
    if (verdict.kind === "valid") {
      const { accessKeyId, arn } = verdict.credential;
      return { kind: "credentials", accessKeyId, arn };
    }
    return verdict.kind === "invalid" && credentials.areRequired ? verdict.error : undefined;
  }
}
