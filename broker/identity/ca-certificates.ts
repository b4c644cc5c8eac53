import type { JsonObject, JsonValue, Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type CertificateDescription, parseCertificate } from "../pki/index.js";
import { parseTemplate } from "../provisioning/template.js";
import type { RecordCodec, RecordTable } from "../records/index.js";
import { type CertificateMode, derTextOf, ParsedCertificates } from "./certificate-row.js";
import type { IdentityTableOptions } from "./certificates.js";
import { CreationOrder, type MarkerPage, type MarkerPageRequest, type Ordered } from "./creation-order.js";
import { recordShape, shaped } from "./record-shape.js";
import { RegistrationCode } from "./registration-code.js";
import type { IdentityLimits } from "./settings.js";

/** AWS: how devices of a CA are provisioned when they come for the first time. */
export interface RegistrationConfig {
  readonly templateBody?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly templateName?: string | undefined;
}

/** A registered CA certificate. */
export interface CaCertificate extends Ordered {
  readonly certificateId: string;
  readonly derText: string;
  /** Hex of the name's DER, to find it by what a device certificate says of its issuer. */
  readonly subjectKey: string;
  status: "ACTIVE" | "INACTIVE";
  autoRegistrationStatus: "ENABLE" | "DISABLE";
  registrationConfig: RegistrationConfig | undefined;
  readonly certificateMode: CertificateMode;
  readonly createdAtMs: number;
  modifiedAtMs: number;
  version: number;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** AWS: RegisterCACertificate. */
export interface RegisterCaCertificateRequest {
  readonly caCertificate: string;
  readonly verificationCertificate?: string | undefined;
  readonly setAsActive?: boolean | undefined;
  readonly allowAutoRegistration?: boolean | undefined;
  readonly registrationConfig?: RegistrationConfig | undefined;
  readonly certificateMode?: CertificateMode | undefined;
}

/** AWS: UpdateCACertificate. */
export interface UpdateCaCertificateRequest {
  readonly newStatus?: "ACTIVE" | "INACTIVE" | undefined;
  readonly newAutoRegistrationStatus?: "ENABLE" | "DISABLE" | undefined;
  readonly registrationConfig?: RegistrationConfig | undefined;
  readonly removeAutoRegistration?: boolean | undefined;
}

const SHAPE = recordShape({
  certificateId: "string",
  der: "string",
  subjectKey: "string",
  status: "string",
  autoRegistrationStatus: "string",
  registrationConfig: "object?",
  certificateMode: "string",
  createdAtMs: "number",
  modifiedAtMs: "number",
  version: "number",
  validFromMs: "number",
  validToMs: "number",
  order: "number",
});

const codec: RecordCodec<CaCertificate> = {
  write: ({ derText, registrationConfig, ...rest }) => ({
    ...rest,
    der: Buffer.from(derText, "latin1").toString("base64"),
    ...(registrationConfig !== undefined && { registrationConfig: configJson(registrationConfig) }),
  }),
  read(value: JsonValue, key: string): CaCertificate | undefined {
    const record = shaped(value, SHAPE);
    if (record === undefined || record["certificateId"] !== key) return undefined;
    const { der, ...fields } = record as JsonObject & { der: string };
    const derText = Buffer.from(der, "base64").toString("latin1");
    return { registrationConfig: undefined, ...fields, derText } as unknown as CaCertificate;
  },
};

function configJson({ templateBody, roleArn, templateName }: RegistrationConfig): JsonObject {
  return {
    ...(templateBody !== undefined && { templateBody }),
    ...(roleArn !== undefined && { roleArn }),
    ...(templateName !== undefined && { templateName }),
  };
}

const subjectKeyOf = (name: { readonly der: Uint8Array }): string => Buffer.from(name.der).toString("hex");

const invalid = (message: string, hint?: string): Error =>
  cloudError("InvalidRequestException", message, hint === undefined ? {} : { hint });

/** The CA certificates of the account, and the code that proves that somebody holds the key of one. */
export class CaCertificates {
  readonly registrationCode: RegistrationCode;
  private readonly table: RecordTable<CaCertificate>;
  private readonly all = new CreationOrder<CaCertificate>();
  private readonly bySubject = new Map<string, CaCertificate[]>();
  private readonly parsed = new ParsedCertificates();
  private lastOrder = 0;

  constructor(
    private readonly options: IdentityTableOptions & {
      readonly random: Random;
      readonly limits: IdentityLimits;
    },
  ) {
    this.registrationCode = new RegistrationCode(options.records, options.random);
    this.table = options.records.table("ca-certificates", codec);
    options.records.whenRestored(() => this.restored());
  }

  find(certificateId: string): CaCertificate | undefined {
    return this.table.get(certificateId);
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  get(certificateId: string): CaCertificate {
    const authority = this.table.get(certificateId);
    if (authority !== undefined) return authority;
    throw cloudError("ResourceNotFoundException", `There is no CA certificate ${certificateId}.`);
  }

  read(authority: CaCertificate): CertificateDescription {
    return this.parsed.of(authority);
  }

  /** Registered authorities that signed the certificate, oldest first. */
  signersOf(certificate: CertificateDescription): readonly CaCertificate[] {
    const named = this.bySubject.get(subjectKeyOf(certificate.issuer)) ?? [];
    return named.filter((authority) => certificate.isSignedBy(this.read(authority)));
  }

  /**
   * AWS: RegisterCACertificate.
   * @throws FleetrigError CLOUD_INVALID_REQUEST, CLOUD_CERTIFICATE_INVALID, CLOUD_REGISTRATION_CODE,
   * CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED, PKI_CERTIFICATE_INVALID
   */
  register(request: RegisterCaCertificateRequest): CaCertificate {
    const { certificateMode = "DEFAULT", registrationConfig } = request;
    checkConfig(registrationConfig);
    const certificate = parseCertificate(request.caCertificate);
    if (!certificate.isCa)
      throw cloudError("CertificateValidationException", "The certificate is not one of a CA.", {
        hint: "Its basic constraints must say CA:TRUE.",
      });
    this.verify(certificate, certificateMode, request.verificationCertificate);
    const { certificateId } = certificate;
    if (this.table.has(certificateId))
      throw cloudError("ResourceAlreadyExistsException", `CA certificate ${certificateId} is registered.`, {
        members: { resourceId: certificateId },
      });
    const subjectKey = subjectKeyOf(certificate.subject);
    const { authoritiesPerSubject } = this.options.limits;
    if ((this.bySubject.get(subjectKey)?.length ?? 0) >= authoritiesPerSubject)
      throw cloudError(
        "LimitExceededException",
        `There are ${authoritiesPerSubject} CA certificates with the subject ${certificate.subject.text}.`,
      );
    const nowMs = this.options.clock.wallMs();
    const authority: CaCertificate = {
      order: (this.lastOrder += 1),
      certificateId,
      derText: derTextOf(certificate.der),
      subjectKey,
      status: request.setAsActive === true ? "ACTIVE" : "INACTIVE",
      autoRegistrationStatus: request.allowAutoRegistration === true ? "ENABLE" : "DISABLE",
      registrationConfig,
      certificateMode,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
      version: 1,
      validFromMs: certificate.validFromMs,
      validToMs: certificate.validToMs,
    };
    this.table.set(certificateId, authority);
    this.index(authority);
    this.options.events.emit({ kind: "caCertificate", change: "created", certificateId });
    return authority;
  }

  /** AWS: UpdateCACertificate. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(certificateId: string, request: UpdateCaCertificateRequest): void {
    const authority = this.get(certificateId);
    const { newStatus, newAutoRegistrationStatus, registrationConfig, removeAutoRegistration } = request;
    checkConfig(registrationConfig);
    if (newStatus !== undefined) authority.status = newStatus;
    if (newAutoRegistrationStatus !== undefined) authority.autoRegistrationStatus = newAutoRegistrationStatus;
    if (registrationConfig !== undefined) authority.registrationConfig = registrationConfig;
    if (removeAutoRegistration === true) {
      authority.autoRegistrationStatus = "DISABLE";
      authority.registrationConfig = undefined;
    }
    authority.version += 1;
    authority.modifiedAtMs = this.options.clock.wallMs();
    this.table.changed(certificateId);
    this.options.events.emit({ kind: "caCertificate", change: "updated", certificateId });
  }

  /** AWS: DeleteCACertificate. Certificates that it signed stay. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_CERTIFICATE_STATE */
  delete(certificateId: string): void {
    const authority = this.get(certificateId);
    if (authority.status === "ACTIVE")
      throw cloudError("CertificateStateException", `CA certificate ${certificateId} is active.`, {
        hint: "Deactivate it first: aws iot update-ca-certificate --new-status INACTIVE",
      });
    this.table.delete(certificateId);
    this.all.remove(authority);
    const named = this.bySubject.get(authority.subjectKey)!.filter((other) => other !== authority);
    if (named.length === 0) this.bySubject.delete(authority.subjectKey);
    else this.bySubject.set(authority.subjectKey, named);
    this.options.events.emit({ kind: "caCertificate", change: "deleted", certificateId });
  }

  /** @param templateName Only those whose devices are provisioned with this template. */
  list(
    request: MarkerPageRequest & { readonly templateName?: string | undefined } = {},
  ): MarkerPage<CaCertificate> {
    const { templateName } = request;
    return this.all.page(
      request,
      ({ registrationConfig }) =>
        templateName === undefined || registrationConfig?.templateName === templateName,
    );
  }

  /** AWS: in DEFAULT mode a certificate signed by the CA with the registration code as its name proves the key. */
  private verify(
    authority: CertificateDescription,
    mode: CertificateMode,
    verificationCertificate: string | undefined,
  ): void {
    if (mode === "SNI_ONLY") {
      if (verificationCertificate === undefined) return;
      throw invalid("A CA certificate in SNI_ONLY mode takes no verification certificate.");
    }
    if (verificationCertificate === undefined)
      throw invalid(
        "A CA certificate in DEFAULT mode needs a verification certificate.",
        "Or register it with --certificate-mode SNI_ONLY.",
      );
    const proof = parseCertificate(verificationCertificate);
    if (!proof.isSignedBy(authority))
      throw cloudError(
        "CertificateValidationException",
        "The verification certificate is not signed by the CA certificate.",
      );
    const names = proof.subject.attributes.CommonName ?? [];
    if (!names.some((name) => this.registrationCode.is(name)))
      throw cloudError(
        "RegistrationCodeValidationException",
        "The common name of the verification certificate is not the registration code.",
        { hint: "aws iot get-registration-code tells it." },
      );
  }

  private index(authority: CaCertificate): void {
    this.all.add(authority);
    const named = this.bySubject.get(authority.subjectKey) ?? [];
    this.bySubject.set(authority.subjectKey, [...named, authority]);
  }

  private restored(): void {
    this.table.sort((a, b) => a.order - b.order);
    for (const authority of this.table.values()) {
      this.index(authority);
      this.lastOrder = authority.order;
    }
  }
}

function checkConfig(config: RegistrationConfig | undefined): void {
  if (config?.templateBody !== undefined && config.templateName !== undefined)
    throw invalid("A registration configuration has a template body or the name of a template, not both.");
  // Mistakes are told now, rather than when the first device comes.
  if (config?.templateBody !== undefined) parseTemplate(config.templateBody);
}
