import type {
  Attributes,
  DeleteThingGroupRequest,
  ListThingGroupsRequest,
  ListThingsInThingGroupRequest,
  PageRequest,
  Tag,
  UpdateThingGroupsForThingRequest,
} from "../../registry/index.js";
import { type ApiCall, operation, type OperationTable } from "../operation.js";
import { nameOf } from "./registry-names.js";

interface GroupInput {
  readonly thingGroupName: string;
}

interface GroupProperties {
  readonly thingGroupDescription?: string;
  readonly attributePayload?: { readonly attributes?: Attributes; readonly merge?: boolean };
}

interface PropertiesInput extends GroupInput {
  readonly thingGroupProperties?: GroupProperties;
}

interface CreateInput extends PropertiesInput {
  readonly parentGroupName?: string;
  readonly tags?: readonly Tag[];
}

interface QueryInput {
  readonly indexName?: string;
  readonly queryString: string;
  readonly queryVersion?: string;
}

interface MembershipInput {
  readonly thingGroupName?: string;
  readonly thingGroupArn?: string;
  readonly thingName?: string;
  readonly thingArn?: string;
  readonly overrideDynamicGroups?: boolean;
}

/** Only updates merge attributes; creations ignore the wish. */
function content({ thingGroupDescription, attributePayload }: GroupProperties = {}) {
  return {
    ...(thingGroupDescription !== undefined && { description: thingGroupDescription }),
    ...(attributePayload?.attributes !== undefined && { attributes: attributePayload.attributes }),
    ...(attributePayload?.merge !== undefined && { merge: attributePayload.merge }),
  };
}

function identity(thingGroupName: string, { cloud, account }: ApiCall) {
  return {
    thingGroupName,
    thingGroupArn: account.arn("thinggroup", thingGroupName),
    thingGroupId: cloud.registry.describeThingGroup(thingGroupName).thingGroupId,
  };
}

/** Creates a group of either kind, and tags it if it is new. */
function create({ thingGroupName, tags }: CreateInput, call: ApiCall, enter: () => void) {
  const { registry, tags: allTags } = call.cloud;
  const isNew = registry.thingGroup(thingGroupName) === undefined;
  allTags.assertNew(tags);
  enter();
  if (isNew) allTags.tagNew("thinggroup", thingGroupName, tags);
  return identity(thingGroupName, call);
}

function described(thingGroupName: string, call: ApiCall) {
  const { account, cloud } = call;
  const group = cloud.registry.describeThingGroup(thingGroupName);
  const { parentGroupName, rootToParentThingGroups, dynamic } = group;
  const isNested = parentGroupName !== undefined;
  return {
    ...identity(thingGroupName, call),
    version: group.version,
    thingGroupProperties: {
      thingGroupDescription: group.description,
      attributePayload: { attributes: group.attributes },
    },
    thingGroupMetadata: {
      parentGroupName,
      rootToParentThingGroups: isNested ? named(rootToParentThingGroups, call) : undefined,
      creationDate: group.createdAtMs / 1000,
    },
    ...dynamic,
    thingGroupArn: account.arn("thinggroup", thingGroupName),
  };
}

const named = (groupNames: readonly string[], { account }: ApiCall) =>
  groupNames.map((groupName) => ({ groupName, groupArn: account.arn("thinggroup", groupName) }));

const membership = (input: MembershipInput) => ({
  thingGroupName: nameOf("thinggroup", { name: input.thingGroupName, arn: input.thingGroupArn }),
  thingName: nameOf("thing", { name: input.thingName, arn: input.thingArn }),
});

/** Static and dynamic thing groups and who is in them (REF §13.1). */
export const thingGroupOperations: OperationTable = {
  CreateThingGroup: operation<CreateInput>((input, call) =>
    create(input, call, () => {
      const { thingGroupName, parentGroupName, thingGroupProperties } = input;
      call.cloud.registry.createThingGroup({
        thingGroupName,
        ...(parentGroupName !== undefined && { parentGroupName }),
        ...content(thingGroupProperties),
      });
    }),
  ),
  DescribeThingGroup: operation<GroupInput>(({ thingGroupName }, call) => described(thingGroupName, call)),
  UpdateThingGroup: operation<PropertiesInput & { readonly expectedVersion?: number }>(
    ({ thingGroupProperties, ...input }, { cloud }) => ({
      version: cloud.registry.updateThingGroup({ ...input, ...content(thingGroupProperties) }),
    }),
  ),
  DeleteThingGroup: operation<DeleteThingGroupRequest>((input, { cloud }) => {
    cloud.registry.deleteThingGroup(input);
    return undefined;
  }),
  ListThingGroups: operation<ListThingGroupsRequest>((input, call) => {
    const { thingGroups, ...next } = call.cloud.registry.listThingGroups(input);
    return { thingGroups: named(thingGroups, call), ...next };
  }),
  AddThingToThingGroup: operation<MembershipInput>((input, { cloud }) => {
    const { overrideDynamicGroups = false } = input;
    cloud.registry.addThingToThingGroup({ ...membership(input), overrideDynamicGroups });
    return undefined;
  }),
  RemoveThingFromThingGroup: operation<MembershipInput>((input, { cloud }) => {
    cloud.registry.removeThingFromThingGroup(membership(input));
    return undefined;
  }),
  UpdateThingGroupsForThing: operation<Partial<UpdateThingGroupsForThingRequest>>((input, { cloud }) => {
    const thingName = nameOf("thing", { name: input.thingName, arn: undefined });
    cloud.registry.updateThingGroupsForThing({ ...input, thingName });
    return undefined;
  }),
  ListThingGroupsForThing: operation<PageRequest & { readonly thingName: string }>((input, call) => {
    const { thingGroups, ...next } = call.cloud.registry.pageOfThingGroupsForThing(input);
    return { thingGroups: named(thingGroups, call), ...next };
  }),
  ListThingsInThingGroup: operation<ListThingsInThingGroupRequest>((input, { cloud }) => ({
    ...cloud.registry.listThingsInThingGroup(input),
  })),

  CreateDynamicThingGroup: operation<PropertiesInput & QueryInput & { readonly tags?: readonly Tag[] }>(
    (input, call) => {
      const { tags: _tags, thingGroupProperties, ...query } = input;
      const { dynamicGroups } = call.cloud.registry;
      const created = create(input, call, () =>
        dynamicGroups.create({ ...query, ...content(thingGroupProperties) }),
      );
      const { indexName, queryString, queryVersion } = described(input.thingGroupName, call);
      return { ...created, indexName, queryString, queryVersion };
    },
  ),
  UpdateDynamicThingGroup: operation<
    PropertiesInput & Partial<QueryInput> & { readonly expectedVersion?: number }
  >(({ thingGroupProperties, ...input }, { cloud }) => ({
    version: cloud.registry.dynamicGroups.update({ ...input, ...content(thingGroupProperties) }),
  })),
  DeleteDynamicThingGroup: operation<DeleteThingGroupRequest>((input, { cloud }) => {
    cloud.registry.dynamicGroups.delete(input);
    return undefined;
  }),
};
