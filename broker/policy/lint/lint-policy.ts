import { FleetrigError } from "fleetrig/kernel";
import {
  DEFAULT_POLICY_LIMITS,
  parsePolicyDocument,
  policyCharacters,
  type PolicyDocument,
  type PolicyLimits,
} from "../document.js";
import { broadActions, resourceKinds, unknownActions } from "./action-rules.js";
import { arnShapes, broadResources, mqttWildcards } from "./arn-rules.js";
import { clientIdentifiers } from "./client-rules.js";
import { findingOf, type LintRule, type PolicyFinding } from "./finding.js";
import { bypassedDenies, missingReceive, missingRequests } from "./subscription-rules.js";
import { conditions, documentShape, variables } from "./variable-rules.js";

const RULES: readonly LintRule[] = [
  documentShape,
  unknownActions,
  broadActions,
  resourceKinds,
  arnShapes,
  mqttWildcards,
  broadResources,
  clientIdentifiers,
  variables,
  conditions,
  missingReceive,
  missingRequests,
  bypassedDenies,
];

/**
 * Mistakes in a policy, in the order of the text. What AWS would refuse is one finding, `malformed` or `too-long`; never
 * throws for what is in the text.
 */
export function lintPolicy(text: string, limits: Partial<PolicyLimits> = {}): readonly PolicyFinding[] {
  const { maxCharacters } = { ...DEFAULT_POLICY_LIMITS, ...limits };
  const characters = policyCharacters(text);
  const tooLong = characters > maxCharacters ? [tooLongFinding(text, characters, maxCharacters)] : [];
  if (characters > MAX_LINTED_CHARACTERS) return tooLong;
  // The rest of a policy that is a little too long is worth a look all the same.
  const document = readDocument(text, { ...limits, maxCharacters: MAX_LINTED_CHARACTERS });
  if (document instanceof FleetrigError) return [malformedFinding(text, document)];
  const remarks = RULES.flatMap((rule) => [...rule({ text, document })]);
  const findings = remarks.map((remark) => findingOf(text, remark));
  return [...tooLong, ...findings.sort((a, b) => a.start - b.start || compareCodes(a.code, b.code))];
}

/** Every filter is compared with every topic, letter by letter: beyond this size that takes too long. */
const MAX_LINTED_CHARACTERS = 8192;

const compareCodes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function readDocument(text: string, limits: Partial<PolicyLimits>): PolicyDocument | FleetrigError {
  try {
    return parsePolicyDocument(text, limits);
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
}

function malformedFinding(text: string, { sentence, hint, context }: FleetrigError): PolicyFinding {
  const {
    start = 0,
    end = 0,
    reason = sentence,
  } = context as { start?: number; end?: number; reason?: string };
  return findingOf(text, {
    code: "malformed",
    severity: "error",
    at: { start, end },
    message: `AWS refuses this document: ${reason}.`,
    fix: hint ?? "See the policy grammar in AWS IoT's developer guide.",
  });
}

const tooLongFinding = (text: string, characters: number, most: number): PolicyFinding =>
  findingOf(text, {
    code: "too-long",
    severity: "error",
    at: { start: 0, end: 1 },
    message: `The policy has ${characters} characters without whitespace; AWS takes ${most}.`,
    fix: "Use policy variables and wildcards, or attach several policies.",
  });
