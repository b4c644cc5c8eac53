import type { Clock } from "fleetrig/kernel";
import type { RecordBook, RecordTable } from "../records/index.js";
import {
  assertAttributes,
  assertDescription,
  assertName,
  type Attributes,
  changeAttributes,
  isSameAttributes,
  NO_ATTRIBUTES,
} from "./attributes.js";
import type { ListByPrefixRequest } from "./billing-groups.js";
import type { RegistryChanges } from "./changes.js";
import { assertVersion, existsAlready, invalid, noSuch, tooMany } from "./errors.js";
import type { RegistryIds } from "./ids.js";
import type { RegistryLimits } from "./limits.js";
import { OrderedView } from "./ordered-view.js";
import { type Page, pageOf } from "./page.js";
import { type DynamicGroup, THING_GROUP_CODEC, ThingGroup } from "./thing-group.js";

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

/** AWS: DeleteThingGroup. */
export interface DeleteThingGroupRequest {
  readonly thingGroupName: string;
  readonly expectedVersion?: number;
}

/** AWS: ListThingGroups. */
export interface ListThingGroupsRequest extends ListByPrefixRequest {
  readonly parentGroup?: string;
  /**
   * With `parentGroup`: grandchildren and so on, too; default false. Without: child groups too, not only roots;
   * default true.
   */
  readonly recursive?: boolean;
}

/** AWS: what DescribeThingGroup answers. */
export interface ThingGroupDescription {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly parentGroupName?: string;
  /** From the root group to the parent. */
  readonly rootToParentThingGroups: readonly string[];
  readonly description?: string;
  readonly attributes: Attributes;
  readonly version: number;
  /** Wall-clock milliseconds. */
  readonly createdAtMs: number;
  /** Of a dynamic group. */
  readonly dynamic?: Readonly<DynamicGroup>;
}

const MAX_GROUP_ATTRIBUTES = 50;

export interface ThingGroupsOptions {
  readonly clock: Clock;
  readonly ids: RegistryIds;
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
}

/** Thing groups by name, static and dynamic; who belongs to them is the business of Memberships. */
export class ThingGroups {
  private readonly table: RecordTable<ThingGroup>;
  private readonly view: OrderedView<ThingGroup>;
  private nextOrder = 0;
  private dynamicCount = 0;

  constructor(private readonly parts: ThingGroupsOptions) {
    this.table = parts.records.table("thing-groups", THING_GROUP_CODEC);
    this.view = new OrderedView(() => this.table.values());
    parts.records.whenRestored(() => this.rebuild());
  }

  /**
   * AWS: creating a group again with the same parent, description, attributes and query changes nothing.
   * @returns undefined when the group has existed already.
   */
  create(request: CreateThingGroupRequest, dynamic?: DynamicGroup): ThingGroup | undefined {
    const { thingGroupName, parentGroupName, description, attributes = NO_ATTRIBUTES } = request;
    const parent = parentGroupName === undefined ? undefined : this.get(parentGroupName);
    const existing = this.table.get(thingGroupName);
    if (existing !== undefined) {
      if (isSame(existing, request, dynamic)) return undefined;
      throw existsAlready("Thing group", thingGroupName, {
        id: this.idOf(existing),
        arn: this.parts.ids.arn("thinggroup", thingGroupName),
      });
    }
    assertName("Thing group", thingGroupName);
    assertDescription(description);
    assertAttributes(attributes, MAX_GROUP_ATTRIBUTES);
    this.assertRoom(parent, dynamic !== undefined);
    const { clock, ids } = this.parts;
    const incarnation = ids.nextIncarnation();
    const group = new ThingGroup(thingGroupName, this.nextOrder, incarnation, parent?.name, clock.wallMs());
    group.description = description;
    group.attributes = { ...attributes };
    group.dynamic = dynamic;
    this.enter(group, parent);
    return group;
  }

  update(request: UpdateThingGroupRequest, query: Partial<DynamicGroup> = {}): ThingGroup {
    const group = this.get(request.thingGroupName);
    assertVersion(`Thing group ${group.name}`, request.expectedVersion, group.version);
    assertDescription(request.description);
    if (request.attributes !== undefined) {
      const attributes = changeAttributes(group.attributes, request.attributes, request.merge ?? false);
      assertAttributes(attributes, MAX_GROUP_ATTRIBUTES);
      group.attributes = attributes;
    }
    group.description = request.description ?? group.description;
    if (group.dynamic !== undefined) Object.assign(group.dynamic, query);
    group.version += 1;
    this.table.changed(group.name);
    this.parts.changes.announce({ kind: "group", operation: "updated", group });
    return group;
  }

  /** @throws FleetrigError `CLOUD_INVALID_REQUEST` for a group with children. */
  assertDeletable(group: ThingGroup, expectedVersion: number | undefined): void {
    assertVersion(`Thing group ${group.name}`, expectedVersion, group.version);
    if (group.children.size === 0) return;
    throw invalid(`Thing group ${group.name} has child groups.`, "Delete the child groups first.", {
      thingGroupName: group.name,
      children: group.children.size,
    });
  }

  /** Of a group that has neither children nor things. */
  delete(group: ThingGroup): void {
    const { changes, ids } = this.parts;
    this.table.delete(group.name);
    this.view.reset();
    ids.noteDeletion();
    if (group.dynamic !== undefined) this.dynamicCount -= 1;
    const { parent } = group;
    parent?.children.delete(group.name);
    if (parent !== undefined)
      changes.announce({ kind: "hierarchy", operation: "removed", parent, child: group });
    changes.announce({ kind: "group", operation: "deleted", group });
  }

  find(thingGroupName: string): ThingGroup | undefined {
    return this.table.get(thingGroupName);
  }

  get(thingGroupName: string): ThingGroup {
    const group = this.table.get(thingGroupName);
    if (group === undefined) throw noSuch("Thing group", thingGroupName);
    return group;
  }

  /** In order of creation. */
  all(): readonly ThingGroup[] {
    return this.view.all();
  }

  idOf(group: Pick<ThingGroup, "name" | "incarnation">): string {
    return this.parts.ids.of("thing-group", group);
  }

  describe(group: ThingGroup): ThingGroupDescription {
    return {
      thingGroupName: group.name,
      thingGroupId: this.idOf(group),
      ...(group.parent && { parentGroupName: group.parent.name }),
      rootToParentThingGroups: group.lineage
        .slice(1)
        .map(({ name }) => name)
        .reverse(),
      ...(group.description !== undefined && { description: group.description }),
      attributes: group.attributes,
      version: group.version,
      createdAtMs: group.createdAtMs,
      ...(group.dynamic && { dynamic: { ...group.dynamic } }),
    };
  }

  list(request: ListThingGroupsRequest): Page<ThingGroup> {
    const { namePrefixFilter = "", parentGroup, recursive = parentGroup === undefined } = request;
    const parent = parentGroup === undefined ? undefined : this.get(parentGroup);
    const isBelow = (group: ThingGroup): boolean =>
      recursive ? parent === undefined || group.lineage.includes(parent, 1) : group.parent === parent;
    return pageOf(
      this.view.all(),
      request,
      (group) => group.name.startsWith(namePrefixFilter) && isBelow(group),
    );
  }

  private enter(group: ThingGroup, parent: ThingGroup | undefined): void {
    const { changes } = this.parts;
    this.nextOrder += 1;
    if (group.dynamic !== undefined) this.dynamicCount += 1;
    if (parent !== undefined) group.link(parent);
    this.table.set(group.name, group);
    this.view.added(group);
    changes.announce({ kind: "group", operation: "created", group });
    if (parent !== undefined)
      changes.announce({ kind: "hierarchy", operation: "added", parent, child: group });
  }

  private assertRoom(parent: ThingGroup | undefined, isDynamic: boolean): void {
    const { maxChildGroups, maxDynamicGroups, maxGroupDepth, maxGroups } = this.parts.limits;
    const depth = (parent?.lineage.length ?? 0) + 1;
    const hint = `At most ${maxGroupDepth} levels, ${maxChildGroups} children of a group, ${maxDynamicGroups} dynamic groups and ${maxGroups} groups are allowed.`;
    const children = parent?.children.size ?? 0;
    const isFull =
      depth > maxGroupDepth ||
      children >= maxChildGroups ||
      this.table.size >= maxGroups ||
      (isDynamic && this.dynamicCount >= maxDynamicGroups);
    if (!isFull) return;
    const message = `Level ${depth}, ${children} child groups, ${this.table.size} thing groups.`;
    throw tooMany(message, hint, { depth, children, groups: this.table.size });
  }

  /** Parents come before children, so that every group finds its parent in place. */
  private rebuild(): void {
    this.view.reset();
    const groups = this.view.all();
    for (const group of groups) {
      const parent = group.parentName === undefined ? undefined : this.table.get(group.parentName);
      if (parent !== undefined && parent.order < group.order) group.link(parent);
      if (group.dynamic !== undefined) this.dynamicCount += 1;
    }
    this.nextOrder = (groups.at(-1)?.order ?? -1) + 1;
  }
}

function isSame(
  group: ThingGroup,
  { parentGroupName, description, attributes = NO_ATTRIBUTES }: CreateThingGroupRequest,
  dynamic: DynamicGroup | undefined,
): boolean {
  return (
    group.parentName === parentGroupName &&
    group.description === description &&
    group.dynamic?.queryString === dynamic?.queryString &&
    isSameAttributes(group.attributes, attributes)
  );
}
