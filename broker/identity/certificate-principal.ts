import { formatWallTime } from "fleetrig/kernel";
import type { CertificateDescription, DistinguishedName } from "../pki/index.js";
import type { CompiledPolicy, PolicyCertificate } from "../policy/index.js";
import type { Identity } from "./identity.js";
import type { Principal } from "./principal.js";

/** A device that showed a registered certificate. */
export class CertificatePrincipal implements Principal {
  readonly target: string;
  private read: PolicyCertificate | undefined;

  constructor(
    private readonly identity: Identity,
    /** A certificate id. */
    readonly principalIdentifier: string,
  ) {
    this.target = principalIdentifier;
  }

  /** Read when the first policy asks. */
  readonly facts = certificateFactsOf(() => (this.read ??= this.policyCertificate()));

  policies(thingName: string | undefined): readonly CompiledPolicy[] {
    return this.identity.compiledFor(this.identity.policyNamesFor(this.target, thingName));
  }

  refusal(): string | undefined {
    const certificate = this.identity.certificates.find(this.target);
    if (certificate === undefined) return `Certificate ${this.target} is not registered.`;
    const { status, validFromMs, validToMs } = certificate;
    if (status !== "ACTIVE") return `Certificate ${this.target} is ${status}, not ACTIVE.`;
    const nowMs = this.identity.wallMs();
    if (nowMs > validToMs) return `Certificate ${this.target} expired at ${formatWallTime(validToMs)}.`;
    if (nowMs < validFromMs)
      return `Certificate ${this.target} is not valid before ${formatWallTime(validFromMs)}.`;
    return undefined;
  }

  private policyCertificate(): PolicyCertificate | undefined {
    const certificate = this.identity.certificates.find(this.target);
    return certificate && policyCertificateOf(this.identity.certificates.read(certificate));
  }
}

/** Facts whose certificate is read when it is asked for. */
function certificateFactsOf(read: () => PolicyCertificate | undefined): NonNullable<Principal["facts"]> {
  return {
    get certificate() {
      return read();
    },
  };
}

/** A certificate as policies ask about it. */
export function policyCertificateOf(certificate: CertificateDescription): PolicyCertificate {
  return {
    certificateId: certificate.certificateId,
    serialNumber: certificate.serialNumber,
    subject: attributesOf(certificate.subject),
    issuer: attributesOf(certificate.issuer),
    alternativeNames: new Map(Object.entries(certificate.subjectAlternativeNames)),
    issuerAlternativeNames: new Map(Object.entries(certificate.issuerAlternativeNames)),
  };
}

const attributesOf = ({ attributes }: DistinguishedName): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(attributes));
