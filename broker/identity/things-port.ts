/** A thing as policies see it. */
export interface IdentityThing {
  readonly thingName: string;
  readonly thingTypeName?: string | undefined;
  readonly attributes: ReadonlyMap<string, string>;
}

/** A thing that a principal is attached to. */
export interface AttachedThing {
  readonly thingName: string;
  /** AWS: EXCLUSIVE_THING; the principal is attached to no other. */
  readonly isExclusive: boolean;
}

/** What identity asks the registry. Principals are named as in `PolicyTarget`. */
export interface IdentityThings {
  thing(thingName: string): IdentityThing | undefined;
  attachedThings(principal: string): readonly AttachedThing[];
  isAttached(principal: string, thingName: string): boolean;
  /** Groups of a thing with all their ancestors, nearest first, each once. */
  groupsOf(thingName: string): readonly string[];
  hasGroup(thingGroupName: string): boolean;
  /** A group's ancestors, nearest first. */
  ancestorsOf(thingGroupName: string): readonly string[];
}

/** A registry without things. */
export const NO_THINGS: IdentityThings = {
  thing: () => undefined,
  attachedThings: () => [],
  isAttached: () => false,
  groupsOf: () => [],
  hasGroup: () => false,
  ancestorsOf: () => [],
};
