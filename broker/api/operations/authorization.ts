import {
  type AuthInfo,
  effectivePolicyNames,
  parsePolicyTarget,
  testAuthorization,
} from "../../identity/index.js";
import { operation, type OperationTable } from "../operation.js";
import { policyNames } from "./policies.js";

interface TestInput {
  readonly principal?: string;
  readonly clientId?: string;
  readonly authInfos: readonly AuthInfo[];
  readonly policyNamesToAdd?: readonly string[];
  readonly policyNamesToSkip?: readonly string[];
}

interface EffectiveInput {
  readonly principal?: string;
  readonly thingName?: string;
}

const targetOf = (principal: string | undefined) =>
  principal === undefined ? undefined : parsePolicyTarget(principal);

const IAM = "Policies of IAM roles do not exist here: a Cognito identity has its AWS IoT policies only.";

/** What policies would decide (REF §10.4). */
export const authorizationOperations: OperationTable = {
  TestAuthorization: operation<TestInput>(
    ({ principal, ...request }, { cloud, account }) => {
      const named = (names: readonly string[]) => names.map((name) => policyNames(name, account));
      const results = testAuthorization(cloud.identity, { ...request, principal: targetOf(principal) });
      return {
        authResults: results.map((result) => ({
          authInfo: result.authInfo,
          allowed: { policies: named(result.allowedBy) },
          denied: {
            implicitDeny: { policies: named(result.silent) },
            explicitDeny: { policies: named(result.deniedBy) },
          },
          authDecision: result.authDecision,
          missingContextValues: result.missingContextValues,
        })),
      };
    },
    { lacks: IAM },
  ),
  GetEffectivePolicies: operation<EffectiveInput>(
    ({ principal, thingName }, { cloud, account }) => {
      const { policies } = cloud.identity;
      const names = effectivePolicyNames(cloud.identity, { principal: targetOf(principal), thingName });
      return {
        effectivePolicies: names.map((name) => ({
          ...policyNames(name, account),
          policyDocument: policies.defaultVersion(policies.get(name)).policyDocument,
        })),
      };
    },
    { lacks: IAM },
  ),
};
