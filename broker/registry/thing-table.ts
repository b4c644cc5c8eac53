import type { RecordBook, RecordTable } from "../records/index.js";
import {
  assertAttributes,
  assertName,
  type Attributes,
  changeAttributes,
  hasAttribute,
  isSameAttributes,
  NO_ATTRIBUTES,
} from "./attributes.js";
import type { RegistryChanges } from "./changes.js";
import { assertVersion, existsAlready, invalid, noSuch, tooMany } from "./errors.js";
import type { RegistryIds } from "./ids.js";
import type { RegistryLimits } from "./limits.js";
import { OrderedView } from "./ordered-view.js";
import { type Page, type PageRequest, pageOf } from "./page.js";
import { Thing, THING_CODEC } from "./thing.js";
import type { ThingTypes } from "./thing-types.js";

/** AWS: what DescribeThing answers. */
export interface ThingDescription {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string;
  readonly billingGroupName?: string;
  readonly attributes: Attributes;
  readonly version: number;
}

/** AWS: a thing as ListThings shows it. */
export type ThingSummary = Omit<ThingDescription, "thingId" | "billingGroupName">;

/** AWS: CreateThing. */
export interface CreateThingRequest {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly attributes?: Attributes;
  readonly billingGroupName?: string;
}

/** AWS: UpdateThing. */
export interface UpdateThingRequest {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly removeThingType?: boolean;
  readonly attributes?: Attributes;
  /** Add to the attributes instead of replacing them; an empty value deletes one. */
  readonly merge?: boolean;
  readonly expectedVersion?: number;
}

/** AWS: ListThings; every given condition must hold. */
export interface ListThingsRequest extends PageRequest {
  readonly thingTypeName?: string;
  readonly attributeName?: string;
  /** Needs `attributeName`. */
  readonly attributeValue?: string;
  /** `attributeValue` is how values begin. */
  readonly usePrefixAttributeValue?: boolean;
}

export interface ThingTableOptions {
  readonly ids: RegistryIds;
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
  readonly types: ThingTypes;
}

/** Things by name. Names never change; a deleted and recreated thing is another thing with another id. */
export class ThingTable {
  private readonly table: RecordTable<Thing>;
  private readonly view: OrderedView<Thing>;
  private nextOrder = 0;

  constructor(private readonly parts: ThingTableOptions) {
    this.table = parts.records.table("things", THING_CODEC);
    this.view = new OrderedView(() => this.table.values());
    parts.records.whenRestored(() => this.rebuild());
  }

  get size(): number {
    return this.table.size;
  }

  /**
   * AWS: creating a thing again with the same type, attributes and billing group succeeds and changes nothing.
   * @param enter Called with a new thing before anybody hears of it.
   */
  create(request: CreateThingRequest, enter: (thing: Thing) => void): Thing {
    const { ids, limits, changes, types } = this.parts;
    const { thingName, thingTypeName, attributes = NO_ATTRIBUTES, billingGroupName } = request;
    const existing = this.table.get(thingName);
    if (existing !== undefined) {
      const isSame = existing.typeName === thingTypeName && existing.billingGroupName === billingGroupName;
      if (isSame && isSameAttributes(existing.attributes, attributes)) return existing;
      throw existsAlready("Thing", thingName, {
        id: ids.ofThing(existing),
        arn: ids.arn("thing", thingName),
      });
    }
    assertName("Thing", thingName);
    if (thingTypeName !== undefined) types.assertUsable(thingTypeName);
    this.assertAttributes(attributes, thingTypeName);
    if (this.table.size >= limits.maxThings)
      throw tooMany(`There are ${this.table.size} things already.`, "Raise maxThings.");
    const thing = new Thing(thingName, this.nextOrder, ids.nextIncarnation());
    enter(thing);
    if (thingTypeName !== undefined) thing.typeName = types.count(thingTypeName, 1);
    if (Object.keys(attributes).length > 0) thing.attributes = { ...attributes };
    this.nextOrder += 1;
    this.table.set(thingName, thing);
    this.view.added(thing);
    changes.announce({ kind: "thing", operation: "created", thing });
    this.announceType(thing, "created", thing.typeName);
    return thing;
  }

  update(request: UpdateThingRequest): Thing {
    const thing = this.get(request.thingName);
    assertVersion(`Thing ${thing.name}`, request.expectedVersion, thing.version);
    const before = thing.typeName;
    const after = this.typeAfter(before, request);
    const attributes =
      request.attributes === undefined
        ? thing.attributes
        : changeAttributes(thing.attributes, request.attributes, request.merge ?? false);
    this.assertAttributes(attributes, after);
    if (after !== before) this.changeType(thing, after);
    thing.attributes = attributes;
    thing.version += 1;
    this.table.changed(thing.name);
    this.parts.changes.announce({ kind: "thing", operation: "updated", thing });
    if (after !== before) {
      this.announceType(thing, "deleted", before);
      this.announceType(thing, "created", after);
    }
    return thing;
  }

  delete(thing: Thing): void {
    this.table.delete(thing.name);
    this.view.reset();
    this.parts.ids.noteDeletion();
    if (thing.typeName !== undefined) this.parts.types.count(thing.typeName, -1);
    this.parts.changes.announce({ kind: "thing", operation: "deleted", thing });
    this.announceType(thing, "deleted", thing.typeName);
  }

  /** What else belongs to the thing's record has changed. */
  changed(thing: Thing): void {
    this.table.changed(thing.name);
  }

  find(thingName: string): Thing | undefined {
    return this.table.get(thingName);
  }

  get(thingName: string): Thing {
    const thing = this.table.get(thingName);
    if (thing === undefined) throw noSuch("Thing", thingName);
    return thing;
  }

  /** In order of registration. */
  rows(): readonly Thing[] {
    return this.view.all();
  }

  describe(thing: Thing): ThingDescription {
    return {
      ...summaryOf(thing),
      thingId: this.parts.ids.ofThing(thing),
      ...(thing.billingGroupName !== undefined && { billingGroupName: thing.billingGroupName }),
    };
  }

  list(request: ListThingsRequest): Page<Thing> {
    const { thingTypeName, attributeName, attributeValue, usePrefixAttributeValue = false } = request;
    if (attributeValue !== undefined && attributeName === undefined)
      throw invalid("An attribute value was given without a name.", "Give attributeName too.");
    const hasValue = (attributes: Attributes, name: string): boolean =>
      usePrefixAttributeValue && attributeValue !== undefined
        ? Object.hasOwn(attributes, name) && attributes[name]!.startsWith(attributeValue)
        : hasAttribute(attributes, name, attributeValue);
    return pageOf(
      this.view.all(),
      request,
      (thing) =>
        (thingTypeName === undefined || thing.typeName === thingTypeName) &&
        (attributeName === undefined || hasValue(thing.attributes, attributeName)),
    );
  }

  private typeAfter(before: string | undefined, request: UpdateThingRequest): string | undefined {
    const { thingTypeName, removeThingType = false } = request;
    if (thingTypeName === undefined) return removeThingType ? undefined : before;
    if (removeThingType)
      throw invalid("A thing type is both set and removed.", "Give thingTypeName or removeThingType.");
    if (thingTypeName !== before) this.parts.types.assertUsable(thingTypeName);
    return thingTypeName;
  }

  private changeType(thing: Thing, after: string | undefined): void {
    if (thing.typeName !== undefined) this.parts.types.count(thing.typeName, -1);
    thing.typeName = after === undefined ? undefined : this.parts.types.count(after, 1);
  }

  private announceType(
    thing: Thing,
    operation: "created" | "deleted",
    thingTypeName: string | undefined,
  ): void {
    if (thingTypeName === undefined) return;
    this.parts.changes.announce({ kind: "type-association", operation, thing, thingTypeName });
  }

  private assertAttributes(attributes: Attributes, typeName: string | undefined): void {
    const { maxAttributesWithType, maxAttributesWithoutType } = this.parts.limits;
    assertAttributes(attributes, typeName === undefined ? maxAttributesWithoutType : maxAttributesWithType);
  }

  private rebuild(): void {
    const { types } = this.parts;
    this.view.reset();
    let last = -1;
    for (const thing of this.table.values()) {
      last = Math.max(last, thing.order);
      if (thing.typeName !== undefined) thing.typeName = types.count(thing.typeName, 1);
    }
    this.nextOrder = last + 1;
  }
}

export const summaryOf = (thing: Thing): ThingSummary => ({
  thingName: thing.name,
  ...(thing.typeName !== undefined && { thingTypeName: thing.typeName }),
  attributes: thing.attributes,
  version: thing.version,
});
