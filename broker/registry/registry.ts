import type { Clock, RandomSource } from "fleetrig/kernel";
import type { JobTargets, MembershipChange } from "../jobs/index.js";
import { assertVersion } from "./errors.js";
import { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from "./limits.js";
import { pageOf, type PageRequest } from "./page.js";
import {
  type CreateThingGroupRequest,
  type ThingGroup,
  type ThingGroupDescription,
  ThingGroups,
  type UpdateThingGroupRequest,
} from "./thing-groups.js";
import {
  type CreateThingRequest,
  type ListThingsRequest,
  type ThingDescription,
  ThingTable,
  type UpdateThingRequest,
} from "./thing-table.js";

/** What a registry is made of; limits that are left out have their defaults. */
export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits?: Partial<RegistryLimits>;
}

/** AWS: ListThingsInThingGroup. */
export interface ListThingsInThingGroupRequest extends PageRequest {
  readonly thingGroupName: string;
  /** Things of child groups too. */
  readonly recursive?: boolean;
}

/** AWS: ListThingGroups. */
export interface ListThingGroupsRequest extends PageRequest {
  readonly parentGroup?: string;
  /** With `parentGroup`: grandchildren and so on, too. Without: child groups too. Default true. */
  readonly recursive?: boolean;
}

/** An empty registry. */
export const createRegistry = (options: RegistryOptions): Registry => new Registry(options);

const GROUP_TARGET = "group:";

/**
 * The thing registry, in process: things, static thing groups and membership (REF §13.1). Requests and answers
 * have AWS's names; refusals are FleetrigErrors with AWS's error name in `context.awsError`.
 */
export class Registry implements JobTargets {
  private readonly things: ThingTable;
  private readonly groups: ThingGroups;
  private readonly listeners: ((change: MembershipChange) => void)[] = [];

  constructor({ clock, random, limits }: RegistryOptions) {
    const complete = { ...DEFAULT_REGISTRY_LIMITS, ...limits };
    this.things = new ThingTable(clock, random, complete);
    this.groups = new ThingGroups(clock, complete);
  }

  get thingCount(): number {
    return this.things.size;
  }

  hasThing(thingName: string): boolean {
    return this.things.find(thingName) !== undefined;
  }

  createThing(request: CreateThingRequest): void {
    this.things.create(request);
  }

  /** @returns the new version. */
  updateThing(request: UpdateThingRequest): number {
    return this.things.update(request).version;
  }

  /** Deleting what does not exist succeeds, as with AWS. Shadows stay (REF §5.1). */
  deleteThing(request: { readonly thingName: string; readonly expectedVersion?: number }): void {
    const thing = this.things.find(request.thingName);
    if (thing === undefined) return;
    assertVersion(`Thing ${thing.name}`, request.expectedVersion, thing.version);
    for (const group of this.groups.groupsOf(thing)) this.groups.remove(thing, group);
    this.things.delete(thing);
    this.announce({ kind: "deleted", thing: thing.name });
  }

  describeThing(thingName: string): ThingDescription {
    return this.things.describe(this.things.get(thingName));
  }

  /** In order of registration. */
  listThings(request: ListThingsRequest = {}): {
    readonly things: readonly ThingDescription[];
    readonly nextToken?: string;
  } {
    const { items, ...next } = this.things.list(request);
    return { things: items.map((thing) => this.things.describe(thing)), ...next };
  }

  createThingGroup(request: CreateThingGroupRequest): void {
    this.groups.create(request);
  }

  /** @returns the new version. */
  updateThingGroup(request: UpdateThingGroupRequest): number {
    return this.groups.update(request).version;
  }

  /** Things stay, and leave the group. Deleting what does not exist succeeds. */
  deleteThingGroup(request: { readonly thingGroupName: string; readonly expectedVersion?: number }): void {
    const group = this.groups.find(request.thingGroupName);
    if (group === undefined) return;
    assertVersion(`Thing group ${group.name}`, request.expectedVersion, group.version);
    for (const thing of this.groups.delete(group)) this.announceLineage("left", group, thing.name);
  }

  describeThingGroup(thingGroupName: string): ThingGroupDescription {
    const group = this.groups.get(thingGroupName);
    return {
      thingGroupName: group.name,
      ...(group.parent && { parentGroupName: group.parent.name }),
      ...(group.description !== undefined && { description: group.description }),
      attributes: group.attributes,
      version: group.version,
      createdAtMs: group.createdAtMs,
    };
  }

  /** Names, in order of creation. */
  listThingGroups(request: ListThingGroupsRequest = {}): {
    readonly thingGroups: readonly string[];
    readonly nextToken?: string;
  } {
    const parent = request.parentGroup === undefined ? undefined : this.groups.get(request.parentGroup);
    const isRecursive = request.recursive ?? true;
    const { items, ...next } = pageOf(this.groups.all(), request, (group) =>
      isRecursive
        ? parent === undefined || group.parent?.lineage.includes(parent) === true
        : group.parent === parent,
    );
    return { thingGroups: items.map((group) => group.name), ...next };
  }

  addThingToThingGroup(request: { readonly thingName: string; readonly thingGroupName: string }): void {
    const thing = this.things.get(request.thingName);
    const group = this.groups.get(request.thingGroupName);
    if (this.groups.add(thing, group)) this.announceLineage("joined", group, thing.name);
  }

  removeThingFromThingGroup(request: { readonly thingName: string; readonly thingGroupName: string }): void {
    const thing = this.things.get(request.thingName);
    const group = this.groups.get(request.thingGroupName);
    if (this.groups.remove(thing, group)) this.announceLineage("left", group, thing.name);
  }

  /** Names, in order of registration. */
  listThingsInThingGroup(request: ListThingsInThingGroupRequest): {
    readonly things: readonly string[];
    readonly nextToken?: string;
  } {
    const members = this.groups.thingsIn(this.groups.get(request.thingGroupName), request.recursive ?? false);
    const { items, ...next } = pageOf(members, request, () => true);
    return { things: items.map((thing) => thing.name), ...next };
  }

  /** Groups a thing was added to, in order of creation. */
  listThingGroupsForThing(thingName: string): readonly string[] {
    return this.groups.groupsOf(this.things.get(thingName)).map((group) => group.name);
  }

  /**
   * All things of a job's target, each once, in order of registration.
   * @param target A thing name, or `group:<name>` for a group with its child groups. Unknown targets are empty.
   */
  membersOf(target: string): readonly string[] {
    if (!target.startsWith(GROUP_TARGET)) return this.hasThing(target) ? [target] : [];
    const group = this.groups.find(target.slice(GROUP_TARGET.length));
    return group === undefined ? [] : this.groups.thingsIn(group, true).map((thing) => thing.name);
  }

  /** Tells an empty group from one that does not exist. @param target As for `membersOf`. */
  isKnown(target: string): boolean {
    if (!target.startsWith(GROUP_TARGET)) return this.hasThing(target);
    return this.groups.find(target.slice(GROUP_TARGET.length)) !== undefined;
  }

  /**
   * Calls `listener` after every change of membership, in order of subscription. A thing that joins a child group
   * joins the ancestors too; "deleted" stands for leaving every group.
   */
  onMembershipChange(listener: (change: MembershipChange) => void): void {
    this.listeners.push(listener);
  }

  private announceLineage(kind: "joined" | "left", group: ThingGroup, thing: string): void {
    for (const { name } of group.lineage) this.announce({ kind, target: `${GROUP_TARGET}${name}`, thing });
  }

  private announce(change: MembershipChange): void {
    for (const listener of this.listeners) listener(change);
  }
}
