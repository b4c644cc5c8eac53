import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { type Declarations, type Expression, isCall, parseExpression } from "./template-expression.js";
import { child, objectAt, onlyKeys, type TemplatePath, templateError } from "./template-path.js";

interface Resource {
  /** The name that answers have the resource's ARN under. */
  readonly logicalId: string;
  readonly path: TemplatePath;
}

/** What happens to a part of a resource that exists already and is different. */
export type Override = "DO_NOTHING" | "REPLACE" | "FAIL" | "MERGE";
export type ThingPart = "AttributePayload" | "ThingTypeName" | "ThingGroups";

export interface ThingResource extends Resource {
  readonly thingName: Expression | undefined;
  readonly attributes: ReadonlyMap<string, Expression> | undefined;
  readonly thingTypeName: Expression | undefined;
  readonly thingGroups: Expression | undefined;
  readonly billingGroup: Expression | undefined;
  readonly overrides: ReadonlyMap<ThingPart, Override>;
}

export interface CertificateResource extends Resource {
  readonly source:
    | { readonly kind: "csr"; readonly csr: Expression }
    | { readonly kind: "id"; readonly certificateId: Expression }
    | {
        readonly kind: "pem";
        readonly certificatePem: Expression;
        readonly caCertificatePem: Expression | undefined;
      };
  readonly status: Expression | undefined;
  readonly statusOverride: Override | undefined;
}

export interface PolicyResource extends Resource {
  readonly policy:
    | { readonly kind: "name"; readonly policyName: Expression }
    | { readonly kind: "document"; readonly document: DocumentExpression };
}

/** A policy document: JSON with expressions inside, or one expression that comes to its text. */
export type DocumentExpression =
  | { readonly kind: "value"; readonly value: JsonValue }
  | { readonly kind: "expression"; readonly expression: Expression }
  | { readonly kind: "list"; readonly items: readonly DocumentExpression[] }
  | { readonly kind: "object"; readonly members: readonly (readonly [string, DocumentExpression])[] };

const THING_PROPERTIES = ["ThingName", "AttributePayload", "ThingTypeName", "ThingGroups", "BillingGroup"];
const CERTIFICATE_PROPERTIES = [
  "CertificateSigningRequest",
  "CertificateId",
  "CertificatePem",
  "CACertificatePem",
  "Status",
];
const RESOURCE_TYPES = ["AWS::IoT::Thing", "AWS::IoT::Certificate", "AWS::IoT::Policy"];
/** The spelling of the samples, and the one of the text. */
const THING_PARTS: ReadonlyMap<string, ThingPart> = new Map([
  ["AttributePayload", "AttributePayload"],
  ["ATTRIBUTE_PAYLOAD", "AttributePayload"],
  ["ThingTypeName", "ThingTypeName"],
  ["THING_TYPE_NAME", "ThingTypeName"],
  ["ThingGroups", "ThingGroups"],
  ["THING_GROUPS", "ThingGroups"],
]);
const OVERRIDES: readonly Override[] = ["DO_NOTHING", "REPLACE", "FAIL", "MERGE"];

/** What a template wants to be there in the end. */
export interface Resources {
  readonly thing: ThingResource | undefined;
  readonly certificate: CertificateResource | undefined;
  readonly policies: readonly PolicyResource[];
}

/** @throws {FleetrigError} CLOUD_INVALID_REQUEST, naming the place. */
export function parseResources(section: JsonValue | undefined, declared: Declarations): Resources {
  let thing: ThingResource | undefined;
  let certificate: CertificateResource | undefined;
  const policies: PolicyResource[] = [];
  for (const [logicalId, value] of Object.entries(objectAt(section, "Resources"))) {
    const path = child("Resources", logicalId);
    const resource = objectAt(value, path);
    onlyKeys(resource, path, ["Type", "Properties", "OverrideSettings"]);
    const parts = { logicalId, path, properties: propertiesOf(resource, path), declared };
    const overrides = overridesOf(resource, path);
    switch (resource["Type"]) {
      case "AWS::IoT::Thing":
        if (thing !== undefined) throw templateError(path, "A template has one thing at most.");
        thing = parseThing(parts, overrides);
        break;
      case "AWS::IoT::Certificate":
        if (certificate !== undefined) throw templateError(path, "A template has one certificate at most.");
        certificate = parseCertificate(parts, overrides);
        break;
      case "AWS::IoT::Policy":
        if (overrides.size > 0)
          throw templateError(child(path, "OverrideSettings"), "Policies have no OverrideSettings.");
        policies.push(parsePolicy(parts));
        break;
      default:
        throw templateError(child(path, "Type"), `The type must be one of ${RESOURCE_TYPES.join(", ")}.`);
    }
  }
  return { thing, certificate, policies };
}

const propertiesOf = (resource: JsonObject, path: TemplatePath): JsonObject =>
  resource["Properties"] === undefined ? {} : objectAt(resource["Properties"], child(path, "Properties"));

function overridesOf(resource: JsonObject, path: TemplatePath): ReadonlyMap<string, Override> {
  const overrides = new Map<string, Override>();
  if (resource["OverrideSettings"] === undefined) return overrides;
  const at = child(path, "OverrideSettings");
  for (const [key, value] of Object.entries(objectAt(resource["OverrideSettings"], at))) {
    const override = OVERRIDES.find((name) => name === value);
    if (override === undefined)
      throw templateError(child(at, key), `This must be one of ${OVERRIDES.join(", ")}.`);
    overrides.set(key, override);
  }
  return overrides;
}

interface ResourceParts extends Resource {
  readonly properties: JsonObject;
  readonly declared: Declarations;
}

/** The expression of one property; undefined when it is left out. */
function property(parts: ResourceParts, name: string): Expression | undefined {
  const value = parts.properties[name];
  return value === undefined
    ? undefined
    : parseExpression(value, child(child(parts.path, "Properties"), name), parts.declared);
}

function parseThing(parts: ResourceParts, settings: ReadonlyMap<string, Override>): ThingResource {
  const { logicalId, path } = parts;
  onlyKeys(parts.properties, child(path, "Properties"), THING_PROPERTIES);
  const overrides = new Map<ThingPart, Override>();
  for (const [key, override] of settings) {
    const at = child(child(path, "OverrideSettings"), key);
    const part = THING_PARTS.get(key);
    if (part === undefined)
      throw templateError(
        at,
        "Of things, AttributePayload, ThingTypeName and ThingGroups can be overridden.",
      );
    if (override === "MERGE" && part === "ThingTypeName") throw templateError(at, "A type cannot be merged.");
    overrides.set(part, override);
  }
  return {
    logicalId,
    path,
    thingName: property(parts, "ThingName"),
    attributes: attributesOf(parts),
    thingTypeName: property(parts, "ThingTypeName"),
    thingGroups: property(parts, "ThingGroups"),
    billingGroup: property(parts, "BillingGroup"),
    overrides,
  };
}

/** `{ name: value }`, or `{ attributes: { name: value } }` as the API of CreateThing has it. */
function attributesOf(parts: ResourceParts): ReadonlyMap<string, Expression> | undefined {
  const value = parts.properties["AttributePayload"];
  if (value === undefined) return undefined;
  const path = child(child(parts.path, "Properties"), "AttributePayload");
  const payload = objectAt(value, path);
  const inner = payload["attributes"];
  const attributes = isJsonObject(inner) && !isCall(inner) ? inner : payload;
  return new Map(
    Object.entries(attributes).map(([name, each]) => [
      name,
      parseExpression(each, child(path, name), parts.declared),
    ]),
  );
}

function parseCertificate(
  parts: ResourceParts,
  settings: ReadonlyMap<string, Override>,
): CertificateResource {
  const at = child(parts.path, "Properties");
  onlyKeys(parts.properties, at, CERTIFICATE_PROPERTIES);
  for (const [key, override] of settings) {
    const place = child(child(parts.path, "OverrideSettings"), key);
    if (key !== "Status") throw templateError(place, "Of certificates, only Status can be overridden.");
    if (override === "MERGE") throw templateError(place, "A status cannot be merged.");
  }
  const csr = property(parts, "CertificateSigningRequest");
  const certificateId = property(parts, "CertificateId");
  const certificatePem = property(parts, "CertificatePem");
  const caCertificatePem = property(parts, "CACertificatePem");
  const sources: CertificateResource["source"][] = [];
  if (csr !== undefined) sources.push({ kind: "csr", csr });
  if (certificateId !== undefined) sources.push({ kind: "id", certificateId });
  if (certificatePem !== undefined) sources.push({ kind: "pem", certificatePem, caCertificatePem });
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0)
    throw templateError(
      at,
      "Exactly one of CertificateSigningRequest, CertificateId and CertificatePem is needed.",
    );
  if (caCertificatePem !== undefined && source.kind !== "pem")
    throw templateError(child(at, "CACertificatePem"), "It goes with CertificatePem only.");
  const status = property(parts, "Status");
  if (status?.kind === "constant") certificateStatus(status.value ?? "", child(at, "Status"));
  return {
    logicalId: parts.logicalId,
    path: parts.path,
    source,
    status,
    statusOverride: settings.get("Status"),
  };
}

/** AWS's samples write `Active` where the text says ACTIVE: both are taken. */
export function certificateStatus(text: string, path: TemplatePath): "ACTIVE" | "INACTIVE" {
  const status = text.toUpperCase();
  if (status === "ACTIVE" || status === "INACTIVE") return status;
  throw templateError(path, "The status must be ACTIVE or INACTIVE.");
}

function parsePolicy(parts: ResourceParts): PolicyResource {
  const at = child(parts.path, "Properties");
  onlyKeys(parts.properties, at, ["PolicyName", "PolicyDocument"]);
  const policyName = property(parts, "PolicyName");
  const document = parts.properties["PolicyDocument"];
  const { logicalId, path, declared } = parts;
  if ((policyName === undefined) === (document === undefined))
    throw templateError(at, "Exactly one of PolicyName and PolicyDocument is needed.");
  if (policyName !== undefined) return { logicalId, path, policy: { kind: "name", policyName } };
  const place = child(at, "PolicyDocument");
  const parsed = parseDocument(document!, place, declared);
  if (parsed.kind !== "object" && parsed.kind !== "expression")
    throw templateError(place, "A policy document is an object, or its JSON text.");
  return { logicalId, path, policy: { kind: "document", document: parsed } };
}

function parseDocument(value: JsonValue, path: TemplatePath, declared: Declarations): DocumentExpression {
  if (Array.isArray(value)) {
    const items = value.map((item: JsonValue, index) => parseDocument(item, child(path, index), declared));
    return { kind: "list", items };
  }
  if (typeof value === "string" || (isJsonObject(value) && isCall(value)))
    return { kind: "expression", expression: parseExpression(value, path, declared) };
  if (!isJsonObject(value)) return { kind: "value", value };
  const members = Object.entries(value).map(
    ([key, member]) => [key, parseDocument(member, child(path, key), declared)] as const,
  );
  return { kind: "object", members };
}
