import type { ListThingTypesRequest, RegisteredType, Tag, ThingTypeRequest } from "../../registry/index.js";
import { type ApiCall, operation, type OperationTable } from "../operation.js";

interface TypeInput {
  readonly thingTypeName: string;
}

const described = (type: RegisteredType, { account }: ApiCall) => ({
  thingTypeName: type.name,
  thingTypeArn: account.arn("thingtype", type.name),
  thingTypeProperties: type.properties,
  thingTypeMetadata: {
    deprecated: type.deprecatedAtMs !== undefined,
    deprecationDate: type.deprecatedAtMs === undefined ? undefined : type.deprecatedAtMs / 1000,
    creationDate: type.createdAtMs / 1000,
  },
});

/** Thing types (REF §13.1). */
export const thingTypeOperations: OperationTable = {
  CreateThingType: operation<ThingTypeRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...input }, { cloud, account }) => {
      const { thingTypes } = cloud.registry;
      const isNew = thingTypes.find(input.thingTypeName) === undefined;
      cloud.tags.assertNew(tags);
      thingTypes.create(input);
      if (isNew) cloud.tags.tagNew("thingtype", input.thingTypeName, tags);
      const type = thingTypes.get(input.thingTypeName);
      return {
        thingTypeName: type.name,
        thingTypeArn: account.arn("thingtype", type.name),
        thingTypeId: thingTypes.idOf(type),
      };
    },
  ),
  DescribeThingType: operation<TypeInput>(({ thingTypeName }, call) => {
    const { thingTypes } = call.cloud.registry;
    const type = thingTypes.get(thingTypeName);
    return { ...described(type, call), thingTypeId: thingTypes.idOf(type) };
  }),
  ListThingTypes: operation<ListThingTypesRequest>((input, call) => {
    const { items, ...next } = call.cloud.registry.thingTypes.list(input);
    return { thingTypes: items.map((type) => described(type, call)), ...next };
  }),
  UpdateThingType: operation<ThingTypeRequest>((input, { cloud }) => {
    cloud.registry.thingTypes.update(input);
    return undefined;
  }),
  DeprecateThingType: operation<TypeInput & { readonly undoDeprecate?: boolean }>(
    ({ thingTypeName, undoDeprecate = false }, { cloud }) => {
      cloud.registry.thingTypes.deprecate(thingTypeName, undoDeprecate);
      return undefined;
    },
  ),
  DeleteThingType: operation<TypeInput>(({ thingTypeName }, { cloud }) => {
    cloud.registry.thingTypes.delete(thingTypeName);
    return undefined;
  }),
};
