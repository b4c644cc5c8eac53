export { type PlanParameters, planOf, type ProvisioningPlan } from "./plan.js";
export type { ProvisioningClaim } from "./claims.js";
export { type NamePage, pageByName } from "./name-page.js";
export type { Provisioned } from "./provisioner.js";
export { Provisioning, type ProvisioningOptions } from "./provisioning.js";
export type { RegistrationTask, RegistrationTaskStatus, ReportType } from "./registration-task.js";
export type { StartTaskRequest } from "./registration-tasks.js";
export { DEFAULT_PROVISIONING_SETTINGS, type ProvisioningSettings } from "./settings.js";
export { parseTemplate } from "./template.js";
export type {
  CreateTemplateRequest,
  ProvisioningHook,
  ProvisioningTemplate,
  TemplateVersion,
  UpdateTemplateRequest,
} from "./template-store.js";
