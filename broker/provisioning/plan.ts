import { type JsonValue, unreachable } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { CERTIFICATE_PREFIX, type Template } from "./template.js";
import {
  asText,
  evaluate,
  evaluateList,
  evaluateText,
  type Expression,
  type Scope,
} from "./template-expression.js";
import { child, evaluationError, type TemplatePath } from "./template-path.js";
import {
  type CertificateResource,
  certificateStatus,
  type DocumentExpression,
  type Override,
  type PolicyResource,
  type ThingPart,
  type ThingResource,
} from "./template-resources.js";

/** What one provisioning is to bring about: a template with its parameters filled in. */
export interface ProvisioningPlan {
  readonly thing: PlannedThing | undefined;
  readonly certificate: PlannedCertificate | undefined;
  readonly policies: readonly PlannedPolicy[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

export interface PlannedThing {
  readonly logicalId: string;
  /** Undefined: whoever carries out the plan makes one up. */
  readonly thingName: string | undefined;
  readonly attributes: Readonly<Record<string, string>> | undefined;
  readonly thingTypeName: string | undefined;
  readonly thingGroups: readonly string[] | undefined;
  readonly billingGroup: string | undefined;
  readonly overrides: ReadonlyMap<ThingPart, Override>;
}

export interface PlannedCertificate {
  readonly logicalId: string;
  readonly source:
    | { readonly kind: "csr"; readonly csr: string }
    | { readonly kind: "id"; readonly certificateId: string }
    | {
        readonly kind: "pem";
        readonly certificatePem: string;
        readonly caCertificatePem: string | undefined;
      };
  readonly status: "ACTIVE" | "INACTIVE";
  /** The template says the status, rather than leaving it at ACTIVE. */
  readonly statusIsStated: boolean;
  readonly statusOverride: Override | undefined;
}

export type PlannedPolicy =
  | { readonly logicalId: string; readonly policyName: string }
  | { readonly logicalId: string; readonly policyDocument: string };

/** What a template is filled in with. */
export interface PlanParameters {
  readonly values: ReadonlyMap<string, string>;
  /**
   * Parameters that a device chose itself. Within a policy they may not hold what would widen it: wildcards, variables,
   * and whatever ends a JSON string (reliability E12).
   */
  readonly chosenByDevice?: ReadonlySet<string>;
}

/**
 * Fills in a template.
 * @throws {FleetrigError} CLOUD_INVALID_REQUEST, naming the place, when a value is missing or of no use.
 */
export function planOf(template: Template, parameters: PlanParameters): ProvisioningPlan {
  assertDeclaredSubject(template, parameters);
  const scope = scopeOf(template, parameters);
  return {
    thing: template.thing && planThing(template.thing, scope),
    certificate: template.certificate && planCertificate(template.certificate, scope),
    policies: template.policies.map((policy) => planPolicy(policy, policyScope(scope, parameters))),
    deviceConfiguration: textsOf(template.deviceConfiguration, "DeviceConfiguration", scope),
  };
}

/** REF §11.2: what a template declares of the certificate's subject must be there, used or not. */
function assertDeclaredSubject(template: Template, { values }: PlanParameters): void {
  for (const [name, fallback] of template.parameters) {
    if (!name.startsWith(CERTIFICATE_PREFIX) || fallback !== undefined || values.has(name)) continue;
    throw missing(name);
  }
}

function missing(name: string): Error {
  return cloudError("InvalidRequestException", `Parameter ${name.slice(0, 128)} has no value.`, {
    hint: "Give it one, or a Default in the template.",
  });
}

function scopeOf({ mappings, parameters }: Template, { values }: PlanParameters): Scope {
  return {
    mappings,
    parameter: (name) => {
      const value = values.get(name) ?? parameters.get(name);
      if (value === undefined) throw missing(name);
      return value;
    },
  };
}

/** Wildcards, the beginning of a variable, and what JSON text must escape. */
const WIDENING = /[*?$"\\\p{Cc}]/u;

function policyScope(scope: Scope, { chosenByDevice, values }: PlanParameters): Scope {
  return {
    mappings: scope.mappings,
    parameter: (name, path) => {
      const value = scope.parameter(name, path);
      if (chosenByDevice?.has(name) === true && values.has(name) && WIDENING.test(value)) {
        throw evaluationError(
          path,
          `The value of ${name.slice(0, 128)} has characters that have no place in a policy.`,
        );
      }
      return value;
    },
  };
}

const textAt = (expression: Expression | undefined, path: TemplatePath, scope: Scope): string | undefined =>
  expression && evaluateText(expression, path, scope);

function textsOf(
  expressions: ReadonlyMap<string, Expression>,
  path: TemplatePath,
  scope: Scope,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from(expressions, ([name, expression]) => [
      name,
      evaluateText(expression, child(path, name), scope),
    ]),
  );
}

function planThing(thing: ThingResource, scope: Scope): PlannedThing {
  const at = (name: string): TemplatePath => child(child(thing.path, "Properties"), name);
  const groups = thing.thingGroups && evaluateList(thing.thingGroups, at("ThingGroups"), scope);
  return {
    logicalId: thing.logicalId,
    thingName: textAt(thing.thingName, at("ThingName"), scope),
    attributes: thing.attributes && textsOf(thing.attributes, at("AttributePayload"), scope),
    thingTypeName: textAt(thing.thingTypeName, at("ThingTypeName"), scope),
    thingGroups: groups?.map((group, index) => asText(group, child(at("ThingGroups"), index))),
    billingGroup: textAt(thing.billingGroup, at("BillingGroup"), scope),
    overrides: thing.overrides,
  };
}

function planCertificate(certificate: CertificateResource, scope: Scope): PlannedCertificate {
  const at = (name: string): TemplatePath => child(child(certificate.path, "Properties"), name);
  const status = textAt(certificate.status, at("Status"), scope);
  return {
    logicalId: certificate.logicalId,
    source: planSource(certificate.source, at, scope),
    status: status === undefined ? "ACTIVE" : certificateStatus(status, at("Status")),
    statusIsStated: status !== undefined,
    statusOverride: certificate.statusOverride,
  };
}

function planSource(
  source: CertificateResource["source"],
  at: (name: string) => TemplatePath,
  scope: Scope,
): PlannedCertificate["source"] {
  switch (source.kind) {
    case "csr":
      return { kind: "csr", csr: evaluateText(source.csr, at("CertificateSigningRequest"), scope) };
    case "id":
      return { kind: "id", certificateId: evaluateText(source.certificateId, at("CertificateId"), scope) };
    case "pem":
      return {
        kind: "pem",
        certificatePem: evaluateText(source.certificatePem, at("CertificatePem"), scope),
        caCertificatePem: textAt(source.caCertificatePem, at("CACertificatePem"), scope),
      };
    default:
      return unreachable(source);
  }
}

function planPolicy({ logicalId, path, policy }: PolicyResource, scope: Scope): PlannedPolicy {
  const at = child(path, "Properties");
  if (policy.kind === "name")
    return { logicalId, policyName: evaluateText(policy.policyName, child(at, "PolicyName"), scope) };
  const document = evaluateDocument(policy.document, child(at, "PolicyDocument"), scope);
  return { logicalId, policyDocument: typeof document === "string" ? document : JSON.stringify(document) };
}

/** Values go in as data: whatever is in them ends up inside one JSON string. */
function evaluateDocument(document: DocumentExpression, path: TemplatePath, scope: Scope): JsonValue {
  switch (document.kind) {
    case "value":
      return document.value;
    case "expression":
      return evaluate(document.expression, path, scope);
    case "list":
      return document.items.map((item, index) => evaluateDocument(item, child(path, index), scope));
    case "object":
      return Object.fromEntries(
        document.members.map(([key, member]) => [key, evaluateDocument(member, child(path, key), scope)]),
      );
    default:
      return unreachable(document);
  }
}
