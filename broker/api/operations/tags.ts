import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";

interface ResourceInput {
  readonly resourceArn: string;
}

/** Tags of everything that has tags. */
export const tagOperations: OperationTable = {
  TagResource: operation<ResourceInput & { readonly tags: readonly Tag[] }>(
    ({ resourceArn, tags }, { cloud }) => {
      cloud.tags.tag(resourceArn, tags);
      return undefined;
    },
  ),
  UntagResource: operation<ResourceInput & { readonly tagKeys: readonly string[] }>(
    ({ resourceArn, tagKeys }, { cloud }) => {
      cloud.tags.untag(resourceArn, tagKeys);
      return undefined;
    },
  ),
  ListTagsForResource: operation<ResourceInput>(({ resourceArn }, { cloud }) => ({
    tags: cloud.tags.list(resourceArn),
  })),
};
