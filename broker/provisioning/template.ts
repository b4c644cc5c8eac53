import { isJsonObject, type JsonValue, parseJson } from "fleetrig/kernel";
import {
  type Declarations,
  type Expression,
  isCall,
  type Mappings,
  parseExpression,
} from "./template-expression.js";
import { child, objectAt, onlyKeys, templateError, textAt } from "./template-path.js";
import {
  type CertificateResource,
  parseResources,
  type PolicyResource,
  type ThingResource,
} from "./template-resources.js";

/** AWS: characters of a template's body. */
const MAX_TEMPLATE_CHARS = 10_240;
const MAX_DEPTH = 32;

/** A provisioning template that was checked (REF §11.4). */
export interface Template {
  /** Default by name; undefined where a value must be given. */
  readonly parameters: ReadonlyMap<string, string | undefined>;
  readonly mappings: Mappings;
  readonly thing: ThingResource | undefined;
  readonly certificate: CertificateResource | undefined;
  readonly policies: readonly PolicyResource[];
  readonly deviceConfiguration: ReadonlyMap<string, Expression>;
}

/** The parameters that just-in-time provisioning takes from the certificate's subject (REF §11.2). */
const SUBJECT_PARAMETERS = [
  "Country",
  "Organization",
  "OrganizationalUnit",
  "DistinguishedNameQualifier",
  "StateName",
  "CommonName",
  "SerialNumber",
] as const;
export type SubjectParameter = (typeof SUBJECT_PARAMETERS)[number];
export const CERTIFICATE_PREFIX = "AWS::IoT::Certificate::";
/** The certificate that is being provisioned. */
export const CERTIFICATE_ID = `${CERTIFICATE_PREFIX}Id`;
const PSEUDO_PARAMETERS: readonly string[] = [
  CERTIFICATE_ID,
  ...SUBJECT_PARAMETERS.map((name) => CERTIFICATE_PREFIX + name),
];

const SECTIONS = ["Parameters", "Mappings", "Resources", "DeviceConfiguration"] as const;

/** @throws {FleetrigError} CLOUD_INVALID_REQUEST, naming the place that is wrong. */
export function parseTemplate(body: string): Template {
  if (body.length > MAX_TEMPLATE_CHARS)
    throw templateError(
      "The template",
      `It has ${body.length} characters; ${MAX_TEMPLATE_CHARS} are allowed.`,
    );
  const parsed = parseJson(body, MAX_DEPTH);
  if (!parsed.ok) {
    const why = parsed.reason === "depth" ? `It is nested deeper than ${MAX_DEPTH}.` : "It is not JSON.";
    throw templateError("The template", why);
  }
  if (!isJsonObject(parsed.value)) throw templateError("The template", "It must be an object.");
  const root = parsed.value;
  onlyKeys(root, "", SECTIONS);
  const parameters = parseParameters(root["Parameters"]);
  const mappings = parseMappings(root["Mappings"]);
  const declared: Declarations = {
    isParameter: (name) => parameters.has(name) || PSEUDO_PARAMETERS.includes(name),
    parameterNames: Array.from(parameters.keys()).concat(PSEUDO_PARAMETERS),
    mappings,
  };
  return {
    parameters,
    mappings,
    ...parseResources(root["Resources"], declared),
    deviceConfiguration: parseDeviceConfiguration(root["DeviceConfiguration"], declared),
  };
}

function parseParameters(section: JsonValue | undefined): Template["parameters"] {
  const parameters = new Map<string, string | undefined>();
  if (section === undefined) return parameters;
  for (const [name, value] of Object.entries(objectAt(section, "Parameters"))) {
    const path = child("Parameters", name);
    const declaration = objectAt(value, path);
    onlyKeys(declaration, path, ["Type", "Default", "Description"]);
    if (declaration["Type"] !== "String")
      throw templateError(child(path, "Type"), 'The type must be "String".');
    const fallback = declaration["Default"];
    parameters.set(name, fallback === undefined ? undefined : textAt(fallback, child(path, "Default")));
  }
  return parameters;
}

/** Constants only: neither parameters nor functions. */
function parseMappings(section: JsonValue | undefined): Mappings {
  const mappings = new Map<string, Map<string, Map<string, string>>>();
  if (section === undefined) return mappings;
  for (const [mapName, map] of Object.entries(objectAt(section, "Mappings"))) {
    const path = child("Mappings", mapName);
    const keys = new Map<string, Map<string, string>>();
    for (const [key, values] of Object.entries(objectAt(map, path))) {
      const entries = Object.entries(objectAt(values, child(path, key)));
      keys.set(
        key,
        new Map(entries.map(([inner, value]) => [inner, textAt(value, child(child(path, key), inner))])),
      );
    }
    mappings.set(mapName, keys);
  }
  return mappings;
}

/** Flat: names and values, no nested JSON. */
function parseDeviceConfiguration(
  section: JsonValue | undefined,
  declared: Declarations,
): ReadonlyMap<string, Expression> {
  if (section === undefined) return new Map();
  const path = "DeviceConfiguration";
  return new Map(
    Object.entries(objectAt(section, path)).map(([key, value]) => {
      const place = child(path, key);
      if (Array.isArray(value) || (isJsonObject(value) && !isCall(value)))
        throw templateError(place, "Values are flat: neither lists nor objects.");
      return [key, parseExpression(value, place, declared)];
    }),
  );
}
