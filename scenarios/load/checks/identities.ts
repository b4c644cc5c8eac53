import { parseProvisioningTemplate } from "fleetrig/broker";
import type { FleetGroupDocument } from "../../schema/fleet.js";
import type { SelectionDocument } from "../../schema/selection.js";
import { isRegistrable, MAX_ATTRIBUTES } from "../../registrable.js";
import { jsonTextOf } from "../normalise-cloud.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import { checkPolicyNames, checkReference } from "./cloud.js";
import type { Checker } from "./checker.js";
import { checkTemplate } from "./names.js";

/** AWS: policies of one certificate. */
const MAX_CERTIFICATE_POLICIES = 10;

/** Who the devices of the groups are, and what the registry knows of them. */
export function checkIdentities(checker: Checker): void {
  const { fleet, policies, authorizers } = checker.document;
  const isEnforced =
    policies !== undefined ||
    authorizers !== undefined ||
    fleet.some(({ identity }) => identity !== undefined);
  fleet.forEach((group, index) => {
    const path = ["fleet", index];
    checkRegistration(checker, group, path);
    if (group.identity !== undefined) checkIdentity(checker, group, [...path, "identity"]);
    else if (isEnforced && group.requires !== "hardware")
      checker.missingIn(path, {
        code: "SCENARIO_NO_IDENTITY",
        severity: "warning",
        message: `The group ${group.group} shows no certificate, so no policy applies to it and it may do everything.`,
        hint: "Write identity: { certificate: true, policies: [...] }.",
      });
  });
}

function checkRegistration(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { document } = checker;
  const { thingTypes = [], thingGroups = [] } = document;
  checkReference(
    checker,
    { name: group.thingType, path: [...path, "thingType"] },
    { noun: "thing type", known: thingTypes.map(({ name }) => name) },
  );
  const known = thingGroups.filter(({ queryString }) => queryString === undefined).map(({ name }) => name);
  group.thingGroups?.forEach((name, index) =>
    checkReference(
      checker,
      { name, path: [...path, "thingGroups", index] },
      { noun: "static thing group", known },
    ),
  );
  if (usesRegistry(checker)) checkRegisteredAttributes(checker, group, [...path, "attributes"]);
}

const usesRegistry = ({ document }: Checker): boolean =>
  [document.thingTypes, document.thingGroups, document.index].some((block) => block !== undefined);

/** What AWS's registry would not take stays with the device, and nobody finds things by it. */
function checkRegisteredAttributes(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const attributes = Object.entries(group.attributes ?? {});
  const most = group.thingType === undefined ? MAX_ATTRIBUTES.untyped : MAX_ATTRIBUTES.typed;
  if (attributes.length > most)
    checker.atKey(path, {
      code: "SCENARIO_NOT_AWS",
      severity: "warning",
      message: `Of ${attributes.length} attributes the registry takes the first ${most}.`,
      hint: group.thingType === undefined ? "Give the group a thingType to have 50." : "Use fewer.",
    });
  for (const [name, written] of attributes) {
    const values =
      written === null || typeof written !== "object"
        ? [`${written}`]
        : "choice" in written
          ? Object.keys(written.choice)
          : ["1"];
    const unfit = values.find((value) => !isRegistrable(name, value));
    if (unfit !== undefined)
      checker.atKey([...path, name], {
        code: "SCENARIO_NOT_AWS",
        severity: "warning",
        message: `The registry does not take the attribute ${name}: ${unfit}.`,
        hint: "AWS allows letters, digits and _.,@/:#=[]- in values, without spaces.",
      });
  }
}

function checkIdentity(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { certificate, claim, authorizer, policies } = group.identity!;
  if (checker.document.broker?.mode === "external")
    checker.atKey(path, {
      code: "SCENARIO_CONTRADICTION",
      message: "Certificates come from the embedded cloud; an external broker has its own.",
      hint: "Remove identity.",
    });
  if ([certificate, claim, authorizer].filter((one) => one !== undefined).length !== 1)
    checker.atValue(path, {
      code: "SCENARIO_CONTRADICTION",
      message:
        "A device has either a certificate from the start, or a claim to get one with, or an authorizer.",
      hint: "Write certificate: true, or claim: { template: ... }, or authorizer: { name: ... }.",
    });
  else if (certificate === undefined && policies !== undefined)
    checker.atKey([...path, "policies"], {
      code: "SCENARIO_CONTRADICTION",
      message: "The template or the authorizer says which policies such a device gets.",
      hint: "Write the claim's own policies inside claim.",
    });
  if (authorizer !== undefined) checkAuthorizer(checker, group, [...path, "authorizer"]);
  checkPolicyNames(checker, policies, { path: [...path, "policies"], most: MAX_CERTIFICATE_POLICIES });
  if (claim !== undefined) checkClaim(checker, group, [...path, "claim"]);
}

function checkAuthorizer(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { name, username = "", password = "" } = group.identity!.authorizer!;
  const known = (checker.document.authorizers ?? []).map((authorizer) => authorizer.name);
  checkReference(checker, { name, path: [...path, "name"] }, { noun: "custom authorizer", known });
  const attributes = Object.keys(group.attributes ?? {});
  checkTemplate(checker, username, { attributes, path: [...path, "username"] });
  checkTemplate(checker, password, { attributes, path: [...path, "password"] });
}

function checkClaim(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { template, parameters = {}, policies } = group.identity!.claim!;
  const { provisioning = [] } = checker.document;
  checkPolicyNames(checker, policies, { path: [...path, "policies"], most: MAX_CERTIFICATE_POLICIES });
  checkReference(
    checker,
    { name: template, path: [...path, "template"] },
    { noun: "provisioning template", known: provisioning.map(({ name }) => name) },
  );
  const attributes = Object.keys(group.attributes ?? {});
  for (const [name, value] of Object.entries(parameters))
    checkTemplate(checker, value, { attributes, path: [...path, "parameters", name] });
  const declared = declaredParameters(provisioning.find(({ name }) => name === template)?.body);
  if (declared !== undefined) checkParameters(checker, { declared, given: Object.keys(parameters) }, path);
}

/** Undefined for a template that cannot be read: that is reported where it stands. */
function declaredParameters(
  body: Parameters<typeof jsonTextOf>[0] | undefined,
): ReadonlyMap<string, string | undefined> | undefined {
  if (body === undefined) return undefined;
  try {
    return parseProvisioningTemplate(jsonTextOf(body)).parameters;
  } catch {
    return undefined;
  }
}

function checkParameters(
  checker: Checker,
  {
    declared,
    given,
  }: { readonly declared: ReadonlyMap<string, string | undefined>; readonly given: readonly string[] },
  path: SourcePath,
): void {
  for (const name of given)
    if (!declared.has(name))
      checker.atKey([...path, "parameters", name], {
        code: "SCENARIO_DANGLING_REFERENCE",
        message: `The template has no parameter ${name}.`,
        hint: suggestion(name, [...declared.keys()]),
      });
  for (const [name, fallback] of declared)
    if (fallback === undefined && !given.includes(name))
      checker.missingIn(path, {
        code: "SCENARIO_MISSING_KEY",
        message: `The template's parameter ${name} has neither a value nor a default.`,
        hint: `Write parameters: { ${name}: ... }.`,
      });
}

/** Only things of groups with an identity have certificates. */
export function checkCertificates(
  checker: Checker,
  select: SelectionDocument | undefined,
  path: SourcePath,
): void {
  const bare = checker.document.fleet.filter(
    ({ group, identity }) =>
      (identity === undefined || identity.authorizer !== undefined) &&
      (select?.group === undefined || select.group === group) &&
      select?.things === undefined,
  );
  const [first] = bare;
  if (first === undefined) return;
  checker.missingIn(path, {
    code: "SCENARIO_NO_CERTIFICATE",
    message: `The things of ${first.group} have no certificates.`,
    hint: "Select a group with an identity.",
  });
}
