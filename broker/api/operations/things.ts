import type { Account } from "../../account.js";
import type {
  Attributes,
  ListThingsRequest,
  PageRequest,
  ThingPrincipalType,
  ThingSummary,
} from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";

interface ThingInput {
  readonly thingName: string;
}

interface AttributePayload {
  readonly attributes?: Attributes;
  readonly merge?: boolean;
}

interface CreateThingInput extends ThingInput {
  readonly thingTypeName?: string;
  readonly billingGroupName?: string;
  readonly attributePayload?: AttributePayload;
}

interface UpdateThingInput extends ThingInput {
  readonly thingTypeName?: string;
  readonly removeThingType?: boolean;
  readonly attributePayload?: AttributePayload;
  readonly expectedVersion?: number;
}

interface PrincipalInput extends ThingInput {
  readonly principal: string;
}

interface TypedInput {
  readonly thingPrincipalType?: ThingPrincipalType;
}

/** A certificate is known by its id in the registry and by its ARN to clients. */
const principalArn = (account: Account, principal: string): string =>
  /^[0-9a-f]{64}$/.test(principal) ? account.arn("cert", principal) : principal;

const typeOf = (isExclusive: boolean): ThingPrincipalType =>
  isExclusive ? "EXCLUSIVE_THING" : "NON_EXCLUSIVE_THING";

const listed = (thing: ThingSummary, account: Account) => ({
  ...thing,
  thingArn: account.arn("thing", thing.thingName),
});

/** Things and their principals (REF §13.1). */
export const thingOperations: OperationTable = {
  CreateThing: operation<CreateThingInput>(({ attributePayload, ...input }, { cloud, account }) => {
    const attributes = attributePayload?.attributes;
    cloud.registry.createThing({ ...input, ...(attributes !== undefined && { attributes }) });
    const { thingName, thingId } = cloud.registry.describeThing(input.thingName);
    return { thingName, thingArn: account.arn("thing", thingName), thingId };
  }),
  DescribeThing: operation<ThingInput>(({ thingName }, { cloud, account }) => ({
    ...cloud.registry.describeThing(thingName),
    thingArn: account.arn("thing", thingName),
    defaultClientId: thingName,
  })),
  UpdateThing: operation<UpdateThingInput>(({ attributePayload, ...input }, { cloud }) => {
    cloud.registry.updateThing({ ...input, ...attributePayload });
    return undefined;
  }),
  DeleteThing: operation<ThingInput & { readonly expectedVersion?: number }>((input, { cloud }) => {
    cloud.registry.deleteThing(input);
    return undefined;
  }),
  ListThings: operation<ListThingsRequest>((input, { cloud, account }) => {
    const { things, ...next } = cloud.registry.listThings(input);
    return { things: things.map((thing) => listed(thing, account)), ...next };
  }),

  AttachThingPrincipal: operation<PrincipalInput & TypedInput>((input, { cloud }) => {
    cloud.registry.principals.attach(input);
    return undefined;
  }),
  DetachThingPrincipal: operation<PrincipalInput>((input, { cloud }) => {
    cloud.registry.principals.detach(input);
    return undefined;
  }),
  ListThingPrincipals: operation<PageRequest & ThingInput>((input, { cloud, account }) => {
    const { items, ...next } = cloud.registry.principals.ofThing(input);
    return { principals: items.map(({ principal }) => principalArn(account, principal)), ...next };
  }),
  ListThingPrincipalsV2: operation<PageRequest & ThingInput & TypedInput>((input, { cloud, account }) => {
    const { items, ...next } = cloud.registry.principals.ofThing(input);
    const thingPrincipalObjects = items.map(({ principal, isExclusive }) => ({
      principal: principalArn(account, principal),
      thingPrincipalType: typeOf(isExclusive),
    }));
    return { thingPrincipalObjects, ...next };
  }),
  ListPrincipalThings: operation<PageRequest & { readonly principal: string }>((input, { cloud }) => {
    const { items, ...next } = cloud.registry.principals.ofPrincipal(input);
    return { things: items.map(({ thing }) => thing.name), ...next };
  }),
  ListPrincipalThingsV2: operation<PageRequest & { readonly principal: string } & TypedInput>(
    (input, { cloud }) => {
      const { items, ...next } = cloud.registry.principals.ofPrincipal(input);
      const principalThingObjects = items.map(({ thing, isExclusive }) => ({
        thingName: thing.name,
        thingPrincipalType: typeOf(isExclusive),
      }));
      return { principalThingObjects, ...next };
    },
  ),
};
