export { type Attributes, DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from "./limits.js";
export type { PageRequest } from "./page.js";
export {
  createRegistry,
  type ListThingGroupsRequest,
  type ListThingsInThingGroupRequest,
  Registry,
  type RegistryOptions,
} from "./registry.js";
export type {
  CreateThingGroupRequest,
  ThingGroupDescription,
  UpdateThingGroupRequest,
} from "./thing-groups.js";
export type {
  CreateThingRequest,
  ListThingsRequest,
  ThingDescription,
  UpdateThingRequest,
} from "./thing-table.js";
