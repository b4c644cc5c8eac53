import { authorizationContext, evaluatePolicies } from "../policy/index.js";
import { type ActingClientOptions, policyThingOf } from "./acting-client.js";
import { explained, type ExplainedDecision } from "./denials.js";
import type { Principal } from "./principal.js";

/** A request over HTTP. */
export interface RequestedAccess {
  /** Such as `iot:Publish`. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  readonly sourceIp: string;
}

/** What policies say about a single request: nothing is kept. */
export function decideRequest(
  principal: Principal,
  { action, resource, sourceIp }: RequestedAccess,
  { things, wallMs }: Pick<ActingClientOptions, "things" | "wallMs">,
): true | ExplainedDecision {
  const { target, facts } = principal;
  const thing = target === undefined ? undefined : things.thingOfConnection(target, "");
  const context = authorizationContext({
    sourceIp,
    thing: thing && policyThingOf(thing),
    certificate: facts?.certificate,
    others: facts?.others,
    nowMs: wallMs(),
  });
  const sets = [principal.policies(thing?.thing.name), principal.boundary?.()];
  for (const policies of sets) {
    if (policies === undefined) continue;
    const decision = evaluatePolicies(policies, { action, resource, context });
    if (decision.outcome !== "allowed") return explained(decision);
  }
  return true;
}
