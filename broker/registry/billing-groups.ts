import { type Clock, isJsonObject } from "fleetrig/kernel";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";
import { assertDescription, assertName } from "./attributes.js";
import type { RegistryChanges } from "./changes.js";
import { assertVersion, existsAlready, invalid, noSuch, tooMany } from "./errors.js";
import type { RegistryIds } from "./ids.js";
import type { RegistryLimits } from "./limits.js";
import { OrderedView } from "./ordered-view.js";
import { type Page, type PageRequest, pageOf } from "./page.js";
import type { RegisteredThing, Thing } from "./thing.js";
import type { ThingTable } from "./thing-table.js";

/** AWS: CreateBillingGroup. */
export interface CreateBillingGroupRequest {
  readonly billingGroupName: string;
  readonly description?: string;
}

/** AWS: UpdateBillingGroup. */
export interface UpdateBillingGroupRequest extends CreateBillingGroupRequest {
  readonly expectedVersion?: number;
}

/** AWS: lists that can be narrowed to names with a prefix. */
export interface ListByPrefixRequest extends PageRequest {
  readonly namePrefixFilter?: string;
}

/** Things whose cost is told together. */
class BillingGroup {
  version = 1;
  description: string | undefined;
  readonly things = new Set<Thing>();
  readonly view = new OrderedView<Thing>(() => this.things);

  constructor(
    readonly name: string,
    readonly order: number,
    readonly incarnation: number,
    /** Wall-clock milliseconds. */
    readonly createdAtMs: number,
  ) {}
}

export interface BillingGroupView {
  readonly name: string;
  readonly incarnation: number;
  readonly version: number;
  readonly description: string | undefined;
  readonly createdAtMs: number;
}

export interface BillingGroupsOptions {
  readonly clock: Clock;
  readonly ids: RegistryIds;
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
  readonly things: ThingTable;
}

/** Billing groups by name, and the things in them: a thing is in one of them or in none. */
export class BillingGroups {
  private readonly table: RecordTable<BillingGroup>;
  private readonly view: OrderedView<BillingGroup>;
  private nextOrder = 0;

  constructor(private readonly parts: BillingGroupsOptions) {
    this.table = parts.records.table("billing-groups", BILLING_GROUP_CODEC);
    this.view = new OrderedView(() => this.table.values());
    parts.records.whenRestored(() => this.rebuild());
  }

  /** AWS: creating a billing group again with the same description succeeds and changes nothing. */
  create({ billingGroupName, description }: CreateBillingGroupRequest): void {
    const { changes, ids, limits, clock } = this.parts;
    const existing = this.table.get(billingGroupName);
    if (existing !== undefined) {
      if (existing.description === description) return;
      throw existsAlready("Billing group", billingGroupName, {
        id: this.idOf(existing),
        arn: ids.arn("billinggroup", billingGroupName),
      });
    }
    assertName("Billing group", billingGroupName);
    assertDescription(description);
    if (this.table.size >= limits.maxBillingGroups)
      throw tooMany(`There are ${this.table.size} billing groups already.`, "Delete one first.");
    const group = new BillingGroup(billingGroupName, this.nextOrder, ids.nextIncarnation(), clock.wallMs());
    group.description = description;
    this.nextOrder += 1;
    this.table.set(billingGroupName, group);
    this.view.added(group);
    changes.announce({ kind: "billing-group", operation: "created", billingGroupName });
  }

  /** @returns the new version. */
  update({ billingGroupName, description, expectedVersion }: UpdateBillingGroupRequest): number {
    const group = this.own(billingGroupName);
    assertVersion(`Billing group ${group.name}`, expectedVersion, group.version);
    assertDescription(description);
    group.description = description ?? group.description;
    group.version += 1;
    this.table.changed(group.name);
    this.parts.changes.announce({ kind: "billing-group", operation: "updated", billingGroupName });
    return group.version;
  }

  /** Things stay, and leave the group. Deleting what does not exist succeeds. */
  delete(request: { readonly billingGroupName: string; readonly expectedVersion?: number }): void {
    const group = this.table.get(request.billingGroupName);
    if (group === undefined) return;
    assertVersion(`Billing group ${group.name}`, request.expectedVersion, group.version);
    for (const thing of Array.from(group.view.all())) this.remove(thing, group.name);
    this.table.delete(group.name);
    this.view.reset();
    const { changes, ids } = this.parts;
    ids.noteDeletion();
    changes.announce({ kind: "billing-group", operation: "deleted", billingGroupName: group.name });
  }

  get(billingGroupName: string): BillingGroupView {
    return this.own(billingGroupName);
  }

  has(billingGroupName: string): boolean {
    return this.table.has(billingGroupName);
  }

  idOf(group: BillingGroupView): string {
    return this.parts.ids.of("billing-group", group);
  }

  list(request: ListByPrefixRequest): Page<BillingGroupView> {
    const { namePrefixFilter = "" } = request;
    return pageOf(this.view.all(), request, ({ name }) => name.startsWith(namePrefixFilter));
  }

  thingsIn(request: PageRequest & { readonly billingGroupName: string }): Page<RegisteredThing> {
    return pageOf(this.own(request.billingGroupName).view.all(), request);
  }

  /** AWS: a thing is in one billing group; adding it to another is refused until it has left the first. */
  add(thing: Thing, billingGroupName: string): void {
    const group = this.own(billingGroupName);
    if (thing.billingGroupName === group.name) return;
    if (thing.billingGroupName !== undefined) {
      throw invalid(
        `Thing ${thing.name} is in the billing group ${thing.billingGroupName}.`,
        "Remove it from that group first.",
      );
    }
    this.join(thing, group);
    this.changed(thing, group, "added");
  }

  /** Nothing happens to a thing that is in another group, or in none. */
  remove(thing: Thing, billingGroupName: string): void {
    const group = this.own(billingGroupName);
    if (thing.billingGroupName !== group.name) return;
    this.leave(thing);
    this.changed(thing, group, "removed");
  }

  /** A new thing begins in a group. */
  enter(thing: Thing, billingGroupName: string): void {
    this.join(thing, this.own(billingGroupName));
  }

  /** A thing goes away. */
  leave(thing: Thing): void {
    const group = thing.billingGroupName === undefined ? undefined : this.table.get(thing.billingGroupName);
    thing.billingGroupName = undefined;
    if (group?.things.delete(thing) === true) group.view.reset();
  }

  private join(thing: Thing, group: BillingGroup): void {
    thing.billingGroupName = group.name;
    group.things.add(thing);
    group.view.added(thing);
  }

  private changed(thing: Thing, { name }: BillingGroup, operation: "added" | "removed"): void {
    const { changes, things } = this.parts;
    things.changed(thing);
    changes.announce({ kind: "billing-membership", operation, thing, billingGroupName: name });
  }

  private own(billingGroupName: string): BillingGroup {
    const group = this.table.get(billingGroupName);
    if (group === undefined) throw noSuch("Billing group", billingGroupName);
    return group;
  }

  private rebuild(): void {
    this.view.reset();
    this.nextOrder = (this.view.all().at(-1)?.order ?? -1) + 1;
    for (const thing of this.parts.things.rows()) {
      if (thing.billingGroupName === undefined) continue;
      const group = this.table.get(thing.billingGroupName);
      if (group === undefined) thing.billingGroupName = undefined;
      else this.join(thing, group);
    }
  }
}

const BILLING_GROUP_CODEC: RecordCodec<BillingGroup> = {
  write: ({ order, incarnation, createdAtMs, version, description }) => ({
    order,
    incarnation,
    createdAtMs,
    version,
    ...(description !== undefined && { description }),
  }),
  read(value, name) {
    if (!isJsonObject(value)) return undefined;
    const { order, incarnation, createdAtMs, version, description } = value;
    if (typeof order !== "number" || typeof incarnation !== "number" || typeof createdAtMs !== "number")
      return undefined;
    const group = new BillingGroup(name, order, incarnation, createdAtMs);
    if (typeof version === "number") group.version = version;
    if (typeof description === "string") group.description = description;
    return group;
  },
};
