import { join } from "node:path";
import {
  type Cloud,
  type CloudOptions,
  createCertificateAuthority,
  parsePolicyTarget,
} from "fleetrig/broker";
import {
  type EventSink,
  type JsonObject,
  LANE,
  type RandomSource,
  type TimeSource,
  VirtualTime,
} from "fleetrig/kernel";
import { isRegistrable, MAX_ATTRIBUTES } from "../registrable.js";
import type { FleetGroup, Scenario, ThingGroupSpec } from "../scenario.js";
import type { PlannedFleet } from "./fleet-plan.js";

/** Options of a cloud whose control plane the scenario describes. */
export function controlPlaneOptions(
  scenario: Scenario,
  {
    time,
    random,
    folder,
  }: { readonly time: TimeSource; readonly random: RandomSource; readonly folder: string },
): CloudOptions {
  const { account, region, isUsed, isEnforced, templates, authorizers, ...quotas } = scenario.controlPlane;
  if (!isUsed) return {};
  const { createKeysPerS, registerThingPerS } = quotas;
  const targetOf = (hook: string): string => (/^https?:/.test(hook) ? hook : join(folder, hook));
  const hooks = [
    ...templates.flatMap(({ name, hook }) =>
      hook === undefined ? [] : [[provisionHook(name), targetOf(hook)]],
    ),
    ...authorizers.map((authorizer) => [authorizerHook(authorizer.name), targetOf(authorizer.function)]),
  ];
  return {
    account: {
      ...(account !== undefined && { accountId: account }),
      ...(region !== undefined && { region }),
    },
    hooks: Object.fromEntries(hooks) as Record<string, string>,
    provisioning: {
      ...(createKeysPerS !== undefined && { createKeysPerS }),
      ...(registerThingPerS !== undefined && { registerThingPerS }),
    },
    ...(isEnforced && { access: {} }),
    // Devices get EC keys: an RSA key takes a thousand times as long.
    ...(!(time instanceof VirtualTime) && {
      issuer: createCertificateAuthority({
        clock: time.lane(LANE.services),
        random: random.stream("issuer"),
        deviceKeyType: "ec-p256",
      }),
    }),
  };
}

/**
 * Makes what the scenario's control plane has before the run begins: policies, types, groups, things, templates and
 * the index. A thing group with the name of a fleet group is the one that its things are in.
 */
export function furnish(cloud: Cloud, scenario: Scenario, planned: PlannedFleet): void {
  const { policies, thingTypes, thingGroups, authorizers, templates, index } = scenario.controlPlane;
  const { identity, indexing, provisioning, registry, account } = cloud;
  for (const { name, document } of policies) identity.policies.create(name, document);
  for (const { name, thingTypeDescription, searchableAttributes } of thingTypes) {
    registry.thingTypes.create({
      thingTypeName: name,
      thingTypeProperties: {
        ...(thingTypeDescription !== undefined && { thingTypeDescription }),
        ...(searchableAttributes.length > 0 && { searchableAttributes }),
      },
    });
  }
  for (const group of thingGroups) if (group.queryString === undefined) createGroup(cloud, group);
  createThings(cloud, scenario, planned);
  if (index !== undefined) indexing.updateIndexingConfiguration(index.configuration);
  for (const group of thingGroups) if (group.queryString !== undefined) createGroup(cloud, group);
  for (const { name } of authorizers) {
    cloud.authorizers.store.create({
      authorizerName: name,
      authorizerFunctionArn: functionArn(cloud, authorizerHook(name)),
      signingDisabled: true,
      status: "ACTIVE",
    });
  }
  for (const { name, body, hook } of templates) {
    const targetArn = functionArn(cloud, provisionHook(name));
    provisioning.templates.create({
      templateName: name,
      templateBody: body,
      provisioningRoleArn: `arn:aws:iam::${account.accountId}:role/provisioning`,
      enabled: true,
      ...(hook !== undefined && { preProvisioningHook: { payloadVersion: "2020-04-01", targetArn } }),
    });
  }
}

const provisionHook = (template: string): string => `provision-${template}`;
const authorizerHook = (authorizer: string): string => `authorize-${authorizer.replaceAll(".", "-")}`;

const functionArn = ({ account }: Cloud, name: string): string =>
  `arn:aws:lambda:${account.region}:${account.accountId}:function:${name}`;

/** By ordinal: a job takes its targets in the order in which they joined the group. */
function createThings({ registry }: Cloud, scenario: Scenario, { things, plan }: PlannedFleet): void {
  const specs = new Map(scenario.fleet.map((group) => [group.group, group]));
  const members = plan.groups.flatMap((group) => group.members);
  for (const group of new Set(things.map((thing) => thing.group)))
    if (registry.thingGroup(group) === undefined) registry.createThingGroup({ thingGroupName: group });
  things.forEach(({ name, group }, index) => {
    const spec = specs.get(group)!;
    if (provisionsItself(spec)) return;
    const { isUsed } = scenario.controlPlane;
    registry.createThing({
      thingName: name,
      ...(spec.thingType !== undefined && { thingTypeName: spec.thingType }),
      ...(isUsed && { attributes: registeredAttributes(spec, members[index]!.attributes) }),
    });
    joinGroups(registry, name, spec);
  });
}

/** Devices that a template makes things of are not registered before. */
const provisionsItself = ({ identity }: FleetGroup): boolean =>
  identity?.claim !== undefined && identity.keyType === undefined;

const joinGroups = (
  registry: Cloud["registry"],
  thingName: string,
  { group, thingGroups }: FleetGroup,
): void => {
  for (const thingGroupName of [group, ...thingGroups])
    registry.addThingToThingGroup({ thingName, thingGroupName });
};

/** Things that provision themselves join their groups as soon as they are there. */
export function joinWhenProvisioned(
  scenario: Scenario,
  { things }: PlannedFleet,
  registry: () => Cloud["registry"],
): EventSink {
  const specs = new Map(
    scenario.fleet.filter(provisionsItself).map((group) => [group.group, group] as const),
  );
  const groups = new Map(
    things.flatMap(({ name, group }) => (specs.has(group) ? [[name, specs.get(group)!]] : [])),
  );
  return {
    emit: (event) => {
      if (event.type !== "provisioning.provisioned") return;
      const group = groups.get(event.thing);
      if (group !== undefined) joinGroups(registry(), event.thing, group);
    },
  };
}

function createGroup({ registry, identity, account }: Cloud, group: ThingGroupSpec): void {
  const { name, parentGroupName, thingGroupDescription, attributes, policies, queryString } = group;
  const common = {
    thingGroupName: name,
    attributes,
    ...(thingGroupDescription !== undefined && { description: thingGroupDescription }),
  };
  if (queryString !== undefined) registry.dynamicGroups.create({ ...common, queryString });
  else registry.createThingGroup({ ...common, ...(parentGroupName !== undefined && { parentGroupName }) });
  for (const policyName of policies)
    identity.attachPolicy(policyName, parsePolicyTarget(account.arn("thinggroup", name)));
}

/** What of a thing's attributes the registry takes: texts without spaces, and not too many. */
function registeredAttributes({ thingType }: FleetGroup, attributes: JsonObject): Record<string, string> {
  const most = thingType === undefined ? MAX_ATTRIBUTES.untyped : MAX_ATTRIBUTES.typed;
  const fitting = Object.entries(attributes).flatMap(([name, value]): [string, string][] => {
    if (value === null || typeof value === "object") return [];
    return isRegistrable(name, `${value}`) ? [[name, `${value}`]] : [];
  });
  return Object.fromEntries(fitting.slice(0, most));
}
