/** Limits of the registry; the defaults are AWS's (REF §13.1) unless a comment says that they are ours. */
export interface RegistryLimits {
  /** Attributes of a thing that has no thing type. */
  readonly maxAttributesWithoutType: number;
  readonly maxAttributesWithType: number;
  /** Static and dynamic groups together. */
  readonly maxGroupsPerThing: number;
  /** Levels of thing groups, the root group included. */
  readonly maxGroupDepth: number;
  /** Direct children of one group. */
  readonly maxChildGroups: number;
  readonly maxDynamicGroups: number;
  readonly maxBillingGroups: number;
  /** Attributes that a thing type names as searchable. */
  readonly maxSearchableAttributes: number;
  /** What a thing type adds to MQTT 5 messages. */
  readonly maxPropagatingAttributes: number;
  readonly maxTagsPerResource: number;
  /** Ours: AWS has no limit on things. */
  readonly maxThings: number;
  /** Ours, too: AWS's is about parents and children. */
  readonly maxGroups: number;
  /** Ours. */
  readonly maxThingTypes: number;
  /** Ours. */
  readonly maxPrincipalsPerThing: number;
}

/** AWS's limits, and ours where AWS has none. */
export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = {
  maxAttributesWithoutType: 3,
  maxAttributesWithType: 50,
  maxGroupsPerThing: 10,
  maxGroupDepth: 7,
  maxChildGroups: 100,
  maxDynamicGroups: 100,
  maxBillingGroups: 20_000,
  maxSearchableAttributes: 3,
  maxPropagatingAttributes: 20,
  maxTagsPerResource: 50,
  maxThings: 5_000_000,
  maxGroups: 100_000,
  maxThingTypes: 100_000,
  maxPrincipalsPerThing: 1_000,
};
