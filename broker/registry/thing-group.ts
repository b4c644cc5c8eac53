import { isJsonObject } from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";
import { type Attributes, NO_ATTRIBUTES, readAttributes } from "./attributes.js";
import { OrderedView } from "./ordered-view.js";
import type { Thing } from "./thing.js";

/** What makes a group dynamic: the things that a query of the fleet index finds belong to it. */
export interface DynamicGroup {
  queryString: string;
  queryVersion: string;
  indexName: string;
  /** ACTIVE once the index has told all that match. */
  status: "BUILDING" | "REBUILDING" | "ACTIVE";
}

/** AWS has one index and one version of its query language. */
export const INDEX_NAME = "AWS_Things";
export const QUERY_VERSION = "2017-09-30";

/** A thing group. A thing of a child group counts as a thing of all its ancestors; dynamic groups have no relatives. */
export class ThingGroup {
  version = 1;
  description: string | undefined;
  attributes: Attributes = NO_ATTRIBUTES;
  dynamic: DynamicGroup | undefined;
  readonly children = new Map<string, ThingGroup>();
  /** Things that were added to this very group. */
  readonly things = new Set<Thing>();
  readonly view = new OrderedView<Thing>(() => this.things);
  private ancestry: readonly ThingGroup[] = [this];

  constructor(
    readonly name: string,
    readonly order: number,
    readonly incarnation: number,
    readonly parentName: string | undefined,
    /** Wall-clock milliseconds. */
    readonly createdAtMs: number,
  ) {}

  /** This group and its ancestors, upwards. */
  get lineage(): readonly ThingGroup[] {
    return this.ancestry;
  }

  get parent(): ThingGroup | undefined {
    return this.ancestry[1];
  }

  get root(): ThingGroup {
    return this.ancestry.at(-1)!;
  }

  /** Takes its place below its parent, which has its own place already. */
  link(parent: ThingGroup): void {
    this.ancestry = [this, ...parent.lineage];
    parent.children.set(this.name, this);
  }
}

export type RegisteredGroup = Omit<Readonly<ThingGroup>, "link">;

export const THING_GROUP_CODEC: RecordCodec<ThingGroup> = {
  write: ({ order, incarnation, parentName, createdAtMs, version, description, attributes, dynamic }) => ({
    order,
    incarnation,
    createdAtMs,
    version,
    ...(parentName !== undefined && { parent: parentName }),
    ...(description !== undefined && { description }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(dynamic !== undefined && {
      query: dynamic.queryString,
    }),
  }),
  read(value, name) {
    if (!isJsonObject(value)) return undefined;
    const { order, incarnation, createdAtMs, version, parent, description, query } = value;
    if (typeof order !== "number" || typeof incarnation !== "number" || typeof createdAtMs !== "number")
      return undefined;
    const parentName = typeof parent === "string" ? parent : undefined;
    const group = new ThingGroup(name, order, incarnation, parentName, createdAtMs);
    if (typeof version === "number") group.version = version;
    if (typeof description === "string") group.description = description;
    group.attributes = readAttributes(value["attributes"]);
    if (typeof query === "string") {
      group.dynamic = {
        queryString: query,
        queryVersion: QUERY_VERSION,
        indexName: INDEX_NAME,
        status: "BUILDING",
      };
    }
    return group;
  },
};
