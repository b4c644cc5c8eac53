import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { IndexLimits } from "./limits.js";
import { canonicalField } from "./query-parser.js";
import type { IndexedSources } from "./thing-fields.js";

/** AWS: what a field is aggregated as. */
export type FieldType = "Number" | "String" | "Boolean";

/** AWS: a field that can be aggregated. */
export interface Field {
  /** The service model lets it be absent; no field without a name is accepted. */
  readonly name: string;
  readonly type: FieldType;
}

/** AWS: which shadows are indexed, and who may see sockets. */
interface IndexingFilter {
  readonly namedShadowNames?: readonly string[];
  readonly geoLocations?: readonly unknown[];
  readonly connectivity?: { readonly includeSocketInformation?: readonly string[] };
}

/** AWS: what of things is indexed. */
export interface ThingIndexingConfiguration {
  readonly thingIndexingMode: "OFF" | "REGISTRY" | "REGISTRY_AND_SHADOW";
  readonly thingConnectivityIndexingMode?: "OFF" | "STATUS";
  readonly deviceDefenderIndexingMode?: "OFF" | "VIOLATIONS";
  readonly namedShadowIndexingMode?: "OFF" | "ON";
  /** Read-only: they follow from the modes. */
  readonly managedFields?: readonly Field[];
  readonly customFields?: readonly Field[];
  readonly filter?: IndexingFilter;
}

/** AWS: whether thing groups are indexed. */
export interface ThingGroupIndexingConfiguration {
  readonly thingGroupIndexingMode: "OFF" | "ON";
  readonly managedFields?: readonly Field[];
  readonly customFields?: readonly Field[];
}

/** AWS: GetIndexingConfiguration. */
export interface IndexingConfiguration {
  readonly thingIndexingConfiguration: ThingIndexingConfiguration;
  readonly thingGroupIndexingConfiguration: ThingGroupIndexingConfiguration;
}

/** Indexing is off until it is asked for. */
export const INDEXING_OFF: IndexingConfiguration = {
  thingIndexingConfiguration: { thingIndexingMode: "OFF" },
  thingGroupIndexingConfiguration: { thingGroupIndexingMode: "OFF" },
};

const field = (name: string, type: FieldType): Field => ({ name, type });

const REGISTRY_FIELDS = [
  field("thingId", "String"),
  field("thingName", "String"),
  field("registry.version", "Number"),
  field("registry.thingTypeName", "String"),
  field("registry.thingGroupNames", "String"),
];
const SHADOW_FIELDS = [field("shadow.version", "Number"), field("shadow.hasDelta", "Boolean")];
const NAMED_SHADOW_FIELDS = [
  field("shadow.name.*.version", "Number"),
  field("shadow.name.*.hasDelta", "Boolean"),
];
const CONNECTIVITY_FIELDS = [
  field("connectivity.timestamp", "Number"),
  field("connectivity.version", "Number"),
  field("connectivity.connected", "Boolean"),
  field("connectivity.disconnectReason", "String"),
];
const DEVICE_DEFENDER_FIELDS = [field("deviceDefender.violationCount", "Number")];
const GROUP_FIELDS = [
  field("description", "String"),
  field("parentGroupNames", "String"),
  field("thingGroupId", "String"),
  field("thingGroupName", "String"),
  field("version", "Number"),
];

/** AWS: the fields whose types are known from the modes. */
export function managedThingFields(configuration: ThingIndexingConfiguration): readonly Field[] {
  if (configuration.thingIndexingMode === "OFF") return [];
  return [
    ...REGISTRY_FIELDS,
    ...(configuration.thingIndexingMode === "REGISTRY_AND_SHADOW" ? SHADOW_FIELDS : []),
    ...(configuration.namedShadowIndexingMode === "ON" ? NAMED_SHADOW_FIELDS : []),
    ...(configuration.thingConnectivityIndexingMode === "STATUS" ? CONNECTIVITY_FIELDS : []),
    ...(configuration.deviceDefenderIndexingMode === "VIOLATIONS" ? DEVICE_DEFENDER_FIELDS : []),
  ];
}

/** AWS: the fields of thing groups. */
export const managedGroupFields = (configuration: ThingGroupIndexingConfiguration): readonly Field[] =>
  configuration.thingGroupIndexingMode === "OFF" ? [] : GROUP_FIELDS;

/** What of a thing these modes index. */
export const sourcesOf = (configuration: ThingIndexingConfiguration): IndexedSources => ({
  hasShadow: configuration.thingIndexingMode === "REGISTRY_AND_SHADOW",
  namedShadows: new Set(
    configuration.namedShadowIndexingMode === "ON" ? configuration.filter?.namedShadowNames : [],
  ),
  hasConnectivity: configuration.thingConnectivityIndexingMode === "STATUS",
  hasDeviceDefender: configuration.deviceDefenderIndexingMode === "VIOLATIONS",
});

/** AWS: how DescribeIndex sums up the modes. */
export function schemaOf(configuration: ThingIndexingConfiguration): string {
  const { hasConnectivity, hasDeviceDefender, namedShadows } = sourcesOf(configuration);
  if (hasDeviceDefender || namedShadows.size > 0) return "MULTI_INDEXING_MODE";
  return `${configuration.thingIndexingMode}${hasConnectivity ? "_AND_CONNECTIVITY_STATUS" : ""}`;
}

/**
 * The type that a field is aggregated as.
 * @param name As asked for; `shadow.name.*` of a managed field stands for any named shadow.
 */
export function fieldType(fields: readonly Field[], name: string): FieldType | undefined {
  const wanted = canonicalField(name);
  const generic = wanted.replace(/^shadow\.name\.[^.]+\./, "shadow.name.*.");
  return fields.find((known) => {
    const indexed = canonicalField(known.name);
    return indexed === wanted || indexed === generic;
  })?.type;
}

const PLAIN_PATH = /^[a-zA-Z0-9_.-]{1,512}$/;
const invalid = (problem: string, hint: string): Error =>
  cloudError("InvalidRequestException", problem, { hint });

/** @throws FleetrigError `CLOUD_INVALID_REQUEST` for modes and fields that do not go together. */
export function assertThingIndexing(configuration: ThingIndexingConfiguration, limits: IndexLimits): void {
  const { thingIndexingMode, namedShadowIndexingMode, filter } = configuration;
  const others = [
    configuration.thingConnectivityIndexingMode,
    configuration.deviceDefenderIndexingMode,
    namedShadowIndexingMode,
  ];
  if (thingIndexingMode === "OFF" && others.some((mode) => mode !== undefined && mode !== "OFF")) {
    throw invalid(
      "thingIndexingMode is OFF while another mode is on.",
      "Turn thing indexing on, or the other off.",
    );
  }
  const names = filter?.namedShadowNames ?? [];
  if (names.length > limits.maxNamedShadows) {
    throw invalid(
      `The filter has ${names.length} named shadows; ${limits.maxNamedShadows} are allowed.`,
      "Leave out the shadows that nobody searches.",
    );
  }
  if (names.length > 0 && namedShadowIndexingMode !== "ON") {
    throw invalid("namedShadowNames are filtered, but not indexed.", "Set namedShadowIndexingMode to ON.");
  }
  if ((filter?.geoLocations?.length ?? 0) > 0) {
    throw cloudError("NotImplementedException", "Geolocation is not indexed.", {
      hint: "Leave filter.geoLocations out.",
    });
  }
  assertManaged(configuration.managedFields, managedThingFields(configuration));
  assertCustom(configuration.customFields, customPrefixes(configuration), limits);
}

/** @throws FleetrigError `CLOUD_INVALID_REQUEST` for fields that thing groups do not have. */
export function assertGroupIndexing(
  configuration: ThingGroupIndexingConfiguration,
  limits: IndexLimits,
): void {
  const isOn = configuration.thingGroupIndexingMode === "ON";
  assertManaged(configuration.managedFields, managedGroupFields(configuration));
  assertCustom(configuration.customFields, isOn ? ["attributes."] : [], limits);
}

function customPrefixes(configuration: ThingIndexingConfiguration): readonly string[] {
  if (configuration.thingIndexingMode === "OFF") return [];
  const { hasShadow, namedShadows, hasDeviceDefender } = sourcesOf(configuration);
  return [
    "attributes.",
    ...(hasShadow ? ["shadow.desired.", "shadow.reported."] : []),
    ...Array.from(namedShadows).flatMap((name) => [
      `shadow.name.${name}.desired.`,
      `shadow.name.${name}.reported.`,
    ]),
    ...(hasDeviceDefender ? ["deviceDefender."] : []),
  ];
}

/** What GetIndexingConfiguration said may be said back; anything else was meant to be custom (REF §13.2). */
function assertManaged(given: readonly Field[] | undefined, managed: readonly Field[]): void {
  for (const { name, type } of given ?? []) {
    if (managed.some((known) => known.name === name && known.type === type)) continue;
    throw invalid(
      `${name} is no managed field of these modes.`,
      "Managed fields are read-only; use customFields.",
    );
  }
}

function assertCustom(
  fields: readonly Field[] | undefined,
  prefixes: readonly string[],
  { maxCustomFields }: IndexLimits,
): void {
  if (fields === undefined) return;
  if (fields.length > maxCustomFields) {
    throw invalid(`There are ${fields.length} custom fields.`, `At most ${maxCustomFields} are allowed.`);
  }
  for (const [at, { name = "" }] of fields.entries()) {
    if (fields.findIndex((other) => other.name === name) !== at) {
      throw invalid(`The custom field ${name} is there twice.`, "Name every field once.");
    }
    const prefix = prefixes.find((each) => name.startsWith(each));
    if (prefix === undefined || !PLAIN_PATH.test(name.slice(prefix.length))) {
      throw invalid(
        `${name.slice(0, 200)} cannot be a custom field of these modes.`,
        prefixes.length === 0
          ? "Turn indexing on."
          : `Custom fields begin with ${prefixes.join(", ")}, followed by letters, digits, - and _.`,
      );
    }
  }
}

/** A configuration as it was written down; undefined when it is none. */
export function readConfiguration(value: JsonValue): IndexingConfiguration | undefined {
  if (!isJsonObject(value)) return undefined;
  const { thingIndexingConfiguration: things, thingGroupIndexingConfiguration: groups } = value;
  const isWhole = isJsonObject(things) && isJsonObject(groups);
  return isWhole ? (value as unknown as IndexingConfiguration) : undefined;
}
