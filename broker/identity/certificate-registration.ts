import { cloudError } from "../cloud-error.js";
import {
  type CertificateDescription,
  type CertificateIssuer,
  type IssuedCertificate,
  parseCertificate,
} from "../pki/index.js";
import type { CaCertificate, CaCertificates } from "./ca-certificates.js";
import type { Certificate, CertificateStatus } from "./certificate-row.js";
import type { Certificates } from "./certificates.js";

/** AWS: RegisterCertificate. */
export interface RegisterCertificateRequest {
  readonly certificatePem: string;
  readonly caCertificatePem?: string | undefined;
  /** Deprecated by AWS in favour of `status`, which decides where both are given. */
  readonly setAsActive?: boolean | undefined;
  readonly status?: CertificateStatus | undefined;
}

/** A certificate that was made here. The private key is in no table and in no log: this is its only copy. */
export interface CreatedCertificate {
  readonly certificate: Certificate;
  readonly certificatePem: string;
  readonly keyPair: { readonly publicKeyPem: string; readonly privateKeyPem: string } | undefined;
}

export interface CertificateRegistrationParts {
  readonly certificates: Certificates;
  readonly authorities: CaCertificates;
  /** Made when it is first needed: an authority of its own costs a key. */
  readonly issuer: () => CertificateIssuer;
}

/** How certificates come into being: made here, or made elsewhere and registered. */
export class CertificateRegistration {
  constructor(private readonly parts: CertificateRegistrationParts) {}

  /**
   * AWS: CreateKeysAndCertificate. At once for issuers that have keys ready, otherwise later.
   * @throws FleetrigError PKI_KEYS_EXHAUSTED
   */
  createKeysAndCertificate({
    setAsActive = false,
  }: {
    readonly setAsActive?: boolean | undefined;
  } = {}): CreatedCertificate | Promise<CreatedCertificate> {
    const issued = this.parts.issuer().createKeysAndCertificate();
    const add = (made: IssuedCertificate): CreatedCertificate => this.created(made, setAsActive);
    return issued instanceof Promise ? issued.then(add) : add(issued);
  }

  /** AWS: CreateCertificateFromCsr. @throws FleetrigError PKI_CSR_INVALID */
  createFromCsr(request: {
    readonly certificateSigningRequest: string;
    readonly setAsActive?: boolean | undefined;
  }): CreatedCertificate {
    const made = this.parts.issuer().certificateFromCsr(request.certificateSigningRequest);
    return this.created(made, request.setAsActive ?? false);
  }

  /**
   * AWS: RegisterCertificate. The signing CA must be registered and active.
   * @throws FleetrigError CLOUD_ALREADY_EXISTS, CLOUD_CERTIFICATE_INVALID, CLOUD_CERTIFICATE_STATE,
   * CLOUD_CERTIFICATE_CONFLICT, PKI_CERTIFICATE_INVALID
   */
  register(request: RegisterCertificateRequest): Certificate {
    const status = statusOf(request);
    const certificate = parseCertificate(request.certificatePem);
    const authority = this.signerOf(certificate, request.caCertificatePem);
    if (authority.status !== "ACTIVE")
      throw cloudError(
        "CertificateStateException",
        `CA certificate ${authority.certificateId}, which signed the certificate, is not active.`,
      );
    const { certificateMode, certificateId: caCertificateId } = authority;
    return this.parts.certificates.add({ certificate, status, certificateMode, caCertificateId });
  }

  /** AWS: RegisterCertificateWithoutCA. @throws FleetrigError as {@link register} */
  registerWithoutCa(request: Omit<RegisterCertificateRequest, "caCertificatePem">): Certificate {
    const status = statusOf(request);
    const certificate = parseCertificate(request.certificatePem);
    return this.parts.certificates.add({ certificate, status, certificateMode: "SNI_ONLY" });
  }

  private created(made: IssuedCertificate, isActive: boolean): CreatedCertificate {
    const certificate = this.parts.certificates.addIssued(made, isActive ? "ACTIVE" : "INACTIVE");
    return { certificate, certificatePem: made.certificatePem, keyPair: made.keyPair };
  }

  private signerOf(certificate: CertificateDescription, caCertificatePem: string | undefined): CaCertificate {
    const signers = this.parts.authorities.signersOf(certificate);
    if (caCertificatePem !== undefined) {
      const { certificateId } = parseCertificate(caCertificatePem);
      const named = signers.find((signer) => signer.certificateId === certificateId);
      if (named !== undefined) return named;
      throw cloudError(
        "CertificateValidationException",
        `CA certificate ${certificateId} is not registered, or did not sign the certificate.`,
      );
    }
    if (signers.length > 1)
      throw cloudError("CertificateConflictException", "Several registered CA certificates fit.", {
        hint: "Name the one that signed with --ca-certificate-pem.",
      });
    if (signers[0] !== undefined) return signers[0];
    throw cloudError(
      "CertificateValidationException",
      "No registered CA certificate signed the certificate.",
      { hint: "Register its CA, or use aws iot register-certificate-without-ca." },
    );
  }
}

/** AWS: only states that say whether it may be used. */
function statusOf({ status, setAsActive }: RegisterCertificateRequest): CertificateStatus {
  if (status === undefined) return setAsActive === true ? "ACTIVE" : "INACTIVE";
  if (status !== "PENDING_TRANSFER" && status !== "PENDING_ACTIVATION") return status;
  throw cloudError("CertificateStateException", `A certificate cannot be registered as ${status}.`);
}
