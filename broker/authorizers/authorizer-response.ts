import { FleetrigError, isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { type CompiledPolicy, compilePolicy, parsePolicyDocument } from "../policy/index.js";

/** What an authorizer's function decided. */
export interface Authorization {
  readonly isAuthenticated: boolean;
  readonly principalId: string;
  readonly policyDocuments: readonly string[];
  readonly policies: readonly CompiledPolicy[];
  readonly disconnectAfterS: number;
  readonly refreshAfterS: number;
}

const MAX_POLICIES = 10;
const MIN_S = 300;
/** AWS's maximum, and what holds where a function says nothing. */
const MAX_S = 86_400;
const PRINCIPAL_ID = /^[a-zA-Z0-9]{1,128}$/;

/** Reads an answer (REF §12). @returns a sentence for the operator where it is not as it must be. */
export function readAuthorization(answer: JsonValue, authorizerName: string): Authorization | string {
  if (!isJsonObject(answer)) return "The answer is no object.";
  const { isAuthenticated, principalId = "" } = answer;
  if (typeof isAuthenticated !== "boolean") return "isAuthenticated is not a boolean.";
  if (typeof principalId !== "string" || (isAuthenticated && !PRINCIPAL_ID.test(principalId)))
    return "principalId must have 1 to 128 letters and digits.";
  const disconnectAfterS = secondsOf(answer, "disconnectAfterInSeconds");
  const refreshAfterS = secondsOf(answer, "refreshAfterInSeconds");
  if (disconnectAfterS === undefined || refreshAfterS === undefined)
    return `disconnectAfterInSeconds and refreshAfterInSeconds are whole numbers from ${MIN_S} to ${MAX_S}.`;
  const policies = policiesOf(answer["policyDocuments"] ?? [], authorizerName);
  if (typeof policies === "string") return policies;
  return { isAuthenticated, principalId, ...policies, disconnectAfterS, refreshAfterS };
}

function secondsOf(answer: JsonObject, name: string): number | undefined {
  const value = answer[name] ?? MAX_S;
  const isSeconds = typeof value === "number" && Number.isInteger(value) && value >= MIN_S && value <= MAX_S;
  return isSeconds ? value : undefined;
}

/** Documents come as JSON text, as AWS has it, or as objects. */
function policiesOf(
  value: JsonValue,
  authorizerName: string,
): Pick<Authorization, "policies" | "policyDocuments"> | string {
  if (!Array.isArray(value)) return "policyDocuments is not a list.";
  if (value.length > MAX_POLICIES) return `policyDocuments has more than ${MAX_POLICIES} policies.`;
  const policyDocuments = value.map((item: JsonValue) =>
    typeof item === "string" ? item : JSON.stringify(item),
  );
  try {
    const policies = policyDocuments.map((text, index) =>
      compilePolicy(parsePolicyDocument(text), `${authorizerName}[${index}]`),
    );
    return { policyDocuments, policies };
  } catch (error) {
    if (error instanceof FleetrigError) return error.sentence;
    throw error;
  }
}
