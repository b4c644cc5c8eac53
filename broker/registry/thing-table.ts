import type { Clock, RandomSource } from "fleetrig/kernel";
import { uuidV4 } from "../uuid.js";
import { assertVersion, noSuchThing } from "./errors.js";
import { cloudError } from "../cloud-error.js";
import {
  assertAttributes,
  assertName,
  type Attributes,
  changeAttributes,
  type RegistryLimits,
} from "./limits.js";
import { type Page, type PageRequest, pageOf } from "./page.js";

/** AWS: what DescribeThing answers. */
export interface ThingDescription {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string;
  readonly attributes: Attributes;
  readonly version: number;
}

/** AWS: CreateThing. */
export interface CreateThingRequest {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly attributes?: Attributes;
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
}

/** A thing as the registry keeps it. The order of registration is the order of every list. */
export class Thing {
  version = 1;
  constructor(
    readonly name: string,
    readonly order: number,
    readonly createdAtUs: number,
    public typeName: string | undefined,
    public attributes: Attributes,
  ) {}
}

const NO_ATTRIBUTES: Attributes = {};

/** Things by name. Names never change; a deleted and recreated thing is another thing with another id. */
export class ThingTable {
  private readonly things = new Map<string, Thing>();
  /** How often each name was deleted, so that a recreated thing gets another id. */
  private readonly deletions = new Map<string, number>();
  private nextOrder = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: RandomSource,
    private readonly limits: RegistryLimits,
  ) {}

  get size(): number {
    return this.things.size;
  }

  /** AWS: creating a thing again with the same type and attributes succeeds and changes nothing. */
  create(request: CreateThingRequest): Thing {
    const { thingName, thingTypeName, attributes = NO_ATTRIBUTES } = request;
    const existing = this.things.get(thingName);
    if (existing !== undefined) {
      if (existing.typeName === thingTypeName && isSame(existing.attributes, attributes)) return existing;
      throw cloudError(
        "ResourceAlreadyExistsException",
        `Thing ${thingName} already exists and is different.`,
        {
          hint: "Use updateThing to change it.",
          context: { thingName },
        },
      );
    }
    assertName("Thing", thingName);
    this.assertContent(thingTypeName, attributes);
    if (this.things.size >= this.limits.maxThings) {
      throw cloudError("LimitExceededException", `There are ${this.things.size} things already.`, {
        hint: "Raise maxThings.",
      });
    }
    const thing = new Thing(thingName, this.nextOrder, this.clock.nowUs(), thingTypeName, attributes);
    this.nextOrder += 1;
    this.things.set(thingName, thing);
    return thing;
  }

  update(request: UpdateThingRequest): Thing {
    const thing = this.get(request.thingName);
    assertVersion(`Thing ${thing.name}`, request.expectedVersion, thing.version);
    const typeName = request.removeThingType === true ? undefined : (request.thingTypeName ?? thing.typeName);
    const attributes =
      request.attributes === undefined
        ? thing.attributes
        : changeAttributes(thing.attributes, request.attributes, request.merge ?? false);
    this.assertContent(typeName, attributes);
    thing.typeName = typeName;
    thing.attributes = attributes;
    thing.version += 1;
    return thing;
  }

  delete(thing: Thing): void {
    this.things.delete(thing.name);
    this.deletions.set(thing.name, (this.deletions.get(thing.name) ?? 0) + 1);
  }

  find(thingName: string): Thing | undefined {
    return this.things.get(thingName);
  }

  get(thingName: string): Thing {
    const thing = this.things.get(thingName);
    if (thing === undefined) throw noSuchThing(thingName);
    return thing;
  }

  /** The id is derived when asked for: drawing it for every thing would cost more than creating the thing. */
  describe(thing: Thing): ThingDescription {
    const incarnation = this.deletions.get(thing.name) ?? 0;
    return {
      thingName: thing.name,
      thingId: uuidV4(this.random.stream(`registry/${thing.name}/${incarnation}`)),
      ...(thing.typeName !== undefined && { thingTypeName: thing.typeName }),
      attributes: thing.attributes,
      version: thing.version,
    };
  }

  list(request: ListThingsRequest): Page<Thing> {
    const { thingTypeName, attributeName, attributeValue } = request;
    if (attributeValue !== undefined && attributeName === undefined) {
      throw cloudError("InvalidRequestException", "An attribute value was given without a name.", {
        hint: "Give attributeName too.",
      });
    }
    const matches = (thing: Thing): boolean =>
      (thingTypeName === undefined || thing.typeName === thingTypeName) &&
      (attributeName === undefined || hasAttribute(thing.attributes, attributeName, attributeValue));
    return pageOf(this.things.values(), request, matches);
  }

  private assertContent(typeName: string | undefined, attributes: Attributes): void {
    if (typeName !== undefined) assertName("Thing type", typeName);
    const { maxAttributesWithType, maxAttributesWithoutType } = this.limits;
    assertAttributes(attributes, typeName === undefined ? maxAttributesWithoutType : maxAttributesWithType);
  }
}

const hasAttribute = (attributes: Attributes, name: string, value: string | undefined): boolean =>
  Object.hasOwn(attributes, name) && (value === undefined || attributes[name] === value);

function isSame(a: Attributes, b: Attributes): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => hasAttribute(b, name, a[name]));
}
