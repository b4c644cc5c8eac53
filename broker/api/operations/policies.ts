import type { Account } from "../../account.js";
import {
  certificateOf,
  groupOf,
  type MarkerPageRequest,
  parsePolicyTarget,
  type Policy,
  type PolicyTarget,
} from "../../identity/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { generationOf } from "./certificates.js";

interface PolicyInput {
  readonly policyName: string;
}

interface VersionInput extends PolicyInput {
  readonly policyVersionId: string;
}

/** AWS: how operations name a policy. */
export const policyNames = (policyName: string, account: Account) => ({
  policyName,
  policyArn: account.arn("policy", policyName),
});

/** As requests name it: an ARN, or the id of a Cognito identity. */
function targetText(target: PolicyTarget, account: Account): string {
  const group = groupOf(target);
  if (group !== undefined) return account.arn("thinggroup", group);
  return certificateOf(target) === undefined ? target : account.arn("cert", target);
}

const listedPolicies = (
  { items, nextMarker }: { readonly items: readonly string[]; readonly nextMarker: string | undefined },
  account: Account,
) => ({ policies: items.map((name) => policyNames(name, account)), nextMarker });

const documentTimes = (policy: Policy, createdAtMs: number) => ({
  creationDate: createdAtMs / 1000,
  lastModifiedDate: policy.modifiedAtMs / 1000,
  generationId: generationOf(policy),
});

/** Policies and their versions (REF §10). */
const documents: OperationTable = {
  CreatePolicy: operation<PolicyInput & { readonly policyDocument: string; readonly tags?: readonly Tag[] }>(
    ({ policyName, policyDocument, tags }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const { defaultVersionId } = cloud.identity.policies.create(policyName, policyDocument);
      cloud.tags.tagNew("policy", policyName, tags);
      return { ...policyNames(policyName, account), policyDocument, policyVersionId: defaultVersionId };
    },
  ),
  CreatePolicyVersion: operation<
    PolicyInput & { readonly policyDocument: string; readonly setAsDefault?: boolean }
  >(({ policyName, policyDocument, setAsDefault = false }, { cloud, account }) => {
    const { policies } = cloud.identity;
    const { versionId } = policies.createVersion(policyName, { policyDocument, setAsDefault });
    const { policyArn } = policyNames(policyName, account);
    return { policyArn, policyDocument, policyVersionId: versionId, isDefaultVersion: setAsDefault };
  }),
  SetDefaultPolicyVersion: operation<VersionInput>(({ policyName, policyVersionId }, { cloud }) => {
    cloud.identity.policies.setDefaultVersion(policyName, policyVersionId);
    return undefined;
  }),
  DeletePolicyVersion: operation<VersionInput>(({ policyName, policyVersionId }, { cloud }) => {
    cloud.identity.policies.deleteVersion(policyName, policyVersionId);
    return undefined;
  }),
  DeletePolicy: operation<PolicyInput>(({ policyName }, { cloud }) => {
    cloud.identity.deletePolicy(policyName);
    return undefined;
  }),
  GetPolicy: operation<PolicyInput>(({ policyName }, { cloud, account }) => {
    const policy = cloud.identity.policies.get(policyName);
    return {
      ...policyNames(policyName, account),
      policyDocument: cloud.identity.policies.defaultVersion(policy).policyDocument,
      defaultVersionId: policy.defaultVersionId,
      ...documentTimes(policy, policy.createdAtMs),
    };
  }),
  GetPolicyVersion: operation<VersionInput>(({ policyName, policyVersionId }, { cloud, account }) => {
    const version = cloud.identity.policies.version(policyName, policyVersionId);
    const policy = cloud.identity.policies.get(policyName);
    return {
      ...policyNames(policyName, account),
      policyDocument: version.policyDocument,
      policyVersionId,
      isDefaultVersion: policy.defaultVersionId === policyVersionId,
      ...documentTimes(policy, version.createdAtMs),
    };
  }),
  ListPolicies: operation<MarkerPageRequest>((input, { cloud, account }) => {
    const { items, nextMarker } = cloud.identity.policies.list(input);
    return listedPolicies({ items: items.map(({ policyName }) => policyName), nextMarker }, account);
  }),
  ListPolicyVersions: operation<PolicyInput>(({ policyName }, { cloud }) => {
    const { versions, defaultVersionId } = cloud.identity.policies.get(policyName);
    return {
      policyVersions: versions.map(({ versionId, createdAtMs }) => ({
        versionId,
        isDefaultVersion: versionId === defaultVersionId,
        createDate: createdAtMs / 1000,
      })),
    };
  }),
};

interface TargetInput extends PolicyInput {
  readonly target: string;
}

interface PrincipalInput extends PolicyInput {
  readonly principal: string;
}

/** What policies are attached to; the operations about principals are AWS's older names for the same. */
const attachments: OperationTable = {
  AttachPolicy: operation<TargetInput>(({ policyName, target }, { cloud }) => {
    cloud.identity.attachPolicy(policyName, parsePolicyTarget(target));
    return undefined;
  }),
  DetachPolicy: operation<TargetInput>(({ policyName, target }, { cloud }) => {
    cloud.identity.detachPolicy(policyName, parsePolicyTarget(target));
    return undefined;
  }),
  AttachPrincipalPolicy: operation<PrincipalInput>(({ policyName, principal }, { cloud }) => {
    cloud.identity.attachPolicy(policyName, parsePolicyTarget(principal));
    return undefined;
  }),
  DetachPrincipalPolicy: operation<PrincipalInput>(({ policyName, principal }, { cloud }) => {
    cloud.identity.detachPrincipalPolicy(policyName, parsePolicyTarget(principal));
    return undefined;
  }),
  ListAttachedPolicies: operation<
    MarkerPageRequest & { readonly target: string; readonly recursive?: boolean }
  >(({ target, ...request }, { cloud, account }) =>
    listedPolicies(cloud.identity.listAttachedPolicies(parsePolicyTarget(target), request), account),
  ),
  ListPrincipalPolicies: operation<MarkerPageRequest & { readonly principal: string }>(
    ({ principal, ...request }, { cloud, account }) =>
      listedPolicies(cloud.identity.listAttachedPolicies(parsePolicyTarget(principal), request), account),
  ),
  ListTargetsForPolicy: operation<MarkerPageRequest & PolicyInput>(
    ({ policyName, ...request }, { cloud, account }) => {
      const { items, nextMarker } = cloud.identity.listTargetsForPolicy(policyName, request);
      return { targets: items.map((target) => targetText(target, account)), nextMarker };
    },
  ),
  ListPolicyPrincipals: operation<MarkerPageRequest & PolicyInput>(
    ({ policyName, ...request }, { cloud, account }) => {
      const { items, nextMarker } = cloud.identity.listPolicyPrincipals(policyName, request);
      return { principals: items.map((principal) => targetText(principal, account)), nextMarker };
    },
  ),
};

export const policyOperations: OperationTable = { ...documents, ...attachments };
