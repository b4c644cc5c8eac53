import { type Clock, isJsonObject, type JsonValue, type Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type ListPage, pageByName } from "../list-page.js";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";
import { uuidV4 } from "../uuid.js";
import type { EndpointDirectory } from "./endpoint-directory.js";

/** AWS: which service answers below a domain. */
export type DomainServiceType = "DATA" | "CREDENTIAL_PROVIDER" | "JOBS";
type DomainStatus = "ENABLED" | "DISABLED";
/** How clients of a domain prove who they are. */
export type AuthenticationType = "CUSTOM_AUTH_X509" | "CUSTOM_AUTH" | "AWS_X509" | "AWS_SIGV4" | "DEFAULT";
export type ApplicationProtocol = "SECURE_MQTT" | "MQTT_WSS" | "HTTPS" | "DEFAULT";

interface AuthorizerConfig {
  readonly defaultAuthorizerName?: string;
  readonly allowAuthorizerOverride?: boolean;
}

/** What may be changed later on. */
interface DomainSettings {
  readonly authorizerConfig?: AuthorizerConfig;
  readonly tlsConfig?: JsonValue;
  readonly serverCertificateConfig?: JsonValue;
  readonly clientCertificateConfig?: JsonValue;
  readonly authenticationType?: AuthenticationType;
  readonly applicationProtocol?: ApplicationProtocol;
}

/** A name that clients connect to, and how they do it there. */
export interface DomainConfiguration extends DomainSettings {
  readonly name: string;
  /** Lower case. */
  readonly domainName: string;
  readonly domainType: "ENDPOINT" | "AWS_MANAGED" | "CUSTOMER_MANAGED";
  readonly serviceType: DomainServiceType;
  readonly status: DomainStatus;
  readonly serverCertificateArns: readonly string[];
  /** Last part of its ARN. */
  readonly suffix: string;
  readonly statusChangedAtMs: number;
}

/** AWS: CreateDomainConfiguration. */
export interface CreateDomainRequest extends DomainSettings {
  readonly domainConfigurationName: string;
  readonly domainName?: string;
  readonly serverCertificateArns?: readonly string[];
  readonly serviceType?: DomainServiceType;
}

/** AWS: UpdateDomainConfiguration. */
export interface UpdateDomainRequest extends DomainSettings {
  readonly domainConfigurationName: string;
  readonly domainConfigurationStatus?: DomainStatus;
  readonly removeAuthorizerConfig?: boolean;
}

/** AWS: ListDomainConfigurations. */
export interface ListDomainsRequest {
  readonly pageSize?: number;
  readonly marker?: string;
  readonly serviceType?: DomainServiceType;
}

export interface DomainConfigurationsOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  /** Draws what is random about ARNs and managed names. */
  readonly random: Random;
  /** AWS's own domains. */
  readonly endpoints: EndpointDirectory;
  readonly authorizerExists: (name: string) => boolean;
}

const MAX_CONFIGURATIONS = 10;
const DEFAULT_PAGE = 25;
const SUFFIX_CHARACTERS = 5;
const MANAGED_CHARACTERS = 12;
const DOMAIN_NAME =
  /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?){1,10}$/;
/** AWS's own, which are always there. */
const OWN: ReadonlyMap<string, DomainServiceType> = new Map([
  ["iot:CredentialProvider", "CREDENTIAL_PROVIDER"],
  ["iot:Data-ATS", "DATA"],
  ["iot:Jobs", "JOBS"],
]);

const SETTING_NAMES = [
  "authorizerConfig",
  "tlsConfig",
  "serverCertificateConfig",
  "clientCertificateConfig",
  "authenticationType",
  "applicationProtocol",
] as const;

/** The domain configurations of the account, by name. */
export class DomainConfigurations {
  private readonly table: RecordTable<DomainConfiguration>;

  constructor(private readonly options: DomainConfigurationsOptions) {
    this.table = options.records.table("domain-configurations", CODEC);
  }

  /** Also of AWS's own, as long as they are what they were. */
  find(name: string): DomainConfiguration | undefined {
    return this.table.get(name) ?? this.own(name);
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  get(name: string): DomainConfiguration {
    const found = this.find(name);
    if (found !== undefined) return found;
    throw cloudError("ResourceNotFoundException", `There is no domain configuration ${name}.`, {
      hint: "aws iot list-domain-configurations shows those that there are.",
    });
  }

  /** The enabled configuration that clients of this server name get. */
  ofServerName(serverName: string): DomainConfiguration | undefined {
    const name = serverName.toLowerCase();
    for (const row of this.table.values())
      if (row.domainName === name && row.status === "ENABLED") return row;
    return undefined;
  }

  /** @throws FleetrigError CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED, CLOUD_INVALID_REQUEST */
  create(request: CreateDomainRequest): DomainConfiguration {
    const { domainConfigurationName: name, serviceType = "DATA", serverCertificateArns = [] } = request;
    const domainName = request.domainName?.toLowerCase();
    if (this.find(name) !== undefined)
      throw cloudError("ResourceAlreadyExistsException", `There is a domain configuration ${name} already.`, {
        members: { resourceId: name },
      });
    if (this.table.size >= MAX_CONFIGURATIONS)
      throw cloudError(
        "LimitExceededException",
        `There are ${MAX_CONFIGURATIONS} domain configurations already.`,
      );
    if (domainName !== undefined && !DOMAIN_NAME.test(domainName))
      throw cloudError(
        "InvalidRequestException",
        `${JSON.stringify(domainName)} is no fully qualified domain name.`,
      );
    if (domainName !== undefined && this.ofServerName(domainName) !== undefined)
      throw cloudError("InvalidRequestException", `${domainName} belongs to another domain configuration.`);
    this.assertAuthorizer(request);
    const { endpoints, clock } = this.options;
    const row: DomainConfiguration = {
      name,
      domainName: domainName ?? `${this.draw(MANAGED_CHARACTERS)}.${endpoints.ofService(serviceType)}`,
      domainType: domainName === undefined ? "AWS_MANAGED" : "CUSTOMER_MANAGED",
      serviceType,
      status: "ENABLED",
      serverCertificateArns,
      suffix: this.draw(SUFFIX_CHARACTERS),
      statusChangedAtMs: clock.wallMs(),
      ...settingsOf(request),
    };
    this.table.set(name, row);
    return row;
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(request: UpdateDomainRequest): DomainConfiguration {
    const before = this.get(request.domainConfigurationName);
    this.assertAuthorizer(request);
    const { domainConfigurationStatus: status = before.status, removeAuthorizerConfig = false } = request;
    const { authorizerConfig, ...rest } = { ...before, ...settingsOf(request) };
    const after: DomainConfiguration = {
      ...rest,
      status,
      ...(authorizerConfig !== undefined && !removeAuthorizerConfig && { authorizerConfig }),
      statusChangedAtMs: status === before.status ? before.statusChangedAtMs : this.options.clock.wallMs(),
    };
    this.table.set(after.name, after);
    return after;
  }

  /** AWS: only disabled configurations can be deleted. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  delete(name: string): void {
    if (this.get(name).status === "ENABLED")
      throw cloudError("InvalidRequestException", `Domain configuration ${name} is enabled.`, {
        hint: "aws iot update-domain-configuration --domain-configuration-status DISABLED comes first.",
      });
    this.table.delete(name);
  }

  list({ pageSize = DEFAULT_PAGE, marker, serviceType }: ListDomainsRequest): ListPage<DomainConfiguration> {
    const own = Array.from(OWN.keys()).filter((name) => !this.table.has(name));
    const all = [...this.table.values(), ...own.map((name) => this.get(name))];
    const listed = all.filter((row) => serviceType === undefined || row.serviceType === serviceType);
    const request = marker === undefined ? {} : { nextToken: marker };
    return pageByName(listed, request, { nameOf: ({ name }) => name, defaultSize: pageSize });
  }

  /** `name` or `name/suffix`, as in ARNs. */
  hasResource(resource: string): boolean {
    const [name = "", suffix = ""] = resource.split("/");
    return this.find(name)?.suffix === suffix;
  }

  private draw(characters: number): string {
    return uuidV4(this.options.random).replaceAll("-", "").slice(0, characters);
  }

  private own(name: string): DomainConfiguration | undefined {
    const serviceType = OWN.get(name);
    if (serviceType === undefined) return undefined;
    return {
      name,
      domainName: this.options.endpoints.ofService(serviceType),
      domainType: "ENDPOINT",
      serviceType,
      status: "ENABLED",
      serverCertificateArns: [],
      suffix: "",
      statusChangedAtMs: 0,
    };
  }

  private assertAuthorizer({ authorizerConfig }: DomainSettings): void {
    const name = authorizerConfig?.defaultAuthorizerName;
    if (name !== undefined && !this.options.authorizerExists(name))
      throw cloudError("InvalidRequestException", `There is no authorizer ${name}.`);
  }
}

function settingsOf(request: DomainSettings): DomainSettings {
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) if (request[name] !== undefined) settings[name] = request[name];
  return settings;
}

const CODEC: RecordCodec<DomainConfiguration> = {
  // All of it came as JSON.
  write: (row) => ({ ...row }) as unknown as JsonValue,
  read: (value, key) => {
    if (!isJsonObject(value) || value["name"] !== key) return undefined;
    const isWhole =
      typeof value["domainName"] === "string" &&
      typeof value["domainType"] === "string" &&
      typeof value["serviceType"] === "string" &&
      typeof value["status"] === "string" &&
      Array.isArray(value["serverCertificateArns"]) &&
      typeof value["suffix"] === "string" &&
      typeof value["statusChangedAtMs"] === "number";
    return isWhole ? (value as unknown as DomainConfiguration) : undefined;
  },
};
