import type { Account } from "../../account.js";
import type {
  CreateDomainRequest,
  DomainConfiguration,
  ListDomainsRequest,
  UpdateDomainRequest,
} from "../../domains/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationOutput, type OperationTable } from "../operation.js";

const KIND = "domainconfiguration";
const S = 1000;

interface DomainInput {
  readonly domainConfigurationName: string;
}

const names = ({ name, suffix }: DomainConfiguration, account: Account) => ({
  domainConfigurationName: name,
  domainConfigurationArn: account.arn(KIND, suffix === "" ? name : `${name}/${suffix}`),
});

const described = (row: DomainConfiguration, account: Account): OperationOutput => ({
  ...names(row, account),
  domainName: row.domainName,
  serverCertificates: row.serverCertificateArns.map((serverCertificateArn) => ({
    serverCertificateArn,
    serverCertificateStatus: "VALID",
  })),
  authorizerConfig: row.authorizerConfig,
  domainConfigurationStatus: row.status,
  serviceType: row.serviceType,
  domainType: row.domainType,
  lastStatusChangeDate: row.statusChangedAtMs / S,
  tlsConfig: row.tlsConfig,
  serverCertificateConfig: row.serverCertificateConfig,
  authenticationType: row.authenticationType ?? "DEFAULT",
  applicationProtocol: row.applicationProtocol ?? "DEFAULT",
  clientCertificateConfig: row.clientCertificateConfig,
});

/** Names of endpoints, and how clients prove who they are there. */
export const domainConfigurationOperations: OperationTable = {
  CreateDomainConfiguration: operation<CreateDomainRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...input }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const row = cloud.domains.create(input);
      cloud.tags.tagNew(KIND, `${row.name}/${row.suffix}`, tags);
      return names(row, account);
    },
    { lacks: "Server certificates are the cloud's own: what is in ACM is not fetched. OCSP is not asked." },
  ),
  UpdateDomainConfiguration: operation<UpdateDomainRequest>((input, { cloud, account }) =>
    names(cloud.domains.update(input), account),
  ),
  DescribeDomainConfiguration: operation<DomainInput>(({ domainConfigurationName }, { cloud, account }) =>
    described(cloud.domains.get(domainConfigurationName), account),
  ),
  DeleteDomainConfiguration: operation<DomainInput>(({ domainConfigurationName }, { cloud }) => {
    const { name, suffix } = cloud.domains.get(domainConfigurationName);
    cloud.domains.delete(name);
    cloud.tags.forget(KIND, `${name}/${suffix}`);
    return {};
  }),
  ListDomainConfigurations: operation<ListDomainsRequest>((input, { cloud, account }) => {
    const { items, nextToken } = cloud.domains.list(input);
    return {
      domainConfigurations: items.map((row) => ({ ...names(row, account), serviceType: row.serviceType })),
      nextMarker: nextToken,
    };
  }),
};
