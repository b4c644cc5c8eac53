export { type PlanParameters, planOf, type ProvisioningPlan } from "./plan.js";
export { Provisioning } from "./provisioning.js";
export type { RegistrationTaskStatus, ReportType } from "./registration-task.js";
export type { StartTaskRequest } from "./registration-tasks.js";
export { DEFAULT_PROVISIONING_SETTINGS, type ProvisioningSettings } from "./settings.js";
export { parseTemplate } from "./template.js";
export type {
  CreateTemplateRequest,
  ProvisioningTemplate,
  TemplateVersion,
  UpdateTemplateRequest,
} from "./template-store.js";
