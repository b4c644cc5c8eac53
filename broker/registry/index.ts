export type { Attributes } from "./attributes.js";
export type {
  CreateBillingGroupRequest,
  ListByPrefixRequest,
  UpdateBillingGroupRequest,
} from "./billing-groups.js";
export type { RegistryChange } from "./changes.js";
export type {
  CreateDynamicThingGroupRequest,
  DynamicMembership,
  QueryFollower,
  Subscription,
  UpdateDynamicThingGroupRequest,
} from "./dynamic-groups.js";
export { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from "./limits.js";
export type { PageRequest } from "./page.js";
export {
  createRegistry,
  type ListThingsInThingGroupRequest,
  Registry,
  type RegistryOptions,
  type ThingGroupMembershipRequest,
  type UpdateThingGroupsForThingRequest,
} from "./registry.js";
export { type Tag, Tags } from "./tags.js";
export type { RegisteredThing } from "./thing.js";
export type { DynamicGroup, RegisteredGroup } from "./thing-group.js";
export type {
  CreateThingGroupRequest,
  DeleteThingGroupRequest,
  ListThingGroupsRequest,
  ThingGroupDescription,
  UpdateThingGroupRequest,
} from "./thing-groups.js";
export { principalOf, type ThingPrincipalType } from "./thing-principals.js";
export type {
  CreateThingRequest,
  ListThingsRequest,
  ThingDescription,
  ThingSummary,
  UpdateThingRequest,
} from "./thing-table.js";
export type {
  ListThingTypesRequest,
  RegisteredType,
  ThingTypeProperties,
  ThingTypeRequest,
} from "./thing-types.js";
