import type { DocumentSources } from "./document-sources.js";
import type { CreateJobRequest } from "./job-request.js";
import type { JobTemplate, JobTemplateRequest, JobTemplates } from "./job-templates.js";
import { cloudError } from "../cloud-error.js";
import { fillIn } from "./template-parameters.js";
import type { JobsService } from "./service.js";

/** Where a document may come from, in the words of CreateJob. */
interface Sources {
  readonly document?: string;
  readonly documentSource?: string;
}

/** AWS: CreateJob. */
export interface JobOrder extends Omit<CreateJobRequest, "document" | "origin">, Sources {
  readonly jobTemplateArn?: string;
  readonly documentParameters?: Readonly<Record<string, string>>;
}

/** AWS: CreateJobTemplate. */
export interface JobTemplateOrder extends Omit<JobTemplateRequest, "document">, Sources {
  /** A job to take document and settings from. */
  readonly jobArn?: string;
}

export interface JobOrdersParts {
  readonly jobs: JobsService;
  readonly templates: JobTemplates;
  readonly sources: DocumentSources;
}

/** Makes complete requests of what the API is asked for: documents are fetched, templates looked up and filled in. */
export class JobOrders {
  constructor(private readonly parts: JobOrdersParts) {}

  /** @throws CLOUD_INVALID_REQUEST, CLOUD_NOT_FOUND */
  async job(order: JobOrder): Promise<CreateJobRequest> {
    const { document, documentSource, jobTemplateArn, documentParameters, ...rest } = order;
    const template = jobTemplateArn === undefined ? undefined : this.parts.templates.byArn(jobTemplateArn);
    if (documentParameters !== undefined && (template === undefined || !("templateName" in template)))
      throw cloudError("InvalidRequestException", "documentParameters are for managed job templates only.");
    if (template !== undefined && (document ?? documentSource) !== undefined)
      throw cloudError("InvalidRequestException", "A job has its document from its template, or of its own.");
    const origin = {
      ...(jobTemplateArn !== undefined && { jobTemplateArn }),
      ...(documentParameters !== undefined && { documentParameters }),
    };
    if (template === undefined) return { ...rest, ...(await this.documentOf({ document, documentSource })) };
    if ("templateName" in template)
      return {
        ...rest,
        document: fillIn(template, documentParameters ?? {}),
        origin: { ...origin, template: template.document },
      };
    return { ...configOf(template, rest), ...rest, document: template.document, origin };
  }

  /** @throws CLOUD_INVALID_REQUEST, CLOUD_NOT_FOUND */
  async template(order: JobTemplateOrder): Promise<JobTemplateRequest> {
    const { document, documentSource, jobArn, ...rest } = order;
    if (jobArn === undefined) {
      const { origin, ...found } = await this.documentOf({ document, documentSource });
      return { ...rest, ...found, ...(origin !== undefined && { documentSource: documentSource! }) };
    }
    const { request, documentText } = this.parts.jobs.specOf(jobArn.slice(jobArn.lastIndexOf("/") + 1));
    const { maintenanceWindows } = request.schedulingConfig ?? {};
    return {
      ...shared(request),
      ...(maintenanceWindows !== undefined && { maintenanceWindows }),
      ...rest,
      document: documentText,
    };
  }

  private async documentOf(from: {
    readonly document: string | undefined;
    readonly documentSource: string | undefined;
  }): Promise<Pick<CreateJobRequest, "document" | "origin"> & { readonly document: string }> {
    const { document, documentSource } = from;
    if ((document === undefined) === (documentSource === undefined))
      throw cloudError("InvalidRequestException", "Either document or documentSource is needed.");
    if (documentSource === undefined) return { document: document! };
    return { document: await this.parts.sources.read(documentSource), origin: { documentSource } };
  }
}

/** What both jobs and templates say about how a job runs. */
function shared(from: CreateJobRequest | JobTemplate) {
  const { abortConfig, jobExecutionsRetryConfig, jobExecutionsRolloutConfig } = from;
  const { presignedUrlConfig, timeoutConfig } = from;
  return {
    ...(abortConfig !== undefined && { abortConfig }),
    ...(jobExecutionsRetryConfig !== undefined && { jobExecutionsRetryConfig }),
    ...(jobExecutionsRolloutConfig !== undefined && { jobExecutionsRolloutConfig }),
    ...(presignedUrlConfig !== undefined && { presignedUrlConfig }),
    ...(timeoutConfig !== undefined && { timeoutConfig }),
  };
}

/** The template's side of a job that names one; what the job says itself counts more. */
function configOf(template: JobTemplate, job: Pick<CreateJobRequest, "schedulingConfig">) {
  const { description, maintenanceWindows } = template;
  return {
    description,
    ...shared(template),
    ...(maintenanceWindows !== undefined &&
      job.schedulingConfig === undefined && { schedulingConfig: { maintenanceWindows } }),
  };
}
