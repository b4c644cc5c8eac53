import type { Clock } from "fleetrig/kernel";
import { assertVersion, noSuchGroup } from "./errors.js";
import { cloudError } from "../cloud-error.js";
import {
  assertAttributes,
  assertName,
  type Attributes,
  changeAttributes,
  type RegistryLimits,
} from "./limits.js";
import type { Thing } from "./thing-table.js";

/** AWS: CreateThingGroup. */
export interface CreateThingGroupRequest {
  readonly thingGroupName: string;
  /** Cannot change later. */
  readonly parentGroupName?: string;
  readonly description?: string;
  readonly attributes?: Attributes;
}

/** AWS: UpdateThingGroup. */
export interface UpdateThingGroupRequest {
  readonly thingGroupName: string;
  readonly description?: string;
  readonly attributes?: Attributes;
  /** Add to the attributes instead of replacing them; an empty value deletes one. */
  readonly merge?: boolean;
  readonly expectedVersion?: number;
}

/** AWS: what DescribeThingGroup answers. */
export interface ThingGroupDescription {
  readonly thingGroupName: string;
  readonly parentGroupName?: string;
  readonly description?: string;
  readonly attributes: Attributes;
  readonly version: number;
  /** Wall-clock milliseconds. */
  readonly createdAtMs: number;
}

/** A static thing group. A thing of a child group counts as a thing of all its ancestors. */
export class ThingGroup {
  version = 1;
  readonly children = new Map<string, ThingGroup>();
  readonly things = new Set<Thing>();
  /** This group and its ancestors, upwards. */
  readonly lineage: readonly ThingGroup[];

  constructor(
    readonly name: string,
    readonly order: number,
    readonly parent: ThingGroup | undefined,
    readonly createdAtMs: number,
    public description: string | undefined,
    public attributes: Attributes,
  ) {
    this.lineage = [this, ...(parent?.lineage ?? [])];
  }

  get root(): ThingGroup {
    return this.lineage.at(-1)!;
  }
}

const MAX_GROUP_ATTRIBUTES = 50;

/** Thing groups by name, and who belongs to them. */
export class ThingGroups {
  private readonly groups = new Map<string, ThingGroup>();
  private readonly memberships = new Map<Thing, Set<ThingGroup>>();
  private nextOrder = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: RegistryLimits,
  ) {}

  /** AWS: creating a group again with the same parent, description and attributes changes nothing. */
  create(request: CreateThingGroupRequest): ThingGroup {
    const { thingGroupName, parentGroupName, description, attributes = {} } = request;
    const parent = parentGroupName === undefined ? undefined : this.get(parentGroupName);
    const existing = this.groups.get(thingGroupName);
    if (existing !== undefined) {
      if (existing.parent === parent && existing.description === description) return existing;
      throw cloudError("ResourceAlreadyExistsException", `Thing group ${thingGroupName} already exists.`, {
        hint: "A group cannot move to another parent; use updateThingGroup for the rest.",
        context: { thingGroupName },
      });
    }
    assertName("Thing group", thingGroupName);
    assertAttributes(attributes, MAX_GROUP_ATTRIBUTES);
    this.assertRoom(parent);
    const createdAtMs = this.clock.wallMs();
    const group = new ThingGroup(
      thingGroupName,
      this.nextOrder,
      parent,
      createdAtMs,
      description,
      attributes,
    );
    this.nextOrder += 1;
    this.groups.set(thingGroupName, group);
    parent?.children.set(thingGroupName, group);
    return group;
  }

  update(request: UpdateThingGroupRequest): ThingGroup {
    const group = this.get(request.thingGroupName);
    assertVersion(`Thing group ${group.name}`, request.expectedVersion, group.version);
    if (request.attributes !== undefined) {
      const attributes = changeAttributes(group.attributes, request.attributes, request.merge ?? false);
      assertAttributes(attributes, MAX_GROUP_ATTRIBUTES);
      group.attributes = attributes;
    }
    group.description = request.description ?? group.description;
    group.version += 1;
    return group;
  }

  /** @returns the things that belonged to it. */
  delete(group: ThingGroup): readonly Thing[] {
    if (group.children.size > 0) {
      throw cloudError("InvalidRequestException", `Thing group ${group.name} has child groups.`, {
        hint: "Delete the child groups first.",
        context: { thingGroupName: group.name, children: group.children.size },
      });
    }
    const things = inOrder(group.things);
    for (const thing of things) this.remove(thing, group);
    this.groups.delete(group.name);
    group.parent?.children.delete(group.name);
    return things;
  }

  find(thingGroupName: string): ThingGroup | undefined {
    return this.groups.get(thingGroupName);
  }

  get(thingGroupName: string): ThingGroup {
    const group = this.groups.get(thingGroupName);
    if (group === undefined) throw noSuchGroup(thingGroupName);
    return group;
  }

  /** In order of creation. */
  all(): Iterable<ThingGroup> {
    return this.groups.values();
  }

  /** @returns false when it was a member already. */
  add(thing: Thing, group: ThingGroup): boolean {
    const joined = this.memberships.get(thing) ?? new Set<ThingGroup>();
    if (joined.has(group)) return false;
    this.assertMayJoin(thing, group, joined);
    joined.add(group);
    group.things.add(thing);
    this.memberships.set(thing, joined);
    return true;
  }

  /** @returns false when it was no member. */
  remove(thing: Thing, group: ThingGroup): boolean {
    const joined = this.memberships.get(thing);
    if (joined === undefined || !joined.delete(group)) return false;
    group.things.delete(thing);
    if (joined.size === 0) this.memberships.delete(thing);
    return true;
  }

  /** Groups a thing was added to, without their ancestors, in order of creation. */
  groupsOf(thing: Thing): readonly ThingGroup[] {
    return inOrder(this.memberships.get(thing) ?? []);
  }

  /** In order of registration; with `isRecursive`, things of child groups too. */
  thingsIn(group: ThingGroup, isRecursive: boolean): readonly Thing[] {
    if (!isRecursive || group.children.size === 0) return inOrder(group.things);
    const things: Thing[] = [];
    const collect = (member: ThingGroup): void => {
      for (const thing of member.things) things.push(thing);
      for (const child of member.children.values()) collect(child);
    };
    collect(group);
    return inOrder(things);
  }

  private assertRoom(parent: ThingGroup | undefined): void {
    const depth = (parent?.lineage.length ?? 0) + 1;
    if (depth <= this.limits.maxGroupDepth && this.groups.size < this.limits.maxGroups) return;
    throw cloudError("LimitExceededException", `Level ${depth}, ${this.groups.size} thing groups.`, {
      hint: `At most ${this.limits.maxGroupDepth} levels and ${this.limits.maxGroups} groups are allowed.`,
      context: { depth, groups: this.groups.size },
    });
  }

  private assertMayJoin(thing: Thing, group: ThingGroup, joined: ReadonlySet<ThingGroup>): void {
    if (joined.size >= this.limits.maxGroupsPerThing) {
      throw cloudError("LimitExceededException", `Thing ${thing.name} is in ${joined.size} thing groups.`, {
        hint: "Remove it from another group first.",
        context: { thingName: thing.name, thingGroupName: group.name },
      });
    }
    for (const other of joined) {
      if (other.root !== group.root) continue;
      throw cloudError(
        "InvalidRequestException",
        `Thing ${thing.name} is in ${other.name}, which shares the root ${group.root.name} with ${group.name}.`,
        {
          hint: "A thing may be in one group of each hierarchy.",
          context: { thingName: thing.name, thingGroupName: group.name },
        },
      );
    }
  }
}

const inOrder = <T extends { readonly order: number }>(items: Iterable<T>): T[] =>
  [...items].sort((a, b) => a.order - b.order);
