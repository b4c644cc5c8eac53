import type { Account } from "../../account.js";
import {
  type Certificate,
  type CertificateStatus,
  type CreatedCertificate,
  type MarkerPageRequest,
  pemOf,
} from "../../identity/index.js";
import { cloudError } from "../../cloud-error.js";
import { type ApiCall, operation, type OperationOutput, type OperationTable } from "../operation.js";

interface CertificateInput {
  readonly certificateId: string;
}

/** AWS: ids may be written with 0x and in capitals. */
export const certificateIdOf = (text: string): string => text.replace(/^0x/, "").toLowerCase();

const S = 1000;

/** AWS: the generation id tells two incarnations of a name apart; certificates have but one. */
export const describedTimes = (row: {
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly validFromMs: number;
  readonly validToMs: number;
}): OperationOutput => ({
  creationDate: row.createdAtMs / S,
  lastModifiedDate: row.modifiedAtMs / S,
  validity: { notBefore: row.validFromMs / S, notAfter: row.validToMs / S },
});

const names = ({ certificateId }: Certificate, account: Account) => ({
  certificateArn: account.arn("cert", certificateId),
  certificateId,
});

const listed = (page: { items: readonly Certificate[]; nextMarker: string | undefined }, call: ApiCall) => ({
  certificates: page.items.map((certificate) => ({
    ...names(certificate, call.account),
    status: certificate.status,
    certificateMode: certificate.certificateMode,
    creationDate: certificate.createdAtMs / S,
  })),
  nextMarker: page.nextMarker,
});

const createdWithKeys = (created: CreatedCertificate, { account }: ApiCall): OperationOutput => ({
  ...names(created.certificate, account),
  certificatePem: created.certificatePem,
  keyPair: { PublicKey: created.keyPair?.publicKeyPem, PrivateKey: created.keyPair?.privateKeyPem },
});

function transferData({ transfer }: Certificate): OperationOutput {
  if (transfer === undefined) return undefined;
  const { transferMessage, rejectReason, transferDateMs, acceptDateMs, rejectDateMs } = transfer;
  const date = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / S);
  return {
    transferMessage,
    rejectReason,
    transferDate: date(transferDateMs),
    acceptDate: date(acceptDateMs),
    rejectDate: date(rejectDateMs),
  };
}

interface RegisterInput {
  readonly certificatePem: string;
  readonly caCertificatePem?: string;
  readonly setAsActive?: boolean;
  readonly status?: CertificateStatus;
}

const ONE_ACCOUNT = "There is one account: it is the source and the destination of every transfer.";

/** Device certificates (REF §10.5). */
export const certificateOperations: OperationTable = {
  CreateKeysAndCertificate: operation<{ readonly setAsActive?: boolean }>((input, call) => {
    const created = call.cloud.identity.registration.createKeysAndCertificate(input);
    if (created instanceof Promise) return created.then((made) => createdWithKeys(made, call));
    return createdWithKeys(created, call);
  }),
  CreateCertificateFromCsr: operation<{
    readonly certificateSigningRequest: string;
    readonly setAsActive?: boolean;
  }>((input, { cloud, account }) => {
    const { certificate, certificatePem } = cloud.identity.registration.createFromCsr(input);
    return { ...names(certificate, account), certificatePem };
  }),
  RegisterCertificate: operation<RegisterInput>((input, { cloud, account }) =>
    names(cloud.identity.registration.register(input), account),
  ),
  RegisterCertificateWithoutCA: operation<RegisterInput>((input, { cloud, account }) =>
    names(cloud.identity.registration.registerWithoutCa(input), account),
  ),
  UpdateCertificate: operation<CertificateInput & { readonly newStatus: CertificateStatus }>(
    ({ certificateId, newStatus }, { cloud }) => {
      cloud.identity.certificates.update(certificateIdOf(certificateId), newStatus);
      return undefined;
    },
  ),
  DescribeCertificate: operation<CertificateInput>(({ certificateId }, { cloud, account }) => {
    const certificate = cloud.identity.certificates.get(certificateIdOf(certificateId));
    return {
      certificateDescription: {
        ...names(certificate, account),
        caCertificateId: certificate.caCertificateId,
        status: certificate.status,
        certificatePem: pemOf(certificate),
        ownedBy: account.accountId,
        customerVersion: certificate.version,
        transferData: transferData(certificate),
        generationId: generationOf(certificate),
        certificateMode: certificate.certificateMode,
        ...describedTimes(certificate),
      },
    };
  }),
  DeleteCertificate: operation<CertificateInput & { readonly forceDelete?: boolean }>(
    ({ certificateId, forceDelete }, { cloud }) => {
      cloud.identity.deleteCertificate({ certificateId: certificateIdOf(certificateId), forceDelete });
      return undefined;
    },
  ),
  ListCertificates: operation<MarkerPageRequest>((input, call) =>
    listed(call.cloud.identity.certificates.list(input), call),
  ),
  ListCertificatesByCA: operation<MarkerPageRequest & { readonly caCertificateId: string }>((input, call) =>
    listed(
      call.cloud.identity.certificates.listByAuthority(certificateIdOf(input.caCertificateId), input),
      call,
    ),
  ),
  TransferCertificate: operation<
    CertificateInput & { readonly targetAwsAccount: string; readonly transferMessage?: string }
  >(
    ({ certificateId, targetAwsAccount, transferMessage }, { cloud, account }) => {
      const id = certificateIdOf(certificateId);
      if (targetAwsAccount === account.accountId)
        throw cloudError("InvalidRequestException", "A certificate is transferred to another account.");
      cloud.identity.transferCertificate(id, { account: targetAwsAccount, message: transferMessage });
      return { transferredCertificateArn: account.arn("cert", id) };
    },
    { lacks: ONE_ACCOUNT },
  ),
  CancelCertificateTransfer: operation<CertificateInput>(({ certificateId }, { cloud }) => {
    cloud.identity.certificates.endTransfer(certificateIdOf(certificateId), "INACTIVE", {});
    return undefined;
  }),
  AcceptCertificateTransfer: operation<CertificateInput & { readonly setAsActive?: boolean }>(
    ({ certificateId, setAsActive = false }, { cloud, nowMs }) => {
      const status = setAsActive ? "ACTIVE" : "INACTIVE";
      cloud.identity.certificates.endTransfer(certificateIdOf(certificateId), status, {
        acceptDateMs: nowMs,
      });
      return undefined;
    },
    { lacks: ONE_ACCOUNT },
  ),
  RejectCertificateTransfer: operation<CertificateInput & { readonly rejectReason?: string }>(
    ({ certificateId, rejectReason }, { cloud, nowMs }) => {
      cloud.identity.certificates.endTransfer(certificateIdOf(certificateId), "INACTIVE", {
        rejectDateMs: nowMs,
        ...(rejectReason !== undefined && { rejectReason }),
      });
      return undefined;
    },
    { lacks: ONE_ACCOUNT },
  ),
  ListOutgoingCertificates: operation<MarkerPageRequest>((input, { cloud, account }) => {
    const { items, nextMarker } = cloud.identity.certificates.listOutgoing(input);
    return {
      outgoingCertificates: items.map((certificate) => ({
        ...names(certificate, account),
        transferredTo: certificate.transfer?.transferredTo,
        transferDate: (certificate.transfer?.transferDateMs ?? 0) / S,
        transferMessage: certificate.transfer?.transferMessage,
        creationDate: certificate.createdAtMs / S,
      })),
      nextMarker,
    };
  }),
};

/** AWS: tells apart what had the same name at different times. */
export const generationOf = (row: { readonly order: number; readonly createdAtMs: number }): string =>
  `${row.createdAtMs.toString(16)}-${row.order.toString(16)}`;
