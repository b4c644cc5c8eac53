import { type Clock, isJsonObject, type JsonObject } from "fleetrig/kernel";
import { parseArn } from "../account.js";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import type { CreateJobRequest } from "./job-request.js";
import type { MaintenanceWindow } from "./maintenance-window.js";
import { MANAGED_TEMPLATES, type ManagedTemplate } from "./managed-templates.js";
import { checkJobTemplate } from "./validate.js";

/** What jobs take over from a template. */
type TemplateConfig = Pick<
  CreateJobRequest,
  | "abortConfig"
  | "jobExecutionsRetryConfig"
  | "jobExecutionsRolloutConfig"
  | "presignedUrlConfig"
  | "timeoutConfig"
>;

/** AWS: CreateJobTemplate, with its document at hand. */
export interface JobTemplateRequest extends TemplateConfig {
  readonly jobTemplateId: string;
  readonly description: string;
  readonly document: string;
  readonly documentSource?: string;
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
}

/** A job template of the account. */
export interface JobTemplate extends JobTemplateRequest {
  readonly createdAtMs: number;
}

/** Job templates: the account's own, which are written down, and the managed ones. */
export class JobTemplates {
  private readonly table: RecordTable<JobTemplate>;

  constructor(private readonly options: { readonly clock: Clock; readonly records: RecordBook }) {
    this.table = options.records.table("job-templates", {
      // A request that was validated is JSON; TypeScript cannot see that of an interface.
      write: (template) => template as unknown as JsonObject,
      read: (value) =>
        isJsonObject(value) && typeof value["document"] === "string"
          ? (value as unknown as JobTemplate)
          : undefined,
    });
  }

  /** @throws CLOUD_INVALID_REQUEST, CLOUD_CONFLICT when there is one of this id. */
  create(request: JobTemplateRequest): void {
    checkJobTemplate(request);
    const { jobTemplateId } = request;
    if (this.table.has(jobTemplateId))
      throw cloudError("ConflictException", `Job template ${jobTemplateId} exists already.`, {
        members: { resourceId: jobTemplateId },
      });
    this.table.set(jobTemplateId, { ...request, createdAtMs: this.options.clock.wallMs() });
  }

  has(jobTemplateId: string): boolean {
    return this.table.has(jobTemplateId);
  }

  /** @throws CLOUD_NOT_FOUND */
  get(jobTemplateId: string): JobTemplate {
    const template = this.table.get(jobTemplateId);
    if (template !== undefined) return template;
    throw cloudError("ResourceNotFoundException", `There is no job template ${jobTemplateId}.`);
  }

  /** @throws CLOUD_NOT_FOUND */
  delete(jobTemplateId: string): void {
    this.get(jobTemplateId);
    this.table.delete(jobTemplateId);
  }

  /** By id. */
  all(): readonly JobTemplate[] {
    return [...this.table.values()].sort((a, b) => (a.jobTemplateId < b.jobTemplateId ? -1 : 1));
  }

  /** @throws CLOUD_NOT_FOUND */
  managed(templateName: string, templateVersion?: string): ManagedTemplate {
    const found = MANAGED_TEMPLATES.find(
      (template) =>
        template.templateName === templateName &&
        (templateVersion === undefined || template.templateVersion === templateVersion),
    );
    if (found !== undefined) return found;
    throw cloudError("ResourceNotFoundException", `There is no managed job template ${templateName}.`, {
      hint: `There are ${MANAGED_TEMPLATES.map((template) => template.templateName).join(", ")}.`,
    });
  }

  /** The template that an ARN names; managed ones end in `<name>:<version>`. @throws CLOUD_NOT_FOUND */
  byArn(arn: string): JobTemplate | ManagedTemplate {
    const parsed = parseArn(arn);
    if (parsed?.kind !== "jobtemplate")
      throw cloudError("InvalidRequestException", "jobTemplateArn is not the ARN of a job template.");
    const [name = "", version] = parsed.name.split(":", 2);
    return version === undefined ? this.get(name) : this.managed(name, version);
  }
}
