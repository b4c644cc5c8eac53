export { type PlanParameters, planOf, type ProvisioningPlan } from "./plan.js";
export { parseTemplate } from "./template.js";
