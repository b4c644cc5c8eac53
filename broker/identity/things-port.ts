/** A thing as policies see it. */
export interface IdentityThing {
  readonly name: string;
  readonly typeName: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The thing that a connection is associated with. */
export interface ConnectionThing {
  readonly thing: IdentityThing;
  /** AWS: EXCLUSIVE_THING; the principal is attached to no other. */
  readonly isExclusive: boolean;
}

/** What identity asks the registry. Principals are named as in `PolicyTarget`. */
export interface IdentityThings {
  /** The thing to which the principal is attached exclusively, or the one that is called like the client. */
  thingOfConnection(principal: string, clientId: string): ConnectionThing | undefined;
  /** Is the principal attached to any thing? */
  hasThings(principal: string): boolean;
  hasThing(thingName: string): boolean;
  /** Static groups of a thing with all their ancestors, nearest first. */
  groupsOf(thingName: string): readonly string[];
  /** AWS: dynamic groups have no policies. */
  groupKind(thingGroupName: string): "static" | "dynamic" | undefined;
  /** A group's ancestors, nearest first. */
  ancestorsOf(thingGroupName: string): readonly string[];
}

/** A registry without things. */
export const NO_THINGS: IdentityThings = {
  thingOfConnection: () => undefined,
  hasThings: () => false,
  hasThing: () => false,
  groupsOf: () => [],
  groupKind: () => undefined,
  ancestorsOf: () => [],
};
