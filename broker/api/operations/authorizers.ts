import type { Account } from "../../account.js";
import type {
  Authorizer,
  CreateAuthorizerRequest,
  ListAuthorizersRequest,
  TestInvokeRequest,
  UpdateAuthorizerRequest,
} from "../../authorizers/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationOutput, type OperationTable } from "../operation.js";

interface AuthorizerInput {
  readonly authorizerName: string;
}

const S = 1000;
const KIND = "authorizer";

const names = ({ authorizerName }: AuthorizerInput, account: Account) => ({
  authorizerName,
  authorizerArn: account.arn(KIND, authorizerName),
});

const described = (authorizer: Authorizer, account: Account): OperationOutput => ({
  authorizerDescription: {
    ...names(authorizer, account),
    authorizerFunctionArn: authorizer.authorizerFunctionArn,
    tokenKeyName: authorizer.tokenKeyName,
    tokenSigningPublicKeys: authorizer.tokenSigningPublicKeys,
    status: authorizer.status,
    creationDate: authorizer.createdAtMs / S,
    lastModifiedDate: authorizer.modifiedAtMs / S,
    signingDisabled: authorizer.signingDisabled,
    enableCachingForHttp: authorizer.enableCachingForHttp,
  },
});

/** Custom authorizers (REF §12). */
export const authorizerOperations: OperationTable = {
  CreateAuthorizer: operation<CreateAuthorizerRequest & { tags?: readonly Tag[] }>(
    ({ tags, ...input }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      cloud.authorizers.store.create(input);
      cloud.tags.tagNew(KIND, input.authorizerName, tags);
      return names(input, account);
    },
  ),
  UpdateAuthorizer: operation<UpdateAuthorizerRequest>((input, { cloud, account }) => {
    cloud.authorizers.store.update(input);
    return names(input, account);
  }),
  DescribeAuthorizer: operation<AuthorizerInput>(({ authorizerName }, { cloud, account }) =>
    described(cloud.authorizers.store.get(authorizerName), account),
  ),
  DeleteAuthorizer: operation<AuthorizerInput>(({ authorizerName }, { cloud }) => {
    cloud.authorizers.store.delete(authorizerName);
    cloud.tags.forget(KIND, authorizerName);
    return {};
  }),
  ListAuthorizers: operation<ListAuthorizersRequest>((input, { cloud, account }) => {
    const { items, nextToken } = cloud.authorizers.store.list(input);
    return { authorizers: items.map((authorizer) => names(authorizer, account)), nextMarker: nextToken };
  }),
  SetDefaultAuthorizer: operation<AuthorizerInput>((input, { cloud, account }) => {
    cloud.authorizers.store.setDefault(input.authorizerName);
    return names(input, account);
  }),
  DescribeDefaultAuthorizer: operation<object>((_, { cloud, account }) =>
    described(cloud.authorizers.store.describeDefault(), account),
  ),
  ClearDefaultAuthorizer: operation<object>((_, { cloud }) => {
    cloud.authorizers.store.clearDefault();
    return {};
  }),
  TestInvokeAuthorizer: operation<TestInvokeRequest>(async (input, { cloud }) => {
    const authorization = await cloud.authorizers.testInvoke(input);
    if (authorization === undefined) return { isAuthenticated: false };
    const { principalId, policyDocuments, refreshAfterS, disconnectAfterS } = authorization;
    return {
      isAuthenticated: true,
      principalId,
      policyDocuments,
      refreshAfterInSeconds: refreshAfterS,
      disconnectAfterInSeconds: disconnectAfterS,
    };
  }),
};
