import { cloudError } from "../cloud-error.js";
import {
  type AuthorizationDecision,
  authorizationContext,
  type CompiledPolicy,
  evaluatePolicies,
} from "../policy/index.js";
import { policyThingOf } from "./acting-client.js";
import { policyCertificateOf } from "./certificate-principal.js";
import type { Identity } from "./identity.js";
import { certificateOf, groupOf, groupTarget, type PolicyTarget } from "./policy-targets.js";

/** AWS: what TestAuthorization can ask about. */
type ActionType = "PUBLISH" | "SUBSCRIBE" | "RECEIVE" | "CONNECT";

export interface AuthInfo {
  /** The service model lets it be absent; the request is refused then. */
  readonly actionType?: ActionType;
  /** ARNs. */
  readonly resources: readonly string[];
}

/** AWS: TestAuthorization. */
export interface TestAuthorizationRequest {
  readonly principal?: PolicyTarget | undefined;
  readonly clientId?: string | undefined;
  readonly authInfos: readonly AuthInfo[];
  readonly policyNamesToAdd?: readonly string[] | undefined;
  readonly policyNamesToSkip?: readonly string[] | undefined;
}

/** What would be decided about one action on its resources; policies by their names. */
export interface TestedAuthorization {
  readonly authInfo: AuthInfo;
  readonly authDecision: "ALLOWED" | "EXPLICIT_DENY" | "IMPLICIT_DENY";
  readonly allowedBy: readonly string[];
  readonly deniedBy: readonly string[];
  /** Those that say nothing about it. */
  readonly silent: readonly string[];
  readonly missingContextValues: readonly string[];
}

const ACTIONS: Readonly<Record<ActionType, string>> = {
  PUBLISH: "iot:Publish",
  SUBSCRIBE: "iot:Subscribe",
  RECEIVE: "iot:Receive",
  CONNECT: "iot:Connect",
};

/** AWS: GetEffectivePolicies. Names, each once. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
export function effectivePolicyNames(
  identity: Identity,
  request: { readonly principal?: PolicyTarget | undefined; readonly thingName?: string | undefined },
): readonly string[] {
  const { principal, thingName } = request;
  if (principal === undefined && thingName === undefined)
    throw cloudError("InvalidRequestException", "Neither a principal nor a thing is given.");
  if (thingName !== undefined && !identity.things.hasThing(thingName))
    throw cloudError("ResourceNotFoundException", `There is no thing ${thingName}.`);
  const own = principal === undefined ? [] : ownPolicyNames(identity, principal);
  const ofGroups =
    thingName === undefined
      ? []
      : identity.things
          .groupsOf(thingName)
          .flatMap((group) => identity.targets.policiesOf(groupTarget(group)));
  return [...new Set([...own, ...ofGroups])];
}

/** AWS: TestAuthorization: nobody is asked, nothing is done. @throws FleetrigError CLOUD_NOT_FOUND */
export function testAuthorization(
  identity: Identity,
  request: TestAuthorizationRequest,
): readonly TestedAuthorization[] {
  const policies = policiesOf(identity, request);
  const context = contextOf(identity, request);
  return request.authInfos.map((authInfo) => {
    if (authInfo.actionType === undefined)
      throw cloudError("InvalidRequestException", "An authInfo has no actionType.");
    const action = ACTIONS[authInfo.actionType];
    const decisions = authInfo.resources.map((resource) =>
      evaluatePolicies(policies, { action, resource, context }),
    );
    return { authInfo, ...summary(decisions, policies) };
  });
}

/** Several resources are one question: one that is denied denies all. */
function summary(
  decisions: readonly AuthorizationDecision[],
  policies: readonly CompiledPolicy[],
): Omit<TestedAuthorization, "authInfo"> {
  const matched = decisions.flatMap((decision) => decision.matched);
  const names = (effect: "Allow" | "Deny"): readonly string[] => [
    ...new Set(
      matched.filter((statement) => statement.effect === effect).map(({ policyName }) => policyName),
    ),
  ];
  const speaking = new Set(matched.map(({ policyName }) => policyName));
  return {
    authDecision: verdict(decisions),
    allowedBy: names("Allow"),
    deniedBy: names("Deny"),
    silent: policies.map(({ name }) => name).filter((name) => !speaking.has(name)),
    missingContextValues: [...new Set(decisions.flatMap((decision) => decision.missingContextValues))],
  };
}

function verdict(decisions: readonly AuthorizationDecision[]): TestedAuthorization["authDecision"] {
  const outcomes = new Set(decisions.map(({ outcome }) => outcome));
  if (outcomes.has("explicitDeny")) return "EXPLICIT_DENY";
  return outcomes.has("implicitDeny") || outcomes.size === 0 ? "IMPLICIT_DENY" : "ALLOWED";
}

function policiesOf(identity: Identity, request: TestAuthorizationRequest): readonly CompiledPolicy[] {
  const { principal, policyNamesToAdd = [], policyNamesToSkip = [] } = request;
  for (const name of policyNamesToAdd) identity.policies.get(name);
  const thing = thingOf(identity, request);
  const own =
    principal === undefined
      ? []
      : [...ownPolicyNames(identity, principal), ...identity.policyNamesFor(principal, thing?.thing.name)];
  const names = new Set([...own, ...policyNamesToAdd]);
  for (const name of policyNamesToSkip) names.delete(name);
  return identity.compiledFor([...names]);
}

function ownPolicyNames(identity: Identity, principal: PolicyTarget): readonly string[] {
  identity.assertTarget(principal);
  const group = groupOf(principal);
  const own = identity.targets.policiesOf(principal);
  if (group === undefined) return own;
  const inherited = identity.things
    .ancestorsOf(group)
    .flatMap((ancestor) => identity.targets.policiesOf(groupTarget(ancestor)));
  return [...own, ...inherited];
}

function thingOf({ things }: Identity, { principal, clientId }: TestAuthorizationRequest) {
  return principal === undefined ? undefined : things.thingOfConnection(principal, clientId ?? "");
}

function contextOf(identity: Identity, request: TestAuthorizationRequest) {
  const { principal = "", clientId } = request;
  const thing = thingOf(identity, request);
  const certificateId = certificateOf(principal);
  const certificate = certificateId === undefined ? undefined : identity.certificates.get(certificateId);
  return authorizationContext({
    clientId,
    thing: thing && policyThingOf(thing),
    certificate: certificate && policyCertificateOf(identity.certificates.read(certificate)),
    nowMs: identity.wallMs(),
  });
}
