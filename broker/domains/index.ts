export {
  type CreateDomainRequest,
  type DomainConfiguration,
  DomainConfigurations,
  type ListDomainsRequest,
  type UpdateDomainRequest,
} from "./domain-configurations.js";
export { DomainPins, type Proof } from "./domain-pins.js";
export { type EndpointAddresses, EndpointDirectory } from "./endpoint-directory.js";
