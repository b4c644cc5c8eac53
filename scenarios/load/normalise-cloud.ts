import type { IndexingConfiguration } from "fleetrig/broker";
import type { JsonValue } from "fleetrig/kernel";
import type { LoginPlan } from "fleetrig/sim";
import type { IdentityDocument, IndexDocument } from "../schema/cloud.js";
import type { ScenarioDocument } from "../schema/document.js";
import { ratePerSecond } from "../schema/quantities.js";
import type { ControlPlaneSpec, IdentitySpec, IndexSpec } from "../scenario.js";

/** What of the control plane the scenario asks for. */
export function normaliseControlPlane(document: ScenarioDocument): ControlPlaneSpec {
  const { cloud, policies, thingTypes, thingGroups, provisioning, authorizers, index, fleet } = document;
  const blocks = [cloud, policies, thingTypes, thingGroups, provisioning, authorizers, index];
  const hasIdentities = fleet.some(({ identity }) => identity !== undefined);
  return {
    isUsed: hasIdentities || blocks.some((block) => block !== undefined),
    isEnforced: hasIdentities || policies !== undefined || authorizers !== undefined,
    account: cloud?.account,
    region: cloud?.region,
    createKeysPerS: rateOf(cloud?.createKeysRate),
    registerThingPerS: rateOf(cloud?.registerThingRate),
    policies: (policies ?? []).map(({ name, document: written }) => ({
      name,
      document: jsonTextOf(written),
    })),
    thingTypes: (thingTypes ?? []).map((type) => ({
      name: type.name,
      thingTypeDescription: type.thingTypeDescription,
      searchableAttributes: type.searchableAttributes ?? [],
    })),
    thingGroups: (thingGroups ?? []).map((group) => ({
      name: group.name,
      parentGroupName: group.parentGroupName,
      thingGroupDescription: group.thingGroupDescription,
      attributes: group.attributes ?? {},
      policies: group.policies ?? [],
      queryString: group.queryString,
    })),
    authorizers: authorizers ?? [],
    templates: (provisioning ?? []).map(({ name, body, hook }) => ({ name, body: jsonTextOf(body), hook })),
    index: index === undefined ? undefined : normaliseIndex(index),
  };
}

/** The text that AWS would get: as it was written, or the block of keys as JSON. */
export const jsonTextOf = (written: JsonValue): string =>
  typeof written === "string" ? written : JSON.stringify(written, undefined, 1);

export function normaliseIdentity({ certificate, policies, claim }: IdentityDocument): IdentitySpec {
  const keyType = certificate === "rsa" ? "rsa-2048" : "ec-p256";
  return {
    keyType: certificate === undefined ? undefined : keyType,
    policies: policies ?? [],
    claim:
      claim === undefined
        ? undefined
        : {
            templateName: claim.template,
            parameters: claim.parameters ?? {},
            policies: claim.policies ?? [],
          },
  };
}

/** As UpdateIndexingConfiguration takes it; also for the check that it does. */
export function indexingConfigurationOf(document: IndexDocument): IndexingConfiguration {
  const { namedShadowNames = [], thingGroupIndexingMode = "OFF", customFields } = document;
  return {
    thingIndexingConfiguration: {
      thingIndexingMode: document.thingIndexingMode ?? "REGISTRY",
      thingConnectivityIndexingMode: document.thingConnectivityIndexingMode ?? "OFF",
      namedShadowIndexingMode: namedShadowNames.length > 0 ? "ON" : "OFF",
      ...(namedShadowNames.length > 0 && { filter: { namedShadowNames } }),
      ...(customFields !== undefined && { customFields }),
    },
    thingGroupIndexingConfiguration: { thingGroupIndexingMode },
  };
}

const normaliseIndex = (document: IndexDocument): IndexSpec => ({
  configuration: indexingConfigurationOf(document),
  queries: document.queries ?? {},
});

const rateOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : ratePerSecond(text);

/** The user name says which authorizer is meant, as AWS wants it. */
export const loginOf = ({ authorizer }: IdentityDocument): LoginPlan | undefined =>
  authorizer && {
    username: `${authorizer.username ?? ""}?x-amz-customauthorizer-name=${authorizer.name}`,
    password: authorizer.password ?? "",
  };
