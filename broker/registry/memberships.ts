import type { RegistryChanges } from "./changes.js";
import { invalid, tooMany } from "./errors.js";
import type { RegistryLimits } from "./limits.js";
import { byOrder } from "./ordered-view.js";
import { assertPage, type Page, type PageRequest, pageOf } from "./page.js";
import type { Thing } from "./thing.js";
import type { ThingGroup } from "./thing-group.js";
import type { ThingGroups } from "./thing-groups.js";
import type { ThingTable } from "./thing-table.js";
import type { RecordBook } from "../records/index.js";

export interface MembershipsOptions {
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
  readonly things: ThingTable;
  readonly groups: ThingGroups;
}

/** Which things are in which groups. A thing's record has the names of its groups; groups keep sets of things. */
export class Memberships {
  constructor(private readonly parts: MembershipsOptions) {
    parts.records.whenRestored(() => this.rebuild());
  }

  /**
   * To a static group.
   * @param overrideDynamic AWS: a thing that is in as many groups as it may be leaves the last dynamic one for this.
   * @returns false when it was a member already.
   */
  add(thing: Thing, group: ThingGroup, overrideDynamic: boolean): boolean {
    assertStatic(group);
    if (thing.groupNames.includes(group.name)) return false;
    this.assertHierarchy(thing, group);
    if (thing.groupNames.length >= this.parts.limits.maxGroupsPerThing) {
      const last = overrideDynamic ? this.lastDynamic(thing) : undefined;
      if (last === undefined) {
        throw tooMany(
          `Thing ${thing.name} is in ${thing.groupNames.length} thing groups.`,
          "Remove it from another group first, or use overrideDynamicGroups.",
          { thingName: thing.name, thingGroupName: group.name },
        );
      }
      this.leave(thing, last);
    }
    this.join(thing, group);
    return true;
  }

  /** From a static group. @returns false when it was no member. */
  remove(thing: Thing, group: ThingGroup): boolean {
    assertStatic(group);
    return this.leave(thing, group);
  }

  /** AWS: UpdateThingGroupsForThing. Removals come first; nothing changes if any of it is refused. */
  change(
    thing: Thing,
    added: readonly ThingGroup[],
    removed: readonly ThingGroup[],
    overrideDynamic: boolean,
  ): void {
    for (const group of removed) assertStatic(group);
    const both = added.find((group) => removed.includes(group));
    if (both !== undefined) {
      throw invalid(`Thing group ${both.name} is to be both added and removed.`, "Name each group once.");
    }
    const names = thing.groupNames;
    const left = removed.filter((group) => this.withdraw(thing, group));
    try {
      this.assertAll(thing, added, overrideDynamic);
    } finally {
      thing.groupNames = names;
    }
    for (const group of left) this.leave(thing, group);
    for (const group of added) this.add(thing, group, overrideDynamic);
  }

  /** A thing that its query finds joins a dynamic group, if it may be in one more. */
  joinDynamic(thing: Thing, group: ThingGroup): void {
    if (thing.groupNames.includes(group.name)) return;
    if (thing.groupNames.length < this.parts.limits.maxGroupsPerThing) this.join(thing, group);
    else this.parts.changes.announce({ kind: "dynamic-membership-refused", thing, group });
  }

  /** @returns false when it was no member. */
  leave(thing: Thing, group: ThingGroup, isThingDeleted = false): boolean {
    if (!this.withdraw(thing, group)) return false;
    group.things.delete(thing);
    group.view.reset();
    if (!isThingDeleted) this.parts.things.changed(thing);
    this.parts.changes.announce({ kind: "membership", operation: "removed", thing, group, isThingDeleted });
    return true;
  }

  /** Groups a thing was added to, without their ancestors, in order of creation. */
  groupsOf(thing: Thing): readonly ThingGroup[] {
    return thing.groupNames.map((name) => this.parts.groups.get(name)).sort(byOrder);
  }

  /** In order of registration; with `isRecursive`, things of child groups too. */
  thingsIn(group: ThingGroup, isRecursive: boolean): readonly Thing[] {
    if (!isRecursive || group.children.size === 0) return group.view.all();
    return withDescendants(group)
      .flatMap((member) => member.view.all())
      .sort(byOrder);
  }

  page(group: ThingGroup, isRecursive: boolean, request: PageRequest): Page<Thing> {
    if (!isRecursive || group.children.size === 0) return pageOf(group.view.all(), request);
    // A thing is in one group of a hierarchy, so a page of the whole is among the pages of its groups.
    const { maxResults } = assertPage(request);
    const rows = withDescendants(group)
      .flatMap((member) => {
        const { items, nextToken } = pageOf(member.view.all(), request);
        if (nextToken === undefined) return items;
        return [...items, ...pageOf(member.view.all(), { nextToken, maxResults: 1 }).items];
      })
      .sort(byOrder);
    return pageOf(rows, { ...request, maxResults });
  }

  private join(thing: Thing, group: ThingGroup): void {
    // Not spread: that leaves room for more names, and most things are in one group.
    thing.groupNames = thing.groupNames.concat(group.name);
    group.things.add(thing);
    group.view.added(thing);
    this.parts.things.changed(thing);
    this.parts.changes.announce({
      kind: "membership",
      operation: "added",
      thing,
      group,
      isThingDeleted: false,
    });
  }

  private withdraw(thing: Thing, { name }: ThingGroup): boolean {
    const rest = thing.groupNames.filter((other) => other !== name);
    if (rest.length === thing.groupNames.length) return false;
    thing.groupNames = rest;
    return true;
  }

  private lastDynamic(thing: Thing): ThingGroup | undefined {
    return thing.groupNames
      .map((name) => this.parts.groups.get(name))
      .findLast((group) => group.dynamic !== undefined);
  }

  /** Tries a change of several groups on the names alone. */
  private assertAll(thing: Thing, added: readonly ThingGroup[], overrideDynamic: boolean): void {
    const dynamic = overrideDynamic ? this.groupsOf(thing).filter((group) => group.dynamic).length : 0;
    for (const group of added) {
      assertStatic(group);
      if (thing.groupNames.includes(group.name)) continue;
      this.assertHierarchy(thing, group);
      thing.groupNames = [...thing.groupNames, group.name];
      if (thing.groupNames.length <= this.parts.limits.maxGroupsPerThing + dynamic) continue;
      throw tooMany(
        `Thing ${thing.name} would be in ${thing.groupNames.length} thing groups.`,
        "Remove it from other groups too, or use overrideDynamicGroups.",
        { thingName: thing.name },
      );
    }
  }

  private assertHierarchy(thing: Thing, group: ThingGroup): void {
    for (const name of thing.groupNames) {
      const other = this.parts.groups.get(name);
      if (other.root !== group.root) continue;
      throw invalid(
        `Thing ${thing.name} is in ${other.name}, which shares the root ${group.root.name} with ${group.name}.`,
        "A thing may be in one group of each hierarchy.",
        { thingName: thing.name, thingGroupName: group.name },
      );
    }
  }

  /** Most things are in the same groups as many others: these share one list of names. */
  private rebuild(): void {
    const { groups, things } = this.parts;
    const lists = new Map<string, readonly string[]>();
    for (const thing of things.rows()) {
      if (thing.groupNames.length === 0) continue;
      const known = thing.groupNames.filter((name) => groups.find(name) !== undefined);
      const key = known.join(" ");
      const shared = lists.get(key) ?? known;
      lists.set(key, shared);
      thing.groupNames = shared;
      for (const name of shared) groups.get(name).things.add(thing);
    }
  }
}

function withDescendants(group: ThingGroup): readonly ThingGroup[] {
  return [group, ...[...group.children.values()].flatMap((child) => withDescendants(child))];
}

/** AWS: the members of a dynamic group are what its query finds, and nothing else. */
export function assertStatic(group: ThingGroup): void {
  if (group.dynamic === undefined) return;
  throw invalid(
    `Thing group ${group.name} is dynamic.`,
    "Its query decides who belongs to it; use the operations for dynamic thing groups.",
    { thingGroupName: group.name },
  );
}
