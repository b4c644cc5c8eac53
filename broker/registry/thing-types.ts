import { type Clock, isJsonObject, jsonEqual, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";
import { assertAttributeName, assertDescription, assertName } from "./attributes.js";
import type { RegistryChanges } from "./changes.js";
import { existsAlready, invalid, noSuch, tooMany } from "./errors.js";
import type { RegistryIds } from "./ids.js";
import type { RegistryLimits } from "./limits.js";
import { OrderedView } from "./ordered-view.js";
import { type Page, type PageRequest, pageOf } from "./page.js";

/** AWS: what a thing type adds to MQTT 5 messages of its things. */
interface PropagatingAttribute {
  readonly userPropertyKey?: string;
  readonly thingAttribute?: string;
  readonly connectionAttribute?: string;
}

/** AWS: ThingTypeProperties. */
export interface ThingTypeProperties {
  readonly thingTypeDescription?: string;
  readonly searchableAttributes?: readonly string[];
  readonly mqtt5Configuration?: { readonly propagatingAttributes?: readonly PropagatingAttribute[] };
}

/** AWS: CreateThingType and UpdateThingType. */
export interface ThingTypeRequest {
  readonly thingTypeName: string;
  readonly thingTypeProperties?: ThingTypeProperties;
}

/** AWS: ListThingTypes. */
export interface ListThingTypesRequest extends PageRequest {
  /** The one type of this name. */
  readonly thingTypeName?: string;
}

/** What things have in common. */
class ThingType {
  properties: ThingTypeProperties = {};
  /** Wall-clock milliseconds. A deprecated type takes no new things. */
  deprecatedAtMs: number | undefined;
  /** Things that have it now. */
  thingCount = 0;

  constructor(
    readonly name: string,
    readonly order: number,
    readonly incarnation: number,
    readonly createdAtMs: number,
  ) {}
}

export type RegisteredType = Readonly<ThingType>;

/** AWS: a type can be deleted this long after its deprecation. */
const DELETION_DELAY_MS = 5 * 60 * 1000;

export interface ThingTypesOptions {
  readonly clock: Clock;
  readonly ids: RegistryIds;
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
}

/** Thing types by name. */
export class ThingTypes {
  private readonly table: RecordTable<ThingType>;
  private readonly view: OrderedView<ThingType>;
  private nextOrder = 0;

  constructor(private readonly parts: ThingTypesOptions) {
    this.table = parts.records.table("thing-types", THING_TYPE_CODEC);
    this.view = new OrderedView(() => this.table.values());
    parts.records.whenRestored(() => {
      this.view.reset();
      this.nextOrder = (this.view.all().at(-1)?.order ?? -1) + 1;
    });
  }

  /** AWS: creating a type again with the same properties succeeds and changes nothing. */
  create({ thingTypeName, thingTypeProperties = {} }: ThingTypeRequest): void {
    const { ids, limits, clock, changes } = this.parts;
    const properties = complete(thingTypeProperties);
    const existing = this.table.get(thingTypeName);
    if (existing !== undefined) {
      if (jsonEqual(json(existing.properties), json(properties))) return;
      throw existsAlready("Thing type", thingTypeName, {
        id: this.idOf(existing),
        arn: ids.arn("thingtype", thingTypeName),
      });
    }
    assertName("Thing type", thingTypeName);
    this.assertProperties(properties);
    if (this.table.size >= limits.maxThingTypes)
      throw tooMany(`There are ${this.table.size} thing types already.`, "Raise maxThingTypes.");
    const type = new ThingType(thingTypeName, this.nextOrder, ids.nextIncarnation(), clock.wallMs());
    type.properties = properties;
    this.nextOrder += 1;
    this.table.set(thingTypeName, type);
    this.view.added(type);
    changes.announce({ kind: "thing-type", operation: "created", type });
  }

  /** Replaces the properties that are given. */
  update({ thingTypeName, thingTypeProperties = {} }: ThingTypeRequest): void {
    const type = this.own(thingTypeName);
    const properties = complete({ ...type.properties, ...thingTypeProperties });
    this.assertProperties(properties);
    type.properties = properties;
    this.changed(type);
  }

  /** Deprecating a deprecated type keeps the date of its deprecation. */
  deprecate(thingTypeName: string, isUndone: boolean): void {
    const type = this.own(thingTypeName);
    const isDeprecated = type.deprecatedAtMs !== undefined;
    if (isDeprecated !== isUndone) return;
    type.deprecatedAtMs = isUndone ? undefined : this.parts.clock.wallMs();
    this.changed(type);
  }

  delete(thingTypeName: string): void {
    const type = this.own(thingTypeName);
    const { deprecatedAtMs } = type;
    if (deprecatedAtMs === undefined)
      throw invalid(`Thing type ${type.name} is not deprecated.`, "Deprecate it five minutes beforehand.");
    if (this.parts.clock.wallMs() - deprecatedAtMs < DELETION_DELAY_MS) {
      throw invalid(
        `Thing type ${type.name} was deprecated less than five minutes ago.`,
        "Try again five minutes after the deprecation.",
      );
    }
    if (type.thingCount > 0) {
      throw invalid(
        `${type.thingCount} things have the thing type ${type.name}.`,
        "Give those things another type, or none.",
      );
    }
    this.table.delete(type.name);
    this.view.reset();
    this.parts.ids.noteDeletion();
    this.parts.changes.announce({ kind: "thing-type", operation: "deleted", type });
  }

  find(thingTypeName: string): RegisteredType | undefined {
    return this.table.get(thingTypeName);
  }

  get(thingTypeName: string): RegisteredType {
    return this.own(thingTypeName);
  }

  idOf(type: RegisteredType): string {
    return this.parts.ids.of("thing-type", type);
  }

  list(request: ListThingTypesRequest): Page<RegisteredType> {
    const { thingTypeName } = request;
    return pageOf(
      this.view.all(),
      request,
      ({ name }) => thingTypeName === undefined || name === thingTypeName,
    );
  }

  /** @throws FleetrigError unless things may get this type now. */
  assertUsable(thingTypeName: string): void {
    if (this.own(thingTypeName).deprecatedAtMs === undefined) return;
    throw invalid(
      `Thing type ${thingTypeName} is deprecated.`,
      "Use another type, or undo the deprecation with undoDeprecate.",
    );
  }

  /** A thing has got this type (1) or has lost it (-1). @returns the one string of the name that is kept. */
  count(thingTypeName: string, difference: 1 | -1): string {
    const type = this.table.get(thingTypeName);
    if (type === undefined) return thingTypeName;
    type.thingCount += difference;
    return type.name;
  }

  private own(thingTypeName: string): ThingType {
    const type = this.table.get(thingTypeName);
    if (type === undefined) throw noSuch("Thing type", thingTypeName);
    return type;
  }

  private changed(type: ThingType): void {
    this.table.changed(type.name);
    this.parts.changes.announce({ kind: "thing-type", operation: "updated", type });
  }

  private assertProperties(properties: ThingTypeProperties): void {
    const { maxPropagatingAttributes, maxSearchableAttributes } = this.parts.limits;
    const searchable = properties.searchableAttributes ?? [];
    const propagating = properties.mqtt5Configuration?.propagatingAttributes ?? [];
    assertDescription(properties.thingTypeDescription);
    if (searchable.length > maxSearchableAttributes || propagating.length > maxPropagatingAttributes) {
      throw invalid(
        `${searchable.length} searchable and ${propagating.length} propagating attributes.`,
        `At most ${maxSearchableAttributes} and ${maxPropagatingAttributes} are allowed.`,
      );
    }
    for (const name of searchable) assertAttributeName(name);
  }
}

/** AWS shows a type's searchable attributes even when there are none. */
const complete = (properties: ThingTypeProperties): ThingTypeProperties => ({
  ...properties,
  searchableAttributes: properties.searchableAttributes ?? [],
});

/** Properties came out of JSON, so they are JSON. */
const json = (properties: ThingTypeProperties): JsonObject => properties as unknown as JsonObject;

const THING_TYPE_CODEC: RecordCodec<ThingType> = {
  write: ({ order, incarnation, createdAtMs, deprecatedAtMs, properties }) => ({
    order,
    incarnation,
    createdAtMs,
    ...(deprecatedAtMs !== undefined && { deprecatedAtMs }),
    properties: json(properties),
  }),
  read(value: JsonValue, name) {
    if (!isJsonObject(value)) return undefined;
    const { order, incarnation, createdAtMs, deprecatedAtMs, properties } = value;
    if (typeof order !== "number" || typeof incarnation !== "number" || typeof createdAtMs !== "number")
      return undefined;
    const type = new ThingType(name, order, incarnation, createdAtMs);
    if (typeof deprecatedAtMs === "number") type.deprecatedAtMs = deprecatedAtMs;
    if (isJsonObject(properties)) type.properties = properties;
    return type;
  },
};
