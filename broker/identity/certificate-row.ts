import type { JsonValue } from "fleetrig/kernel";
import { type CertificateDescription, parseCertificate, writePem } from "../pki/index.js";
import type { RecordCodec } from "../records/index.js";
import type { Ordered } from "./creation-order.js";
import { recordShape, shaped } from "./record-shape.js";

/** AWS: states of a device certificate (REF §10.5). Only ACTIVE connects. */
export type CertificateStatus =
  | "ACTIVE"
  | "INACTIVE"
  | "REVOKED"
  | "PENDING_TRANSFER"
  | "REGISTER_INACTIVE"
  | "PENDING_ACTIVATION";

/** AWS: devices with a certificate in SNI_ONLY mode must name the server in the handshake. */
export type CertificateMode = "DEFAULT" | "SNI_ONLY";

/** What is known of a transfer to another account. */
export interface CertificateTransfer {
  readonly transferMessage?: string;
  readonly transferredTo?: string;
  readonly transferDateMs?: number;
  readonly rejectReason?: string;
  readonly rejectDateMs?: number;
  readonly acceptDateMs?: number;
}

/** A registered certificate. There may be a million: no parsed objects, and the bytes as a string of Latin-1. */
export interface Certificate extends Ordered {
  /** Lower-case hex SHA-256 of the DER. */
  readonly certificateId: string;
  /** DER, one character per byte: half of what a PEM or a buffer of its own takes. */
  readonly derText: string;
  status: CertificateStatus;
  /** The registered CA that signed it; undefined for certificates of the cloud's own CA or of none. */
  readonly caCertificateId: string | undefined;
  readonly certificateMode: CertificateMode;
  readonly createdAtMs: number;
  modifiedAtMs: number;
  /** AWS: customerVersion; counts changes. */
  version: number;
  readonly validFromMs: number;
  readonly validToMs: number;
  transfer: CertificateTransfer | undefined;
}

const SHAPE = recordShape({
  certificateId: "string",
  der: "string",
  status: "string",
  caCertificateId: "string?",
  certificateMode: "string",
  createdAtMs: "number",
  modifiedAtMs: "number",
  version: "number",
  validFromMs: "number",
  validToMs: "number",
  order: "number",
  transfer: "object?",
});

/** Certificates as records; the DER in base64. */
export const certificateCodec: RecordCodec<Certificate> = {
  write: ({ derText, caCertificateId, transfer, ...rest }) => ({
    ...rest,
    der: Buffer.from(derText, "latin1").toString("base64"),
    ...(caCertificateId !== undefined && { caCertificateId }),
    ...(transfer !== undefined && { transfer: { ...transfer } }),
  }),
  read(value: JsonValue, key: string): Certificate | undefined {
    const record = shaped(value, SHAPE) as unknown as CertificateRecord | undefined;
    if (record === undefined || record.certificateId !== key) return undefined;
    // Member by member: a million rows should have one form, whoever made them.
    return {
      order: record.order,
      certificateId: key,
      derText: Buffer.from(record.der, "base64").toString("latin1"),
      status: record.status,
      caCertificateId: record.caCertificateId,
      certificateMode: record.certificateMode,
      createdAtMs: record.createdAtMs,
      modifiedAtMs: record.modifiedAtMs,
      version: record.version,
      validFromMs: record.validFromMs,
      validToMs: record.validToMs,
      transfer: record.transfer,
    };
  },
};

type CertificateRecord = Omit<Certificate, "derText"> & { readonly der: string };

export const derTextOf = (der: Uint8Array): string =>
  Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");

const derOf = ({ derText }: { readonly derText: string }): Buffer => Buffer.from(derText, "latin1");

/** The certificate as text. */
export const pemOf = (holder: { readonly derText: string }): string => writePem("CERTIFICATE", derOf(holder));

const PARSED_MAX = 256;

/** The last few certificates that somebody looked into, read. */
export class ParsedCertificates {
  private readonly parsed = new Map<string, CertificateDescription>();

  /** @throws FleetrigError PKI_CERTIFICATE_INVALID, which is impossible for what was registered */
  of(certificate: { readonly certificateId: string; readonly derText: string }): CertificateDescription {
    const known = this.parsed.get(certificate.certificateId);
    if (known !== undefined) return known;
    const description = parseCertificate(derOf(certificate));
    if (this.parsed.size >= PARSED_MAX) this.parsed.delete(this.parsed.keys().next().value!);
    this.parsed.set(certificate.certificateId, description);
    return description;
  }
}
