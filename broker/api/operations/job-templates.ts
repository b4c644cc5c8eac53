import type { Account } from "../../account.js";
import { type JobTemplateOrder, MANAGED_TEMPLATES, type ManagedTemplate } from "../../jobs/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

const DEFAULT_PAGE = 250;

/** Managed templates belong to AWS, whose account is empty in their ARNs. */
const managedArn = ({ partition, region }: Account, template: ManagedTemplate): string =>
  `arn:${partition}:iot:${region}::jobtemplate/${template.templateName}:${template.templateVersion}`;

/** Job templates, the account's own and the managed ones. */
export const jobTemplateOperations: OperationTable = {
  CreateJobTemplate: operation<JobTemplateOrder & { readonly tags?: readonly Tag[] }>(
    async ({ tags, ...order }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const { jobTemplateId } = order;
      cloud.management.jobTemplates.create(await cloud.management.jobOrders.template(order));
      cloud.tags.tagNew("jobtemplate", jobTemplateId, tags);
      return { jobTemplateArn: account.arn("jobtemplate", jobTemplateId), jobTemplateId };
    },
    { lacks: "destinationPackageVersions are not supported." },
  ),
  DeleteJobTemplate: operation<{ readonly jobTemplateId: string }>(({ jobTemplateId }, { cloud }) => {
    cloud.management.jobTemplates.delete(jobTemplateId);
    cloud.tags.forget("jobtemplate", jobTemplateId);
    return undefined;
  }),
  DescribeJobTemplate: operation<{ readonly jobTemplateId: string }>(
    ({ jobTemplateId }, { cloud, account }) => {
      const { createdAtMs, ...template } = cloud.management.jobTemplates.get(jobTemplateId);
      return {
        ...template,
        jobTemplateArn: account.arn("jobtemplate", jobTemplateId),
        createdAt: createdAtMs / 1000,
      };
    },
  ),
  ListJobTemplates: operation<ListRequest>((request, { cloud, account }) => {
    const { items, nextToken } = pageByName(cloud.management.jobTemplates.all(), request, {
      nameOf: ({ jobTemplateId }) => jobTemplateId,
      defaultSize: DEFAULT_PAGE,
    });
    return {
      jobTemplates: items.map(({ jobTemplateId, description, createdAtMs }) => ({
        jobTemplateArn: account.arn("jobtemplate", jobTemplateId),
        jobTemplateId,
        description,
        createdAt: createdAtMs / 1000,
      })),
      nextToken,
    };
  }),
  DescribeManagedJobTemplate: operation<{
    readonly templateName: string;
    readonly templateVersion?: string;
  }>(({ templateName, templateVersion }, { cloud, account }) => {
    const template = cloud.management.jobTemplates.managed(templateName, templateVersion);
    return { ...template, templateArn: managedArn(account, template) };
  }),
  ListManagedJobTemplates: operation<ListRequest & { readonly templateName?: string }>(
    ({ templateName, ...request }, { account }) => {
      const wanted = MANAGED_TEMPLATES.filter(
        (template) => templateName === undefined || template.templateName === templateName,
      );
      const { items, nextToken } = pageByName(wanted, request, {
        nameOf: (template) => template.templateName,
        defaultSize: DEFAULT_PAGE,
      });
      return {
        managedJobTemplates: items.map((template) => ({
          templateArn: managedArn(account, template),
          templateName: template.templateName,
          description: template.description,
          environments: template.environments,
          templateVersion: template.templateVersion,
        })),
        nextToken,
      };
    },
    { lacks: "There are the templates that need no AWS account of their own; their wording is ours." },
  ),
};
