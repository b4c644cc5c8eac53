import {
  lintPolicy,
  parsePolicyDocument,
  type PolicyFinding,
  type PolicyStatement,
} from "../policy/index.js";
import type { AuditCheck, CheckScope, Inspected, NonCompliance } from "./audit-check.js";
import { allPolicies } from "./audit-facts.js";

/** Findings of lint-policy that make a policy too permissive for Device Defender. */
const BROAD_CODES: ReadonlySet<string> = new Set([
  "allow-all-but",
  "broad-action",
  "broad-resource",
  "client-id-wildcard",
]);

const MISCONFIGURATIONS: ReadonlyMap<string, string> = new Map([
  ["mqtt-wildcard-in-deny", "POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT"],
  ["bypassed-deny", "TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS"],
]);

/** Judges the default version of every policy; the others are not in force. */
const ofPolicies = (judge: (document: string) => readonly NonCompliance[]) =>
  function* ({ facts }: CheckScope): Iterable<Inspected> {
    for (const policy of allPolicies(facts)) {
      const { versionId, policyDocument } = facts.identity.policies.defaultVersion(policy);
      yield {
        resource: {
          resourceType: "IOT_POLICY",
          resourceIdentifier: {
            policyVersionIdentifier: { policyName: policy.policyName, policyVersionId: versionId },
          },
        },
        reasons: judge(policyDocument),
      };
    }
  };

/** Messages only come from topics that the device may subscribe to, so receiving them is never too much. */
const isReceiving = ({ action }: PolicyStatement): boolean =>
  !action.isNegated && action.patterns.every(({ text }) => /^iot:receive$/i.test(text));

/** The reserved topics of every thing, or connecting under any name that the device likes. */
const EVERY_THING = /:(?:topic|topicfilter)\/\$aws\/things\/[*+#]/;
const OWN_CLIENT_ID = /:client\/\$\{iot:ClientId\}$/i;

function reachesEveryThing({ effect, resource, conditions, ...statement }: PolicyStatement): boolean {
  if (effect === "Deny" || resource.isNegated || isReceiving({ effect, resource, conditions, ...statement }))
    return false;
  const isAttached = conditions.some(({ key }) => /^iot:Connection\.Thing\.IsAttached$/i.test(key.text));
  return resource.patterns.some(
    ({ text }) => EVERY_THING.test(text) || (OWN_CLIENT_ID.test(text) && !isAttached),
  );
}

function tooPermissive(policyDocument: string): readonly NonCompliance[] {
  const { statements } = parsePolicyDocument(policyDocument);
  const isHarmless = ({ statement }: PolicyFinding): boolean =>
    statement !== undefined && isReceiving(statements[statement]!);
  const broad = lintPolicy(policyDocument).find(
    (finding) => BROAD_CODES.has(finding.code) && !isHarmless(finding),
  );
  if (broad === undefined && !statements.some(reachesEveryThing)) return [];
  return [
    {
      reasonCode: "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS",
      reason:
        broad?.message ??
        "A statement reaches the topics of every thing, or lets clients take any identifier.",
    },
  ];
}

function misconfigured(policyDocument: string): readonly NonCompliance[] {
  const reasons = new Map<string, NonCompliance>();
  for (const { code, message } of lintPolicy(policyDocument)) {
    const reasonCode = MISCONFIGURATIONS.get(code);
    if (reasonCode !== undefined && !reasons.has(reasonCode))
      reasons.set(reasonCode, { reasonCode, reason: message });
  }
  return Array.from(reasons.values());
}

/** Checks of policies. */
export const POLICY_CHECKS = {
  IOT_POLICY_OVERLY_PERMISSIVE_CHECK: { severity: "CRITICAL", inspect: ofPolicies(tooPermissive) },
  IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK: { severity: "MEDIUM", inspect: ofPolicies(misconfigured) },
} as const satisfies Record<string, AuditCheck>;
