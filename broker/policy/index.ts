export type {
  AuthorizationDecision,
  AuthorizationRequest,
  DenyReason,
  MatchedStatement,
  PolicyContext,
  StatementName,
} from "./authorization.js";
export {
  type AuthorizationFacts,
  authorizationContext,
  type ConnectAttribute,
  type PolicyCertificate,
  type PolicyThing,
} from "./authorization-context.js";
export { CompiledPolicy, type CompileOptions, compilePolicy } from "./compile.js";
export {
  DEFAULT_POLICY_LIMITS,
  parsePolicyDocument,
  type PolicyDocument,
  type PolicyLimits,
  type PolicyStatement,
} from "./document.js";
export { contextKeysFor, evaluatePolicies, isAllowed } from "./evaluate.js";
export { explainDecision } from "./explain.js";
export { lintPolicy, type PolicyFinding } from "./lint/index.js";
