import type {
  CaCertificate,
  MarkerPageRequest,
  RegisterCaCertificateRequest,
  UpdateCaCertificateRequest,
} from "../../identity/index.js";
import { pemOf } from "../../identity/index.js";
import type { Account } from "../../account.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { certificateIdOf, describedTimes, generationOf } from "./certificates.js";

const names = ({ certificateId }: CaCertificate, account: Account) => ({
  certificateArn: account.arn("cacert", certificateId),
  certificateId,
});

interface CaInput {
  readonly certificateId: string;
}

/** CA certificates and the registration code (REF §10.5). */
export const caCertificateOperations: OperationTable = {
  RegisterCACertificate: operation<RegisterCaCertificateRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const authority = cloud.identity.authorities.register(request);
      cloud.tags.tagNew("cacert", authority.certificateId, tags);
      return names(authority, account);
    },
  ),
  DescribeCACertificate: operation<CaInput>(({ certificateId }, { cloud, account }) => {
    const authority = cloud.identity.authorities.get(certificateIdOf(certificateId));
    return {
      certificateDescription: {
        ...names(authority, account),
        status: authority.status,
        certificatePem: pemOf(authority),
        ownedBy: account.accountId,
        autoRegistrationStatus: authority.autoRegistrationStatus,
        customerVersion: authority.version,
        generationId: generationOf(authority),
        certificateMode: authority.certificateMode,
        ...describedTimes(authority),
      },
      registrationConfig: authority.registrationConfig,
    };
  }),
  UpdateCACertificate: operation<CaInput & UpdateCaCertificateRequest>(
    ({ certificateId, ...request }, { cloud }) => {
      cloud.identity.authorities.update(certificateIdOf(certificateId), request);
      return undefined;
    },
  ),
  DeleteCACertificate: operation<CaInput>(({ certificateId }, { cloud }) => {
    cloud.identity.authorities.delete(certificateIdOf(certificateId));
    return {};
  }),
  ListCACertificates: operation<MarkerPageRequest & { readonly templateName?: string }>(
    (input, { cloud, account }) => {
      const { items, nextMarker } = cloud.identity.authorities.list(input);
      return {
        certificates: items.map((authority) => ({
          ...names(authority, account),
          status: authority.status,
          creationDate: authority.createdAtMs / 1000,
        })),
        nextMarker,
      };
    },
  ),
  GetRegistrationCode: operation((_, { cloud }) => ({
    registrationCode: cloud.identity.authorities.registrationCode.get(),
  })),
  DeleteRegistrationCode: operation((_, { cloud }) => {
    cloud.identity.authorities.registrationCode.delete();
    return {};
  }),
};
