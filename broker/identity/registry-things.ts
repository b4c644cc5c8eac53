import type { Registry } from "../registry/index.js";
import type { IdentityThings } from "./things-port.js";

/** The registry as identity asks it. */
export const thingsOf = (registry: Registry): IdentityThings => ({
  thingOfConnection: (principal, clientId) => registry.principals.thingOfConnection(principal, clientId),
  hasThings: (principal) => registry.principals.isAttached(principal),
  hasThing: (thingName) => registry.hasThing(thingName),
  groupsOf: (thingName) => registry.lineageOf(thingName),
  groupKind: (thingGroupName) => {
    const group = registry.thingGroup(thingGroupName);
    if (group === undefined) return undefined;
    return group.dynamic === undefined ? "static" : "dynamic";
  },
  ancestorsOf: (thingGroupName) =>
    registry
      .thingGroup(thingGroupName)
      ?.lineage.slice(1)
      .map(({ name }) => name) ?? [],
});
