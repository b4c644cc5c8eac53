import type { Clock } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { CertificateDescription, IssuedCertificate } from "../pki/index.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import {
  type Certificate,
  certificateCodec,
  type CertificateMode,
  type CertificateStatus,
  type CertificateTransfer,
  derTextOf,
  ParsedCertificates,
} from "./certificate-row.js";
import { CreationOrder, type MarkerPage, type MarkerPageRequest } from "./creation-order.js";
import type { IdentityEvents } from "./identity-events.js";

/** A certificate that is to be registered. */
export interface NewCertificate {
  readonly certificate: Pick<CertificateDescription, "certificateId" | "der" | "validFromMs" | "validToMs">;
  readonly status: CertificateStatus;
  readonly certificateMode: CertificateMode;
  readonly caCertificateId?: string | undefined;
}

/** What the tables of identity are made with. */
export interface IdentityTableOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly events: IdentityEvents;
}

/** AWS: states that only the service itself sets. */
const INTERNAL: ReadonlySet<CertificateStatus> = new Set(["PENDING_TRANSFER", "PENDING_ACTIVATION"]);

const state = (message: string): Error => cloudError("CertificateStateException", message);

/** The device certificates of the account. */
export class Certificates {
  private readonly table: RecordTable<Certificate>;
  private readonly all = new CreationOrder<Certificate>();
  private readonly byAuthority = new Map<string, CreationOrder<Certificate>>();
  private readonly parsed = new ParsedCertificates();
  private lastOrder = 0;

  constructor(private readonly options: IdentityTableOptions) {
    this.table = options.records.table("certificates", certificateCodec);
    options.records.whenRestored(() => this.restored());
  }

  get size(): number {
    return this.table.size;
  }

  find(certificateId: string): Certificate | undefined {
    return this.table.get(certificateId);
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  get(certificateId: string): Certificate {
    const certificate = this.table.get(certificateId);
    if (certificate !== undefined) return certificate;
    throw cloudError("ResourceNotFoundException", `There is no certificate ${certificateId}.`, {
      hint: "aws iot list-certificates shows the certificates of this account.",
    });
  }

  /** What it says. Read when it is asked for; only the last few are kept. */
  read(certificate: Certificate): CertificateDescription {
    return this.parsed.of(certificate);
  }

  /** @throws FleetrigError CLOUD_ALREADY_EXISTS, CLOUD_CERTIFICATE_STATE */
  add({ certificate, status, certificateMode, caCertificateId }: NewCertificate): Certificate {
    const { certificateId } = certificate;
    if (this.table.has(certificateId))
      throw cloudError("ResourceAlreadyExistsException", `Certificate ${certificateId} is registered.`, {
        members: { resourceId: certificateId },
      });
    const nowMs = this.options.clock.wallMs();
    const row: Certificate = {
      order: (this.lastOrder += 1),
      certificateId,
      derText: derTextOf(certificate.der),
      status,
      caCertificateId,
      certificateMode,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
      version: 1,
      validFromMs: certificate.validFromMs,
      validToMs: certificate.validToMs,
      transfer: undefined,
    };
    this.table.set(certificateId, row);
    this.index(row);
    this.options.events.emit({ kind: "certificate", change: "created", certificateId });
    return row;
  }

  /** As {@link add}, for what an issuer has just made. */
  addIssued(certificate: IssuedCertificate, status: CertificateStatus): Certificate {
    return this.add({ certificate, status, certificateMode: "DEFAULT" });
  }

  /** AWS: UpdateCertificate. Idempotent. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_CERTIFICATE_STATE */
  update(certificateId: string, newStatus: CertificateStatus): void {
    const certificate = this.get(certificateId);
    if (INTERNAL.has(newStatus)) throw state(`The status ${newStatus} is set by the service alone.`);
    if (certificate.status === "PENDING_TRANSFER")
      throw state(`Certificate ${certificateId} is being transferred.`);
    if (certificate.status !== newStatus) this.change(certificate, newStatus);
  }

  /** Whether anything is attached is the caller's question. @throws FleetrigError CLOUD_CERTIFICATE_STATE */
  delete(certificate: Certificate): void {
    const { certificateId, status } = certificate;
    if (status === "ACTIVE")
      throw cloudError("CertificateStateException", `Certificate ${certificateId} is active.`, {
        hint: `Deactivate it first: aws iot update-certificate --certificate-id ${certificateId} --new-status INACTIVE`,
      });
    if (status === "PENDING_TRANSFER") throw state(`Certificate ${certificateId} is being transferred.`);
    this.table.delete(certificateId);
    this.all.remove(certificate);
    if (certificate.caCertificateId !== undefined)
      this.byAuthority.get(certificate.caCertificateId)?.remove(certificate);
    this.options.events.emit({ kind: "certificate", change: "deleted", certificateId });
  }

  list(request: MarkerPageRequest = {}): MarkerPage<Certificate> {
    return this.all.page(request);
  }

  listByAuthority(caCertificateId: string, request: MarkerPageRequest = {}): MarkerPage<Certificate> {
    return (this.byAuthority.get(caCertificateId) ?? new CreationOrder<Certificate>()).page(request);
  }

  /** Certificates on their way to another account. */
  listOutgoing(request: MarkerPageRequest = {}): MarkerPage<Certificate> {
    return this.all.page(request, ({ status }) => status === "PENDING_TRANSFER");
  }

  /** AWS: TransferCertificate. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_CERTIFICATE_STATE, CLOUD_TRANSFER_CONFLICT */
  transfer(
    certificateId: string,
    to: { readonly account: string; readonly message?: string | undefined },
  ): void {
    const certificate = this.get(certificateId);
    if (certificate.status === "PENDING_TRANSFER")
      throw cloudError(
        "TransferConflictException",
        `Certificate ${certificateId} is being transferred already.`,
      );
    if (certificate.status === "ACTIVE")
      throw state(`Certificate ${certificateId} is active, and such are not transferred.`);
    certificate.transfer = {
      transferredTo: to.account,
      transferDateMs: this.options.clock.wallMs(),
      ...(to.message !== undefined && { transferMessage: to.message }),
    };
    this.change(certificate, "PENDING_TRANSFER");
  }

  /** Ends a transfer. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_TRANSFER_COMPLETED */
  endTransfer(certificateId: string, status: "ACTIVE" | "INACTIVE", facts: CertificateTransfer): void {
    const certificate = this.get(certificateId);
    if (certificate.status !== "PENDING_TRANSFER")
      throw cloudError(
        "TransferAlreadyCompletedException",
        `Certificate ${certificateId} is not being transferred.`,
      );
    certificate.transfer = { ...certificate.transfer, ...facts };
    this.change(certificate, status);
  }

  private change(certificate: Certificate, status: CertificateStatus): void {
    const { certificateId } = certificate;
    certificate.status = status;
    certificate.version += 1;
    certificate.modifiedAtMs = this.options.clock.wallMs();
    this.table.changed(certificateId);
    this.options.events.emit({ kind: "certificate", change: "updated", certificateId });
  }

  private index(certificate: Certificate): void {
    this.all.add(certificate);
    const { caCertificateId } = certificate;
    if (caCertificateId === undefined) return;
    let siblings = this.byAuthority.get(caCertificateId);
    if (siblings === undefined) this.byAuthority.set(caCertificateId, (siblings = new CreationOrder()));
    siblings.add(certificate);
  }

  private restored(): void {
    this.table.sort((a, b) => a.order - b.order);
    for (const certificate of this.table.values()) {
      this.index(certificate);
      this.lastOrder = certificate.order;
    }
  }
}
