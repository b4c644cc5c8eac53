import type { DomainServiceType } from "./domain-configurations.js";

/** Where clients reach this cloud, as `host` or `host:port`. */
export interface EndpointAddresses {
  /** MQTT, and HTTPS for publishing and shadows. */
  readonly data: string;
  readonly credentialProvider: string;
  readonly jobs: string;
}

const NOWHERE: EndpointAddresses = {
  data: "localhost",
  credentialProvider: "localhost",
  jobs: "localhost",
};

/** AWS: types of endpoints. `iot:Data` has other certificates there, and is the same here. */
const TYPES: ReadonlyMap<string, keyof EndpointAddresses> = new Map([
  ["iot:Data", "data"],
  ["iot:Data-ATS", "data"],
  ["iot:Data-Beta", "data"],
  ["iot:CredentialProvider", "credentialProvider"],
  ["iot:Jobs", "jobs"],
]);

const BY_SERVICE = {
  DATA: "data",
  CREDENTIAL_PROVIDER: "credentialProvider",
  JOBS: "jobs",
} as const satisfies Record<DomainServiceType, keyof EndpointAddresses>;

/** What DescribeEndpoint answers. Whoever opens doors says where they are. */
export class EndpointDirectory {
  private addresses: EndpointAddresses = NOWHERE;

  set(addresses: EndpointAddresses): void {
    this.addresses = addresses;
  }

  /** Undefined for a type that there is not. */
  ofType(endpointType: string): string | undefined {
    const name = TYPES.get(endpointType);
    return name === undefined ? undefined : this.addresses[name];
  }

  ofService(serviceType: DomainServiceType): string {
    return this.addresses[BY_SERVICE[serviceType]];
  }
}
