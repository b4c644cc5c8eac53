import {
  FleetIndexing,
  lintPolicy,
  parsePolicyDocument,
  parseProvisioningTemplate,
  parseQuery,
  RecordBook,
  DEFAULT_INDEX_LIMITS,
} from "fleetrig/broker";
import { FleetrigError, type JsonValue, LANE, VirtualTime } from "fleetrig/kernel";
import type { ThingGroupDocument } from "../../schema/cloud.js";
import { ratePerSecond } from "../../schema/quantities.js";
import { JsonPlaces } from "../json-places.js";
import { indexingConfigurationOf, jsonTextOf } from "../normalise-cloud.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { CheckComplaint, Checker } from "./checker.js";

const BLOCKS = [
  "cloud",
  "policies",
  "thingTypes",
  "thingGroups",
  "provisioning",
  "authorizers",
  "index",
] as const;

/** The control plane of the embedded cloud: policies, types, groups, templates, index. */
export function checkCloud(checker: Checker): void {
  const { document } = checker;
  if (document.broker?.mode === "external")
    for (const key of BLOCKS)
      if (document[key] !== undefined)
        checker.atKey([key], {
          code: "SCENARIO_CONTRADICTION",
          message: `${key} belongs to the embedded cloud; an external broker has its own.`,
          hint: `Remove ${key}.`,
        });
  checkQuotas(checker);
  checkPolicies(checker);
  checkThingTypes(checker);
  checkThingGroups(checker);
  checkTemplateBodies(checker);
  checkAuthorizers(checker);
  checkIndex(checker);
}

/** A name must be one of those that the scenario defines. */
export function checkReference(
  checker: Checker,
  { name, path }: { readonly name: string | undefined; readonly path: SourcePath },
  { noun, known }: { readonly noun: string; readonly known: readonly string[] },
): void {
  if (name === undefined || known.includes(name)) return;
  checker.atValue(path, {
    code: "SCENARIO_DANGLING_REFERENCE",
    message: `There is no ${noun} named ${name}.`,
    hint: known.length === 0 ? `Define a ${noun} of this name.` : suggestion(name, known),
  });
}

export const policyNames = ({ document }: Checker): readonly string[] =>
  (document.policies ?? []).map(({ name }) => name);

/** Each is a policy, none is named twice, and there are no more than AWS allows. */
export function checkPolicyNames(
  checker: Checker,
  names: readonly string[] | undefined,
  { path, most }: { readonly path: SourcePath; readonly most: number },
): void {
  const known = policyNames(checker);
  names?.forEach((name, index) =>
    checkReference(checker, { name, path: [...path, index] }, { noun: "policy", known }),
  );
  if (names !== undefined && names.length > most)
    checker.atValue(path, {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `AWS attaches at most ${most} policies here, not ${names.length}.`,
      hint: "Put their statements together.",
    });
}

function checkQuotas(checker: Checker): void {
  for (const key of ["createKeysRate", "registerThingRate"] as const) {
    const rate = checker.document.cloud?.[key];
    if (rate !== undefined && ratePerSecond(rate) === 0)
      checker.atValue(["cloud", key], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: "At this rate no device is ever provisioned.",
        hint: "Write a rate above zero, or remove the key for AWS's quota.",
      });
  }
}

function checkPolicies(checker: Checker): void {
  const { policies = [] } = checker.document;
  checker.uniqueNames(
    policies.map(({ name }, index) => ({ name, path: ["policies", index, "name"] })),
    "a policy",
  );
  policies.forEach(({ name, document }, index) =>
    checkPolicy(checker, document, {
      path: ["policies", index, "document"],
      isForClaims: isForClaims(checker, name),
    }),
  );
}

/** Devices with a claim have no thing yet that their client id could be tied to. */
const isForClaims = ({ document: { fleet, thingGroups = [] } }: Checker, policy: string): boolean =>
  fleet.some(({ identity }) => identity?.claim?.policies?.includes(policy)) &&
  ![...fleet.map(({ identity }) => identity), ...thingGroups].some((one) => one?.policies?.includes(policy));

function checkPolicy(
  checker: Checker,
  document: JsonValue,
  { path, isForClaims }: { readonly path: SourcePath; readonly isForClaims: boolean },
): void {
  const places = typeof document === "string" ? undefined : new JsonPlaces(document);
  const text = places?.text ?? jsonTextOf(document);
  const complain = (start: number, length: number, complaint: CheckComplaint): void => {
    if (places === undefined) checker.inText(path, { offset: start, length }, complaint);
    else {
      const place = places.at(start);
      const at = [...path, ...place.path];
      if (place.isKey) checker.atKey(at, complaint);
      else checker.atValue(at, complaint);
    }
  };
  try {
    parsePolicyDocument(text);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const { start, end, reason } = error.context;
    const offset = typeof start === "number" ? start : 0;
    complain(offset, typeof end === "number" ? Math.max(1, end - offset) : 1, {
      code: "SCENARIO_POLICY",
      message: `The policy document is malformed: ${String(reason)}.`,
      hint: error.hint,
    });
    return;
  }
  for (const { severity, start, end, message, fix, code } of lintPolicy(text)) {
    if (severity === "info" || (isForClaims && code === "client-id-wildcard")) continue;
    complain(start, Math.max(1, end - start), {
      code: "SCENARIO_POLICY_LINT",
      severity: "warning",
      message: `${message} [${code}]`,
      hint: fix,
    });
  }
}

/** AWS: attributes of a type that things can be searched by without fleet indexing. */
const MAX_SEARCHABLE = 3;

function checkThingTypes(checker: Checker): void {
  const { thingTypes = [] } = checker.document;
  checker.uniqueNames(
    thingTypes.map(({ name }, index) => ({ name, path: ["thingTypes", index, "name"] })),
    "a thing type",
  );
  thingTypes.forEach(({ name, searchableAttributes = [] }, index) => {
    if (searchableAttributes.length > MAX_SEARCHABLE)
      checker.atValue(["thingTypes", index, "searchableAttributes"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: `The thing type ${name} has ${searchableAttributes.length} searchable attributes; AWS allows three.`,
        hint: "Fleet indexing finds things by every attribute.",
      });
  });
}

const MAX_GROUP_POLICIES = 2;

function checkThingGroups(checker: Checker): void {
  const { thingGroups = [], fleet } = checker.document;
  const fleetGroups = fleet.map(({ group }) => group);
  checker.uniqueNames(
    thingGroups.map(({ name }, index) => ({ name, path: ["thingGroups", index, "name"] })),
    "a thing group",
  );
  thingGroups.forEach((group, index) => {
    const path = ["thingGroups", index];
    const before = thingGroups.slice(0, index).filter(({ queryString }) => queryString === undefined);
    checkReference(
      checker,
      { name: group.parentGroupName, path: [...path, "parentGroupName"] },
      { noun: "static thing group before this one", known: before.map(({ name }) => name) },
    );
    checkPolicyNames(checker, group.policies, { path: [...path, "policies"], most: MAX_GROUP_POLICIES });
    if (group.queryString !== undefined) checkDynamicGroup(checker, group, { path, fleetGroups });
  });
}

function checkDynamicGroup(
  checker: Checker,
  { name, queryString, parentGroupName }: ThingGroupDocument,
  { path, fleetGroups }: { readonly path: SourcePath; readonly fleetGroups: readonly string[] },
): void {
  checkQuery(checker, queryString!, [...path, "queryString"]);
  if (fleetGroups.includes(name))
    checker.atValue([...path, "name"], {
      code: "SCENARIO_CONTRADICTION",
      message: `${name} is a fleet group, whose things are not found by a query.`,
      hint: "Give the dynamic group a name of its own.",
    });
  if (parentGroupName !== undefined)
    checker.atKey([...path, "parentGroupName"], {
      code: "SCENARIO_CONTRADICTION",
      message: "A dynamic thing group has no parent.",
      hint: "Remove parentGroupName.",
    });
  if (checker.document.index === undefined)
    checker.atKey([...path, "queryString"], {
      code: "SCENARIO_SERVICE_OFF",
      message: "The scenario has a dynamic thing group, but nothing is indexed.",
      hint: "Write index: { thingIndexingMode: REGISTRY }.",
    });
}

function checkQuery(checker: Checker, query: string, path: SourcePath): void {
  const { maxDynamicGroupTerms: maxTerms, ...limits } = DEFAULT_INDEX_LIMITS;
  try {
    parseQuery(query, { ...limits, maxTerms });
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const { position } = error.context;
    checker.inText(
      path,
      { offset: typeof position === "number" ? position - 1 : 0, length: 1 },
      { code: "SCENARIO_QUERY", message: error.sentence, hint: error.hint },
    );
  }
}

function checkTemplateBodies(checker: Checker): void {
  const { provisioning = [] } = checker.document;
  checker.uniqueNames(
    provisioning.map(({ name }, index) => ({ name, path: ["provisioning", index, "name"] })),
    "a provisioning template",
  );
  provisioning.forEach(({ name, body, hook }, index) => {
    const path = ["provisioning", index];
    checkTemplateBody(checker, body, [...path, "body"]);
    if (name.length > 36 || name.includes("."))
      checker.atValue([...path, "name"], {
        code: "SCENARIO_INVALID_NAME",
        message: `${name} is not the name of a provisioning template.`,
        hint: "AWS allows 1 to 36 letters, digits, dashes and underscores.",
      });
    if (hook !== undefined) checkHook(checker, hook, [...path, "hook"]);
  });
}

function checkAuthorizers(checker: Checker): void {
  const { authorizers = [] } = checker.document;
  checker.uniqueNames(
    authorizers.map(({ name }, index) => ({ name, path: ["authorizers", index, "name"] })),
    "an authorizer",
  );
  authorizers.forEach((authorizer, index) =>
    checkHook(checker, authorizer.function, ["authorizers", index, "function"]),
  );
}

function checkHook(checker: Checker, hook: string, path: SourcePath): void {
  if (!/^(?:\.{1,2}\/[^#]+\.[cm]?[jt]s(?:#[\w$]+)?|https?:\/\/\S+)$/.test(hook))
    checker.atValue(path, {
      code: "SCENARIO_INVALID_VALUE",
      message: `${hook} is neither a file nor a URL.`,
      hint: "Write ./hooks.ts#allow, or http://127.0.0.1:3000/.",
    });
  else if (hook.startsWith("http") && checker.document.clock !== "real")
    checker.atValue(path, {
      code: "SCENARIO_CLOCK",
      message: "A hook behind a URL cannot be waited for in virtual time.",
      hint: "Write clock: real, or use a function of a file that answers at once.",
    });
}

function checkTemplateBody(checker: Checker, body: JsonValue, path: SourcePath): void {
  try {
    parseProvisioningTemplate(jsonTextOf(body));
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const inner = ((error.context["path"] as string | undefined) ?? "").split(/[.[\]]+/);
    const steps = inner
      .filter((step) => step !== "")
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    checker.atValue(typeof body === "string" ? path : [...path, ...steps], {
      code: "SCENARIO_PROVISIONING",
      message: error.sentence,
      hint: error.hint,
    });
  }
}

/** Asks fleet indexing itself, with no things in it. */
function checkIndex(checker: Checker): void {
  const { index } = checker.document;
  if (index === undefined) return;
  const indexing = new FleetIndexing({
    clock: new VirtualTime().lane(LANE.services),
    records: new RecordBook(),
    documents: {
      thingNames: () => [],
      thing: () => undefined,
      thingGroupNames: () => [],
      thingGroup: () => undefined,
      connectivity: () => undefined,
    },
  });
  try {
    indexing.updateIndexingConfiguration(indexingConfigurationOf(index));
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    checker.atKey(["index"], { code: "SCENARIO_INDEX", message: error.sentence, hint: error.hint });
  }
  for (const [name, query] of Object.entries(index.queries ?? {}))
    checkQuery(checker, query, ["index", "queries", name]);
}
