import { type Clock, isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";
import { type ListPage, type ListRequest, pageByName } from "../list-page.js";
import { parseTemplate, type Template } from "./template.js";

const DEFAULT_PAGE = 250;

/** AWS: what a template is for. It cannot change. */
type TemplateType = "FLEET_PROVISIONING" | "JITP";

/** AWS: the function that is asked before a device is provisioned. */
interface ProvisioningHook {
  readonly payloadVersion?: string;
  readonly targetArn: string;
}

export interface TemplateVersion {
  readonly versionId: number;
  readonly templateBody: string;
  readonly createdAtMs: number;
}

/** A provisioning template with its versions. */
export interface ProvisioningTemplate {
  readonly templateName: string;
  readonly type: TemplateType;
  description: string | undefined;
  enabled: boolean;
  provisioningRoleArn: string;
  preProvisioningHook: ProvisioningHook | undefined;
  readonly versions: TemplateVersion[];
  defaultVersionId: number;
  /** Numbers are not used twice. */
  lastVersionId: number;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

/** AWS: CreateProvisioningTemplate. */
export interface CreateTemplateRequest {
  readonly templateName: string;
  readonly templateBody: string;
  readonly provisioningRoleArn: string;
  readonly description?: string;
  /** Default false. */
  readonly enabled?: boolean;
  readonly preProvisioningHook?: ProvisioningHook;
  /** Default FLEET_PROVISIONING. */
  readonly type?: TemplateType;
}

/** AWS: UpdateProvisioningTemplate. */
export interface UpdateTemplateRequest {
  readonly templateName: string;
  readonly description?: string;
  readonly enabled?: boolean;
  readonly defaultVersionId?: number;
  readonly provisioningRoleArn?: string;
  readonly preProvisioningHook?: ProvisioningHook;
  readonly removePreProvisioningHook?: boolean;
}

export interface TemplateStoreOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  /** Does something, such as a CA certificate, refer to this template? */
  readonly isInUse?: (templateName: string) => boolean;
  /** Quotas. AWS: 256 templates of 5 versions. */
  readonly maxTemplates?: number;
  readonly maxVersions?: number;
}

/** The provisioning templates of the account, by name. */
export class TemplateStore {
  private readonly table: RecordTable<ProvisioningTemplate>;
  private readonly parsed = new WeakMap<TemplateVersion, Template>();

  constructor(private readonly options: TemplateStoreOptions) {
    this.table = options.records.table("provisioning-templates", TEMPLATE_CODEC);
  }

  find(templateName: string): ProvisioningTemplate | undefined {
    return this.table.get(templateName);
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  get(templateName: string): ProvisioningTemplate {
    const template = this.table.get(templateName);
    if (template !== undefined) return template;
    throw cloudError("ResourceNotFoundException", `There is no provisioning template ${templateName}.`, {
      hint: "aws iot list-provisioning-templates shows those that there are.",
    });
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  version(templateName: string, versionId: number): TemplateVersion {
    const version = this.get(templateName).versions.find((each) => each.versionId === versionId);
    if (version !== undefined) return version;
    throw cloudError("ResourceNotFoundException", `Template ${templateName} has no version ${versionId}.`);
  }

  /** The default version, parsed. */
  current(template: ProvisioningTemplate): Template {
    const version = this.version(template.templateName, template.defaultVersionId);
    let parsed = this.parsed.get(version);
    if (parsed === undefined) {
      parsed = parseTemplate(version.templateBody);
      this.parsed.set(version, parsed);
    }
    return parsed;
  }

  /** @throws {FleetrigError} CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED, CLOUD_INVALID_REQUEST */
  create(request: CreateTemplateRequest): ProvisioningTemplate {
    const { templateName, templateBody, type = "FLEET_PROVISIONING", preProvisioningHook } = request;
    const { clock, maxTemplates = 256 } = this.options;
    if (this.table.has(templateName))
      throw cloudError(
        "ResourceAlreadyExistsException",
        `There is a provisioning template ${templateName} already.`,
        {
          members: { resourceId: templateName },
        },
      );
    if (this.table.size >= maxTemplates)
      throw cloudError("LimitExceededException", `There are ${maxTemplates} provisioning templates already.`);
    assertHook(type, preProvisioningHook);
    assertBody(type, templateBody);
    const nowMs = clock.wallMs();
    const template: ProvisioningTemplate = {
      templateName,
      type,
      description: request.description,
      enabled: request.enabled ?? false,
      provisioningRoleArn: request.provisioningRoleArn,
      preProvisioningHook,
      versions: [{ versionId: 1, templateBody, createdAtMs: nowMs }],
      defaultVersionId: 1,
      lastVersionId: 1,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
    };
    this.table.set(templateName, template);
    return template;
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_VERSIONS_LIMIT, CLOUD_INVALID_REQUEST */
  createVersion(templateName: string, templateBody: string, setAsDefault = false): TemplateVersion {
    const template = this.get(templateName);
    const { clock, maxVersions = 5 } = this.options;
    assertBody(template.type, templateBody);
    if (template.versions.length >= maxVersions)
      throw cloudError(
        "VersionsLimitExceededException",
        `Template ${templateName} has ${maxVersions} versions.`,
        {
          hint: "aws iot delete-provisioning-template-version makes room.",
        },
      );
    const versionId = template.lastVersionId + 1;
    const version: TemplateVersion = { versionId, templateBody, createdAtMs: clock.wallMs() };
    template.versions.push(version);
    template.lastVersionId = versionId;
    if (setAsDefault) template.defaultVersionId = versionId;
    this.changed(template);
    return version;
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(request: UpdateTemplateRequest): void {
    const {
      templateName,
      defaultVersionId,
      preProvisioningHook,
      removePreProvisioningHook = false,
    } = request;
    const template = this.get(templateName);
    if (removePreProvisioningHook && preProvisioningHook !== undefined)
      throw cloudError("InvalidRequestException", "A hook cannot be set and removed at once.");
    assertHook(template.type, preProvisioningHook);
    if (defaultVersionId !== undefined) this.version(templateName, defaultVersionId);
    template.description = request.description ?? template.description;
    template.enabled = request.enabled ?? template.enabled;
    template.provisioningRoleArn = request.provisioningRoleArn ?? template.provisioningRoleArn;
    template.defaultVersionId = defaultVersionId ?? template.defaultVersionId;
    template.preProvisioningHook = removePreProvisioningHook
      ? undefined
      : (preProvisioningHook ?? template.preProvisioningHook);
    this.changed(template);
  }

  /** With all its versions. @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  delete(templateName: string): void {
    this.get(templateName);
    if (this.options.isInUse?.(templateName) === true)
      throw cloudError(
        "DeleteConflictException",
        `A CA certificate provisions with template ${templateName}.`,
      );
    this.table.delete(templateName);
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  deleteVersion(templateName: string, versionId: number): void {
    const version = this.version(templateName, versionId);
    const template = this.get(templateName);
    if (template.defaultVersionId === versionId)
      throw cloudError("DeleteConflictException", `Version ${versionId} is the default of ${templateName}.`, {
        hint: "Make another version the default first.",
      });
    template.versions.splice(template.versions.indexOf(version), 1);
    this.changed(template);
  }

  list(request: ListRequest): ListPage<ProvisioningTemplate> {
    return pageByName(this.table.values(), request, {
      nameOf: ({ templateName }) => templateName,
      defaultSize: DEFAULT_PAGE,
    });
  }

  private changed(template: ProvisioningTemplate): void {
    template.modifiedAtMs = this.options.clock.wallMs();
    this.table.changed(template.templateName);
  }
}

function assertHook(type: TemplateType, hook: ProvisioningHook | undefined): void {
  if (hook !== undefined && type !== "FLEET_PROVISIONING")
    throw cloudError("InvalidRequestException", "Only templates for fleet provisioning have a hook.");
}

/** AWS: both kinds provision a certificate that is registered already, and name it by its id. */
function assertBody(type: TemplateType, body: string): void {
  const { certificate } = parseTemplate(body);
  if (certificate !== undefined && certificate.source.kind !== "id")
    throw cloudError(
      "InvalidRequestException",
      `Templates of type ${type} name their certificate by CertificateId.`,
      {
        hint: 'Write "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}.',
      },
    );
}

const TEMPLATE_CODEC: RecordCodec<ProvisioningTemplate> = {
  write: ({ description, preProvisioningHook, versions, ...rest }) => ({
    ...rest,
    versions: versions.map((version) => ({ ...version })),
    ...(description !== undefined && { description }),
    ...(preProvisioningHook !== undefined && { preProvisioningHook: { ...preProvisioningHook } }),
  }),
  read: (value, key) => {
    if (!isJsonObject(value) || value["templateName"] !== key) return undefined;
    const { versions } = value;
    if (!Array.isArray(versions) || !versions.every(isVersion)) return undefined;
    const record = { description: undefined, preProvisioningHook: undefined, ...value };
    return isTemplateRecord(value) ? (record as unknown as ProvisioningTemplate) : undefined;
  },
};

const isVersion = (value: JsonValue): boolean =>
  isJsonObject(value) &&
  typeof value["versionId"] === "number" &&
  typeof value["templateBody"] === "string" &&
  typeof value["createdAtMs"] === "number";

const isTemplateRecord = (value: JsonObject): boolean =>
  typeof value["type"] === "string" &&
  typeof value["enabled"] === "boolean" &&
  typeof value["provisioningRoleArn"] === "string" &&
  typeof value["defaultVersionId"] === "number" &&
  typeof value["lastVersionId"] === "number" &&
  typeof value["createdAtMs"] === "number" &&
  typeof value["modifiedAtMs"] === "number";
