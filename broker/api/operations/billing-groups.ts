import type { ListByPrefixRequest, PageRequest, Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { nameOf } from "./registry-names.js";

interface GroupInput {
  readonly billingGroupName: string;
}

interface PropertiesInput extends GroupInput {
  readonly billingGroupProperties?: { readonly billingGroupDescription?: string };
}

interface MembershipInput {
  readonly billingGroupName?: string;
  readonly billingGroupArn?: string;
  readonly thingName?: string;
  readonly thingArn?: string;
}

const content = ({ billingGroupName, billingGroupProperties }: PropertiesInput) => {
  const description = billingGroupProperties?.billingGroupDescription;
  return { billingGroupName, ...(description !== undefined && { description }) };
};

const membership = (input: MembershipInput) => ({
  billingGroupName: nameOf("billinggroup", { name: input.billingGroupName, arn: input.billingGroupArn }),
  thingName: nameOf("thing", { name: input.thingName, arn: input.thingArn }),
});

/** Billing groups and the things in them. */
export const billingGroupOperations: OperationTable = {
  CreateBillingGroup: operation<PropertiesInput & { readonly tags?: readonly Tag[] }>(
    (input, { cloud, account }) => {
      const { billingGroups } = cloud.registry;
      const { billingGroupName, tags } = input;
      const isNew = !billingGroups.has(billingGroupName);
      cloud.tags.assertNew(tags);
      billingGroups.create(content(input));
      if (isNew) cloud.tags.tagNew("billinggroup", billingGroupName, tags);
      return {
        billingGroupName,
        billingGroupArn: account.arn("billinggroup", billingGroupName),
        billingGroupId: billingGroups.idOf(billingGroups.get(billingGroupName)),
      };
    },
  ),
  DescribeBillingGroup: operation<GroupInput>(({ billingGroupName }, { cloud, account }) => {
    const { billingGroups } = cloud.registry;
    const group = billingGroups.get(billingGroupName);
    return {
      billingGroupName,
      billingGroupId: billingGroups.idOf(group),
      billingGroupArn: account.arn("billinggroup", billingGroupName),
      version: group.version,
      billingGroupProperties: { billingGroupDescription: group.description },
      billingGroupMetadata: { creationDate: group.createdAtMs / 1000 },
    };
  }),
  UpdateBillingGroup: operation<PropertiesInput & { readonly expectedVersion?: number }>(
    (input, { cloud }) => {
      const { expectedVersion } = input;
      const version = cloud.registry.billingGroups.update({
        ...content(input),
        ...(expectedVersion !== undefined && { expectedVersion }),
      });
      return { version };
    },
  ),
  DeleteBillingGroup: operation<GroupInput & { readonly expectedVersion?: number }>((input, { cloud }) => {
    cloud.registry.billingGroups.delete(input);
    return undefined;
  }),
  ListBillingGroups: operation<ListByPrefixRequest>((input, { cloud, account }) => {
    const { items, ...next } = cloud.registry.billingGroups.list(input);
    const billingGroups = items.map(({ name }) => ({
      groupName: name,
      groupArn: account.arn("billinggroup", name),
    }));
    return { billingGroups, ...next };
  }),
  AddThingToBillingGroup: operation<MembershipInput>((input, { cloud }) => {
    cloud.registry.addThingToBillingGroup(membership(input));
    return undefined;
  }),
  RemoveThingFromBillingGroup: operation<MembershipInput>((input, { cloud }) => {
    cloud.registry.removeThingFromBillingGroup(membership(input));
    return undefined;
  }),
  ListThingsInBillingGroup: operation<PageRequest & GroupInput>((input, { cloud }) => {
    const { items, ...next } = cloud.registry.billingGroups.thingsIn(input);
    return { things: items.map(({ name }) => name), ...next };
  }),
};
