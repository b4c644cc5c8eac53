import type { Clock, RandomSource } from "fleetrig/kernel";
import { Account } from "../account.js";
import type { JobTargets, MembershipChange } from "../jobs/index.js";
import { RecordBook } from "../records/index.js";
import { BillingGroups } from "./billing-groups.js";
import { RegistryChanges, type RegistryListener } from "./changes.js";
import { DynamicGroups } from "./dynamic-groups.js";
import { assertVersion } from "./errors.js";
import { RegistryIds } from "./ids.js";
import { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from "./limits.js";
import { assertStatic, Memberships } from "./memberships.js";
import { pageOf, type PageRequest } from "./page.js";
import { Tags } from "./tags.js";
import type { RegisteredThing } from "./thing.js";
import type { RegisteredGroup } from "./thing-group.js";
import {
  type CreateThingGroupRequest,
  type DeleteThingGroupRequest,
  type ListThingGroupsRequest,
  type ThingGroupDescription,
  ThingGroups,
  type UpdateThingGroupRequest,
} from "./thing-groups.js";
import { ThingPrincipals } from "./thing-principals.js";
import {
  type CreateThingRequest,
  type ListThingsRequest,
  summaryOf,
  type ThingDescription,
  type ThingSummary,
  ThingTable,
  type UpdateThingRequest,
} from "./thing-table.js";
import { ThingTypes } from "./thing-types.js";

/** What a registry is made of; limits that are left out have their defaults. */
export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits?: Partial<RegistryLimits>;
  /** What ARNs in errors say. */
  readonly account?: Account;
  /** Where the registry is written down. Default: nowhere. */
  readonly records?: RecordBook;
  /** The tags of the cloud. Default: tags of its own. */
  readonly tags?: Tags;
}

/** AWS: AddThingToThingGroup and RemoveThingFromThingGroup. */
export interface ThingGroupMembershipRequest {
  readonly thingName: string;
  readonly thingGroupName: string;
  /** Of a thing in as many groups as it may be: it leaves the last dynamic one. Only for adding. */
  readonly overrideDynamicGroups?: boolean;
}

/** AWS: UpdateThingGroupsForThing. */
export interface UpdateThingGroupsForThingRequest {
  readonly thingName: string;
  readonly thingGroupsToAdd?: readonly string[];
  readonly thingGroupsToRemove?: readonly string[];
  readonly overrideDynamicGroups?: boolean;
}

/** AWS: AddThingToBillingGroup and RemoveThingFromBillingGroup. */
export interface ThingBillingGroupRequest {
  readonly thingName: string;
  readonly billingGroupName: string;
}

/** AWS: ListThingsInThingGroup. */
export interface ListThingsInThingGroupRequest extends PageRequest {
  readonly thingGroupName: string;
  /** Things of child groups too. */
  readonly recursive?: boolean;
}

/** An empty registry. */
export const createRegistry = (options: RegistryOptions): Registry => new Registry(options);

const GROUP_TARGET = "group:";

/**
 * The thing registry, in process: things, thing types, thing groups, billing groups and principals of things (REF
 * §13.1). Requests and answers have AWS's names; refusals are FleetrigErrors with AWS's error name in
 * `context.awsError`.
 */
export class Registry implements JobTargets {
  readonly thingTypes: ThingTypes;
  readonly billingGroups: BillingGroups;
  readonly dynamicGroups: DynamicGroups;
  readonly principals: ThingPrincipals;
  readonly tags: Tags;
  readonly ids: RegistryIds;
  private readonly things: ThingTable;
  private readonly groups: ThingGroups;
  private readonly memberships: Memberships;
  private readonly changes = new RegistryChanges();

  constructor(options: RegistryOptions) {
    const { clock, random, account = new Account(), records = new RecordBook() } = options;
    const limits = { ...DEFAULT_REGISTRY_LIMITS, ...options.limits };
    const { changes } = this;
    const ids = new RegistryIds(random, records, account);
    this.ids = ids;
    this.thingTypes = new ThingTypes({ clock, ids, limits, changes, records });
    this.things = new ThingTable({ ids, limits, changes, records, types: this.thingTypes });
    this.groups = new ThingGroups({ clock, ids, limits, changes, records });
    const { groups, things } = this;
    this.memberships = new Memberships({ limits, changes, records, things, groups });
    this.billingGroups = new BillingGroups({ clock, ids, limits, changes, records, things });
    this.principals = new ThingPrincipals({ limits, changes, records, things });
    this.dynamicGroups = new DynamicGroups({
      records,
      things,
      groups,
      memberships: this.memberships,
    });
    this.tags = options.tags ?? new Tags({ records, maxTagsPerResource: limits.maxTagsPerResource });
    this.shareTags();
  }

  get thingCount(): number {
    return this.things.size;
  }

  hasThing(thingName: string): boolean {
    return this.things.find(thingName) !== undefined;
  }

  /** A thing as the registry has it, for services that look many up. */
  thing(thingName: string): RegisteredThing | undefined {
    return this.things.find(thingName);
  }

  /** All things, in order of registration. */
  allThings(): Iterable<RegisteredThing> {
    return this.things.rows();
  }

  /** All thing groups, in order of creation. */
  allThingGroups(): Iterable<RegisteredGroup> {
    return this.groups.all();
  }

  createThing(request: CreateThingRequest): void {
    const { billingGroupName } = request;
    this.things.create(request, (thing) => {
      if (billingGroupName !== undefined) this.billingGroups.enter(thing, billingGroupName);
    });
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
    this.principals.assertNone(thing);
    for (const group of this.memberships.groupsOf(thing)) this.memberships.leave(thing, group, true);
    this.billingGroups.leave(thing);
    this.things.delete(thing);
  }

  describeThing(thingName: string): ThingDescription {
    return this.things.describe(this.things.get(thingName));
  }

  /** In order of registration. */
  listThings(request: ListThingsRequest = {}): {
    readonly things: readonly ThingSummary[];
    readonly nextToken?: string;
  } {
    const { items, ...next } = this.things.list(request);
    return { things: items.map(summaryOf), ...next };
  }

  createThingGroup(request: CreateThingGroupRequest): void {
    this.groups.create(request);
  }

  /** @returns the new version. */
  updateThingGroup(request: UpdateThingGroupRequest): number {
    assertStatic(this.groups.get(request.thingGroupName));
    return this.groups.update(request).version;
  }

  /** Things stay, and leave the group. Deleting what does not exist succeeds. */
  deleteThingGroup({ thingGroupName, expectedVersion }: DeleteThingGroupRequest): void {
    const group = this.groups.find(thingGroupName);
    if (group === undefined) return;
    assertStatic(group);
    this.groups.assertDeletable(group, expectedVersion);
    for (const thing of Array.from(group.view.all())) this.memberships.leave(thing, group);
    this.groups.delete(group);
  }

  describeThingGroup(thingGroupName: string): ThingGroupDescription {
    return this.groups.describe(this.groups.get(thingGroupName));
  }

  thingGroup(thingGroupName: string): RegisteredGroup | undefined {
    return this.groups.find(thingGroupName);
  }

  /** Names, in order of creation. */
  listThingGroups(request: ListThingGroupsRequest = {}): {
    readonly thingGroups: readonly string[];
    readonly nextToken?: string;
  } {
    const { items, ...next } = this.groups.list(request);
    return { thingGroups: items.map((group) => group.name), ...next };
  }

  addThingToThingGroup(request: ThingGroupMembershipRequest): void {
    const { overrideDynamicGroups = false } = request;
    const thing = this.things.get(request.thingName);
    this.memberships.add(thing, this.groups.get(request.thingGroupName), overrideDynamicGroups);
  }

  removeThingFromThingGroup(request: ThingGroupMembershipRequest): void {
    const thing = this.things.get(request.thingName);
    this.memberships.remove(thing, this.groups.get(request.thingGroupName));
  }

  updateThingGroupsForThing(request: UpdateThingGroupsForThingRequest): void {
    const { thingGroupsToAdd = [], thingGroupsToRemove = [], overrideDynamicGroups = false } = request;
    const thing = this.things.get(request.thingName);
    const added = thingGroupsToAdd.map((name) => this.groups.get(name));
    const removed = thingGroupsToRemove.map((name) => this.groups.get(name));
    this.memberships.change(thing, added, removed, overrideDynamicGroups);
  }

  /** Names, in order of registration. */
  listThingsInThingGroup(request: ListThingsInThingGroupRequest): {
    readonly things: readonly string[];
    readonly nextToken?: string;
  } {
    const group = this.groups.get(request.thingGroupName);
    const { items, ...next } = this.memberships.page(group, request.recursive ?? false, request);
    return { things: items.map((thing) => thing.name), ...next };
  }

  /** Groups a thing was added to or joined, in order of creation. */
  listThingGroupsForThing(thingName: string): readonly string[] {
    return this.memberships.groupsOf(this.things.get(thingName)).map((group) => group.name);
  }

  /** The same, page by page. */
  pageOfThingGroupsForThing(request: PageRequest & { readonly thingName: string }): {
    readonly thingGroups: readonly string[];
    readonly nextToken?: string;
  } {
    const groups = this.memberships.groupsOf(this.things.get(request.thingName));
    const { items, ...next } = pageOf(groups, request);
    return { thingGroups: items.map((group) => group.name), ...next };
  }

  addThingToBillingGroup(request: ThingBillingGroupRequest): void {
    this.billingGroups.add(this.things.get(request.thingName), request.billingGroupName);
  }

  removeThingFromBillingGroup(request: ThingBillingGroupRequest): void {
    this.billingGroups.remove(this.things.get(request.thingName), request.billingGroupName);
  }

  /** For access control: static groups of a thing with all their ancestors, nearest first; none of an unknown thing. */
  lineageOf(thingName: string): readonly string[] {
    const thing = this.things.find(thingName);
    if (thing === undefined || thing.groupNames.length === 0) return [];
    return thing.groupNames.flatMap((name) => {
      const group = this.groups.find(name);
      return group === undefined || group.dynamic ? [] : group.lineage.map((member) => member.name);
    });
  }

  /**
   * All things of a job's target, each once, in order of registration.
   * @param target A thing name, or `group:<name>` for a group with its child groups. Unknown targets are empty.
   */
  membersOf(target: string): readonly string[] {
    if (!target.startsWith(GROUP_TARGET)) return this.hasThing(target) ? [target] : [];
    const group = this.groups.find(target.slice(GROUP_TARGET.length));
    return group === undefined ? [] : this.memberships.thingsIn(group, true).map((thing) => thing.name);
  }

  /** Tells an empty group from one that does not exist. @param target As for `membersOf`. */
  isKnown(target: string): boolean {
    if (!target.startsWith(GROUP_TARGET)) return this.hasThing(target);
    return this.groups.find(target.slice(GROUP_TARGET.length)) !== undefined;
  }

  /** Calls `listener` after every change of anything, in order of subscription. */
  onChange(listener: RegistryListener): void {
    this.changes.subscribe(listener);
  }

  /**
   * Calls `listener` after every change of membership, in order of subscription. A thing that joins a child group
   * joins the ancestors too; "deleted" stands for leaving every group.
   */
  onMembershipChange(listener: (change: MembershipChange) => void): void {
    this.onChange((change) => {
      if (change.kind === "thing" && change.operation === "deleted")
        listener({ kind: "deleted", thing: change.thing.name });
      if (change.kind !== "membership" || change.isThingDeleted) return;
      const kind = change.operation === "added" ? "joined" : "left";
      for (const { name } of change.group.lineage)
        listener({ kind, target: `${GROUP_TARGET}${name}`, thing: change.thing.name });
    });
  }

  private shareTags(): void {
    const { billingGroups, groups, tags, thingTypes } = this;
    tags.taggable("thinggroup", (name) => groups.find(name) !== undefined);
    tags.taggable("thingtype", (name) => thingTypes.find(name) !== undefined);
    tags.taggable("billinggroup", (name) => billingGroups.has(name));
    this.onChange((change) => {
      if (!("operation" in change) || change.operation !== "deleted") return;
      if (change.kind === "group") tags.forget("thinggroup", change.group.name);
      if (change.kind === "thing-type") tags.forget("thingtype", change.type.name);
      if (change.kind === "billing-group") tags.forget("billinggroup", change.billingGroupName);
    });
  }
}
