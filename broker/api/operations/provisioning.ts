import type { Account } from "../../account.js";
import type {
  CreateTemplateRequest,
  ProvisioningTemplate,
  RegistrationTaskStatus,
  ReportType,
  StartTaskRequest,
  TemplateVersion,
  UpdateTemplateRequest,
} from "../../provisioning/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";

interface TemplateInput {
  readonly templateName: string;
}

interface VersionInput extends TemplateInput {
  readonly versionId: number;
}

interface PageInput {
  readonly maxResults?: number;
  readonly nextToken?: string;
}

interface TaskInput {
  readonly taskId: string;
}

const S = 1000;
const KIND = "provisioningtemplate";

const names = ({ templateName }: TemplateInput, account: Account) => ({
  templateArn: account.arn(KIND, templateName),
  templateName,
});

const summary = (template: ProvisioningTemplate, account: Account) => ({
  ...names(template, account),
  description: template.description,
  creationDate: template.createdAtMs / S,
  lastModifiedDate: template.modifiedAtMs / S,
  enabled: template.enabled,
  type: template.type,
});

const versionOf = (
  { versionId, createdAtMs }: TemplateVersion,
  { defaultVersionId }: ProvisioningTemplate,
) => ({
  versionId,
  creationDate: createdAtMs / S,
  isDefaultVersion: versionId === defaultVersionId,
});

/** Provisioning templates and what is done with them (REF §11). */
export const provisioningOperations: OperationTable = {
  RegisterThing: operation<{ templateBody: string; parameters?: Readonly<Record<string, string>> }>(
    (input, { cloud, account }) => {
      const { certificatePem, resourceArns } = cloud.provisioning.registerThing(input, account);
      return { certificatePem, resourceArns };
    },
  ),
  CreateProvisioningTemplate: operation<CreateTemplateRequest & { tags?: readonly Tag[] }>(
    ({ tags, ...input }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const template = cloud.provisioning.templates.create(input);
      cloud.tags.tagNew(KIND, input.templateName, tags);
      return { ...names(input, account), defaultVersionId: template.defaultVersionId };
    },
  ),
  CreateProvisioningTemplateVersion: operation<
    TemplateInput & { templateBody: string; setAsDefault?: boolean }
  >((input, { cloud, account }) => {
    const { templates } = cloud.provisioning;
    const { versionId } = templates.createVersion(input.templateName, input.templateBody, input.setAsDefault);
    const isDefaultVersion = templates.get(input.templateName).defaultVersionId === versionId;
    return { ...names(input, account), versionId, isDefaultVersion };
  }),
  UpdateProvisioningTemplate: operation<UpdateTemplateRequest>((input, { cloud }) => {
    cloud.provisioning.templates.update(input);
    return {};
  }),
  DescribeProvisioningTemplate: operation<TemplateInput>(({ templateName }, { cloud, account }) => {
    const { templates } = cloud.provisioning;
    const template = templates.get(templateName);
    const { defaultVersionId, provisioningRoleArn, preProvisioningHook } = template;
    const { templateBody } = templates.version(templateName, defaultVersionId);
    return {
      ...summary(template, account),
      defaultVersionId,
      templateBody,
      provisioningRoleArn,
      preProvisioningHook,
    };
  }),
  DescribeProvisioningTemplateVersion: operation<VersionInput>(({ templateName, versionId }, { cloud }) => {
    const { templates } = cloud.provisioning;
    const version = templates.version(templateName, versionId);
    return { ...versionOf(version, templates.get(templateName)), templateBody: version.templateBody };
  }),
  ListProvisioningTemplates: operation<PageInput>((input, { cloud, account }) => {
    const { items, nextToken } = cloud.provisioning.templates.list(input);
    return { templates: items.map((template) => summary(template, account)), nextToken };
  }),
  ListProvisioningTemplateVersions: operation<TemplateInput & PageInput>((input, { cloud }) => {
    const template = cloud.provisioning.templates.get(input.templateName);
    // A page holds more versions than a template can have.
    return { versions: template.versions.map((version) => versionOf(version, template)) };
  }),
  DeleteProvisioningTemplate: operation<TemplateInput>(({ templateName }, { cloud }) => {
    cloud.provisioning.templates.delete(templateName);
    cloud.tags.forget(KIND, templateName);
    return {};
  }),
  DeleteProvisioningTemplateVersion: operation<VersionInput>(({ templateName, versionId }, { cloud }) => {
    cloud.provisioning.templates.deleteVersion(templateName, versionId);
    return {};
  }),
  CreateProvisioningClaim: operation<TemplateInput>(async ({ templateName }, { cloud }) => {
    const { certificateId, certificatePem, keyPair, expiresAtMs } =
      await cloud.provisioning.claims.create(templateName);
    return {
      certificateId,
      certificatePem,
      keyPair: { PublicKey: keyPair?.publicKeyPem, PrivateKey: keyPair?.privateKeyPem },
      expiration: expiresAtMs / S,
    };
  }),
  StartThingRegistrationTask: operation<StartTaskRequest>((input, { cloud }) => {
    const { taskId } = cloud.provisioning.tasks.start(input);
    return { taskId };
  }),
  StopThingRegistrationTask: operation<TaskInput>(({ taskId }, { cloud }) => {
    cloud.provisioning.tasks.cancel(taskId);
    return {};
  }),
  DescribeThingRegistrationTask: operation<TaskInput>(({ taskId }, { cloud }) => {
    const { createdAtMs, modifiedAtMs, ...task } = cloud.provisioning.tasks.get(taskId);
    return { ...task, creationDate: createdAtMs / S, lastModifiedDate: modifiedAtMs / S };
  }),
  ListThingRegistrationTasks: operation<PageInput & { status?: RegistrationTaskStatus }>(
    (input, { cloud }) => {
      const { items, nextToken } = cloud.provisioning.tasks.list(input);
      return { taskIds: items.map(({ taskId }) => taskId), nextToken };
    },
  ),
  ListThingRegistrationTaskReports: operation<TaskInput & { reportType: ReportType }>(
    ({ taskId, reportType }, { cloud }) => ({
      resourceLinks: cloud.provisioning.tasks.reportLinks(taskId, reportType),
      reportType,
    }),
  ),
};
