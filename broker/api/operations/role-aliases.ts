import type {
  CreateRoleAliasRequest,
  ListRoleAliasesRequest,
  UpdateRoleAliasRequest,
} from "../../credentials/index.js";
import type { Account } from "../../account.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";

const KIND = "rolealias";
const S = 1000;

const names = ({ roleAlias }: { readonly roleAlias: string }, account: Account) => ({
  roleAlias,
  roleAliasArn: account.arn(KIND, roleAlias),
});

/** Role aliases, by which devices get AWS credentials (REF §1). */
export const roleAliasOperations: OperationTable = {
  CreateRoleAlias: operation<CreateRoleAliasRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...input }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      cloud.roleAliases.create(input, account.arn(KIND, input.roleAlias));
      cloud.tags.tagNew(KIND, input.roleAlias, tags);
      return names(input, account);
    },
  ),
  UpdateRoleAlias: operation<UpdateRoleAliasRequest>((input, { cloud, account }) => {
    cloud.roleAliases.update(input);
    return names(input, account);
  }),
  DescribeRoleAlias: operation<{ readonly roleAlias: string }>(({ roleAlias }, { cloud, account }) => {
    const row = cloud.roleAliases.get(roleAlias);
    return {
      roleAliasDescription: {
        ...names(row, account),
        roleArn: row.roleArn,
        owner: account.accountId,
        credentialDurationSeconds: row.credentialDurationSeconds,
        creationDate: row.createdAtMs / S,
        lastModifiedDate: row.modifiedAtMs / S,
      },
    };
  }),
  DeleteRoleAlias: operation<{ readonly roleAlias: string }>(({ roleAlias }, { cloud }) => {
    cloud.roleAliases.delete(roleAlias);
    cloud.tags.forget(KIND, roleAlias);
    return {};
  }),
  ListRoleAliases: operation<ListRoleAliasesRequest>((input, { cloud }) => {
    const { items, nextToken } = cloud.roleAliases.list(input);
    return { roleAliases: items.map(({ roleAlias }) => roleAlias), nextMarker: nextToken };
  }),
};
