import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { FieldMap } from "./document-index.js";
import type { FieldTraits } from "./field-index.js";
import type { FieldValue, Scalar } from "./field-value.js";
import { canonicalField } from "./query-parser.js";

/** AWS: connectivity as SearchIndex and GetThingConnectivityData show it. */
export interface ThingConnectivity {
  readonly connected: boolean;
  /** Wall-clock milliseconds of the last change. */
  readonly timestamp?: number;
  /** Why it was disconnected: one of REF §4's reasons. */
  readonly disconnectReason?: string;
  /** Seconds. */
  readonly keepAliveDuration?: number;
  readonly cleanSession?: boolean;
  /** Seconds that the session outlives the connection. */
  readonly sessionExpiry?: number;
  readonly clientId?: string;
  readonly sourceIp?: string;
  readonly sourcePort?: number;
  readonly targetIp?: string;
  readonly targetPort?: number;
}

/** A shadow as far as it is indexed. */
export interface IndexedShadow {
  readonly desired?: JsonObject;
  readonly reported?: JsonObject;
  readonly delta?: JsonObject;
  readonly metadata?: JsonObject;
  readonly hasDelta: boolean;
  readonly version?: number;
  /** Seconds since 1970; shown, not searched. */
  readonly timestamp?: number;
}

/** Everything that is known about a thing; what of it is indexed depends on the configuration. */
export interface ThingDocument {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string;
  /** Thing groups it was added to, and its billing group. */
  readonly thingGroupNames?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** The version of the thing in the registry. */
  readonly version: number;
  /** The classic shadow, and the named ones. */
  readonly shadow?: IndexedShadow;
  readonly namedShadows?: readonly (readonly [shadowName: string, shadow: IndexedShadow])[];
  readonly connectivity?: ThingConnectivity;
  readonly deviceDefender?: JsonObject;
}

/** AWS: a thing group as AWS_ThingGroups shows it. */
export interface ThingGroupDocument {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly thingGroupDescription?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** All ancestors. */
  readonly parentGroupNames?: readonly string[];
  readonly version: number;
}

/** Which sources of a thing are indexed. */
export interface IndexedSources {
  readonly hasShadow: boolean;
  readonly namedShadows: ReadonlySet<string>;
  readonly hasConnectivity: boolean;
  readonly hasDeviceDefender: boolean;
}

/** Deeper parts of a shadow are not indexed; shadows themselves are never that deep. */
const MAX_DEPTH = 32;
const SECTIONS = ["desired", "reported", "delta", "metadata"] as const;

/** The fields of a thing. The registry's own come first, in the order of AWS's documents. */
export function thingFields(thing: ThingDocument, sources: IndexedSources): FieldMap {
  const fields = new FieldCollector();
  fields.add("thingName", thing.thingName);
  fields.add("thingId", thing.thingId);
  fields.add("thingTypeName", thing.thingTypeName);
  fields.add("thingGroupNames", thing.thingGroupNames);
  fields.add("registry.version", thing.version);
  addAttributes(fields, thing.attributes);
  if (sources.hasShadow && thing.shadow !== undefined) addShadow(fields, "shadow", thing.shadow);
  for (const [name, shadow] of thing.namedShadows ?? []) {
    if (sources.namedShadows.has(name)) addShadow(fields, `shadow.name.${name}`, shadow);
  }
  if (sources.hasConnectivity) {
    const { connected = false, timestamp, disconnectReason } = thing.connectivity ?? {};
    fields.add("connectivity.connected", connected);
    fields.add("connectivity.timestamp", timestamp);
    fields.add("connectivity.disconnectReason", disconnectReason);
  }
  if (sources.hasDeviceDefender && thing.deviceDefender !== undefined)
    fields.addTree("deviceDefender", thing.deviceDefender);
  return fields.collected();
}

/** The fields of a thing group. */
export function thingGroupFields(group: ThingGroupDocument): FieldMap {
  const fields = new FieldCollector();
  fields.add("thingGroupName", group.thingGroupName);
  fields.add("thingGroupId", group.thingGroupId);
  fields.add("description", group.thingGroupDescription);
  fields.add("parentGroupNames", group.parentGroupNames);
  fields.add("version", group.version);
  addAttributes(fields, group.attributes);
  return fields.collected();
}

const VERSION =
  /^(?:version|registry\.version|shadow\.version|shadow\.name\.[^.]+\.version|deviceDefender\.version)$/;

/** How a field takes part in queries, by its name. */
export const fieldTraits = (field: string): FieldTraits => ({
  reading: field.startsWith("attributes.") ? "numeric text" : "text",
  isSearchable: !VERSION.test(field),
  // AWS: a term without a field looks at registry, shadows and Device Defender.
  isEverywhere: !field.startsWith("connectivity."),
});

function addAttributes(fields: FieldCollector, attributes: ThingDocument["attributes"]): void {
  if (attributes === undefined) return;
  for (const name of Object.keys(attributes)) fields.add(`attributes.${name}`, attributes[name]);
}

function addShadow(fields: FieldCollector, path: string, shadow: IndexedShadow): void {
  for (const section of SECTIONS) {
    const tree = shadow[section];
    if (tree !== undefined) fields.addTree(`${path}.${section}`, tree);
  }
  fields.add(`${path}.hasDelta`, shadow.hasDelta);
  fields.add(`${path}.version`, shadow.version);
}

/** Gathers fields; a dotted key and a nested one may mean the same field, which then holds both values. */
class FieldCollector {
  private readonly fields: [string, FieldValue][] = [];

  add(field: string, value: FieldValue | undefined): void {
    if (value === undefined || (typeof value === "object" && value.length === 0)) return;
    this.fields.push([canonicalField(field), value]);
  }

  addTree(path: string, tree: JsonObject, depth = 0): void {
    for (const key of Object.keys(tree)) {
      const value = tree[key]!;
      const inner = `${path}.${key}`;
      if (isScalar(value)) this.add(inner, value);
      else if (Array.isArray(value)) {
        if (value.every(isScalar)) this.add(inner, value);
      } else if (isJsonObject(value) && depth < MAX_DEPTH) this.addTree(inner, value, depth + 1);
    }
  }

  collected(): FieldMap {
    const { fields } = this;
    const values = new Map<string, FieldValue>();
    for (const [name, value] of fields) {
      const before = values.get(name);
      values.set(name, before === undefined ? value : [before, value].flat());
    }
    return values.size === fields.length ? fields : Array.from(values);
  }
}

const isScalar = (value: JsonValue): value is Scalar =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";
