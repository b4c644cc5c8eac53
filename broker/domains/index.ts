export {
  type CreateDomainRequest,
  type DomainConfiguration,
  DomainConfigurations,
  type ListDomainsRequest,
  type UpdateDomainRequest,
} from "./domain-configurations.js";
export { type EndpointAddresses, EndpointDirectory } from "./endpoint-directory.js";
